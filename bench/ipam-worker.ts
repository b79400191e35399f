/** What bench/ipam.mjs runs: the library on an etcd, without the cost of starting a command for each address. Prints one line of JSON. */
import {changeResource} from '../src/lib/client/resources.js'
import {newSession} from '../src/lib/client/session.js'
import {openDatastore} from '../src/lib/datastore/open.js'
import {assignedAddresses, autoAssign} from '../src/lib/ipam/auto-assign.js'
import {releaseByHandle} from '../src/lib/ipam/release-addresses.js'
import {API_VERSION} from '../src/lib/model/resource.js'
import {formatAddress} from '../src/lib/net/index.js'

const [role = '', endpoint = '', node = 'n0', number = '0'] = process.argv.slice(2)
const store = await openDatastore({datastore: {type: 'etcd', endpoints: {value: [endpoint], origin: 'the benchmark'}}}, {perRequest: true, budgetMs: 60_000})
const session = newSession(store, {warn: () => undefined})

async function assign(on: string, handle: string, count = 1): Promise<string[]> {
  const outcome = await autoAssign(session, {ipv4: count, node: on, handle, attributes: {node: on}, maxBlocks: 1_000})
  const addresses = assignedAddresses(outcome).map(formatAddress)
  if (addresses.length !== count) throw new Error(`${addresses.length} of ${count} addresses`)
  return addresses
}

/** Units of WORK a second. */
async function rate(count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (count * 1000) / (performance.now() - start)
}

async function oneByOne(count: number, work: (i: number) => Promise<unknown>): Promise<number> {
  return rate(count, async () => {
    for (let i = 0; i < count; i++) await work(i)
  })
}

let writes = 0

/** One read, one guarded transaction with two puts of the size of a block and a handle: what any client could do at best with two round trips. */
async function bare(): Promise<void> {
  const {kv} = await store.get('/bench/block')
  const {succeeded} = await store.transact({
    if: [{key: '/bench/block', modRevision: kv?.modRevision ?? 0n}],
    then: [
      {put: '/bench/block', value: 'x'.repeat(3_000)},
      {put: `/bench/handle/${writes++}`, value: '{"block":{"10.0.0.0/26":1},"deleted":false}'},
    ],
  })
  if (!succeeded) throw new Error('nobody else writes there')
}

const ROLES: Readonly<Record<string, () => Promise<unknown>>> = {
  async prepare() {
    const object = (kind: 'IPPool' | 'Node', name: string, spec: object) => changeResource(session, {kind, name}, () => ({kind, apiVersion: API_VERSION, metadata: {name}, spec}))
    await object('IPPool', 'pool', {cidr: '10.0.0.0/12'})
    for (let i = 0; i < 8; i++) await object('Node', `n${i}`, {})
  },

  /** Bare transactions and single addresses in turns, while the host fills up. */
  async sequential() {
    const batch = 100
    const rounds: {bare: number; assign: number; release: number}[] = []
    await oneByOne(batch, bare)
    let given = 0
    const next = (): Promise<unknown> => assign(node, `s${given++}`)
    const early: number[] = []
    const late: number[] = []
    await oneByOne(50, next)
    for (let i = 0; i < 5; i++) {
      const base = await oneByOne(batch, bare)
      const mine = await oneByOne(batch, next)
      rounds.push({bare: base, assign: mine, release: 0})
      early.push(base / mine)
    }
    while (given < 4_750) await assign(node, `s${given}`, Math.min(64, 4_750 - given)).then((got) => (given += got.length))
    for (let i = 0; i < 5; i++) {
      const base = await oneByOne(batch, bare)
      late.push(base / (await oneByOne(batch, next)))
    }
    const release = await oneByOne(batch, (i) => releaseByHandle(session, `s${i}`))
    return {rounds, early, late, release}
  },

  async thousand() {
    const rates: number[] = []
    for (let i = 0; i < 5; i++) rates.push(await rate(1_000, () => assign(node, `t${i}`, 1_000)))
    return {rates}
  },

  /** Four callers at a time, warmed up; waits for a line on stdin, so that several processes begin together. */
  async four() {
    // Four compilers at work on two cores would be measured instead.
    for (let i = 0; i < 150; i++) await Promise.all([0, 1, 2, 3].map((caller) => assign(node, `${node}.warm.${i}.${caller}`)))
    process.stdout.write('ready\n')
    await new Promise((settle) => process.stdin.once('data', settle))
    const each = Number(number) / 4
    const addresses: string[] = []
    const start = Date.now()
    await Promise.all(
      [0, 1, 2, 3].map(async (caller) => {
        for (let i = 0; i < each; i++) addresses.push(...(await assign(node, `${node}.${process.pid}.${caller}.${i}`)))
      }),
    )
    process.stdin.destroy()
    return {start, end: Date.now(), addresses}
  },
}

const work = ROLES[role]
if (!work) throw new Error(`no role ${role}`)
process.stdout.write(`${JSON.stringify(await work() ?? {})}\n`)
store.close()
