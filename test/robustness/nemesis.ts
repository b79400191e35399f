/** What happens to a cluster: one thing after another, as a seed says, each with its end. */
import type {TestEtcd} from '../support/etcd.js'
import type {Proxy} from '../support/proxy.js'
import type {Random} from '../simulation/random.js'

export interface Place {
  readonly etcd: TestEtcd
  /** Before each member. */
  readonly proxies: readonly Proxy[]
}

const CLUSTER = '/calico/resources/v3/projectcalico.org/clusterinformations/default'
const BIG = '/big/'

export const FAULTS = ['kill', 'pause', 'partition', 'members apart', 'lost answers', 'delay', 'reset', 'compaction', 'defragmentation', 'full disk', 'lock'] as const
export type Fault = (typeof FAULTS)[number]

/** What each does; HOLD waits as long as it is to last. What goes wrong with etcdctl while a member is away is no matter. */
const DOING: Readonly<Record<Fault, (place: Place, random: Random, hold: () => Promise<void>) => Promise<void>>> = {
  async kill({etcd: {members}}, random, hold) {
    const member = random.pick(members)
    await member.kill()
    await hold()
    await member.start()
  },
  async pause({etcd: {members}}, random, hold) {
    const member = random.pick(members)
    member.freeze()
    await hold()
    member.thaw()
  },
  partition: ({proxies}, random, hold) => cutOff(random.pick(proxies), 'black-hole', hold),
  // One member, which may lead, from both others, or two members who both reach the third; in both directions or in one.
  async 'members apart'({etcd}, random, hold) {
    const one = random.pick(etcd.members)
    const others = etcd.members.filter((member) => member !== one)
    const isOneWay = random.chance(0.3)
    for (const other of random.chance(0.5) ? others : [random.pick(others)]) {
      etcd.cutPeers(one, other)
      if (!isOneWay) etcd.cutPeers(other, one)
    }
    await hold()
    etcd.mendPeers()
  },
  'lost answers': ({proxies}, random, hold) => cutOff(random.pick(proxies), 'swallow-replies', hold),
  async delay({proxies}, random, hold) {
    const proxy = random.pick(proxies)
    proxy.delay(20 + random.below(300))
    await hold()
    proxy.delay(0)
    proxy.reset()
  },
  reset({proxies}, random) {
    random.pick(proxies).reset()
    return Promise.resolve()
  },
  async compaction({etcd}) {
    const answer = JSON.parse(await etcd.ctl('get', 'nothing', '-w', 'json')) as {header: {revision: number}}
    await etcd.ctl('compact', String(answer.header.revision))
  },
  async defragmentation({etcd}) {
    await etcd.ctl('defrag')
  },
  async 'full disk'({etcd}, _, hold) {
    try {
      for (let i = 0; i < 200; i++) await etcd.ctl('put', `${BIG}${i}`, 'x'.repeat(100_000))
    } catch {
      // That is it.
    }
    await hold()
    await makeRoom(etcd)
  },
  async lock({etcd}, _, hold) {
    const value = JSON.parse(await etcd.ctl('get', CLUSTER, '--print-value-only')) as {spec: object}
    const set = (datastoreReady: boolean) => etcd.ctl('put', CLUSTER, JSON.stringify({...value, spec: {...value.spec, datastoreReady}}))
    try {
      await set(false)
      await hold()
    } finally {
      await persistently(() => set(true))
    }
  },
}

async function cutOff(proxy: Proxy, mode: 'black-hole' | 'swallow-replies', hold: () => Promise<void>): Promise<void> {
  proxy.set(mode)
  await hold()
  proxy.set('pass')
  // What was held back is gone: a connection without it makes no sense.
  proxy.reset()
}

/** Does WORK until it succeeds, for a minute: members that were killed come back. */
export async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + 60_000; ; ) {
    try {
      return await work()
    } catch (error) {
      if (Date.now() > until) throw error
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
}

async function makeRoom(etcd: TestEtcd): Promise<void> {
  await persistently(async () => {
    await etcd.ctl('del', '--prefix', BIG)
    const answer = JSON.parse(await etcd.ctl('get', 'nothing', '-w', 'json')) as {header: {revision: number}}
    await etcd.ctl('compact', String(answer.header.revision), '--physical').catch(() => undefined)
    await etcd.ctl('defrag')
    await etcd.ctl('alarm', 'disarm')
  })
}

/** Does one thing after another until IS_OVER; then everything is as it was. @returns how often each was done */
export async function torment(place: Place, random: Random, faults: readonly Fault[], isOver: () => boolean): Promise<Record<Fault, number>> {
  const counts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>
  const wait = async (milliseconds: number): Promise<void> => {
    for (const until = Date.now() + milliseconds; Date.now() < until && !isOver(); ) await new Promise((resolve) => setTimeout(resolve, Math.min(50, milliseconds)))
  }
  while (!isOver() && faults.length > 0) {
    await wait(100 + random.below(800))
    if (isOver()) break
    const fault = random.pick(faults)
    counts[fault]++
    try {
      await DOING[fault](place, random, () => wait(200 + random.below(2_500)))
    } catch {
      // etcdctl had no luck with a cluster that is in trouble.
    }
  }
  for (const member of place.etcd.members) member.thaw()
  place.etcd.mendPeers()
  for (const proxy of place.proxies) proxy.set('pass')
  return counts
}
