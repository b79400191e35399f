/** `delete`: what keeps one object from being deleted keeps all of them, however many they are, and every reason is told before the first goes. */
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../src/lib/errors.js'
import {kindPrefix} from '../../../src/lib/model/keys.js'
import type {KindName} from '../../../src/lib/model/resource.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {loadCommands, type Outcome, type RunOn} from '../../support/in-process.js'

let run: RunOn
let folder: string
let store: FaultyStore
beforeAll(async () => {
  run = await loadCommands('apply', 'delete', 'edit', 'get', 'history', 'ipam:assign', 'label', 'patch', 'pool:add', 'profile:add')
})
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-delete-'))
  process.env.CALICOCTL_JOURNAL = join(folder, 'journal.jsonl')
  store = await faultyStore()
})
afterEach(() => {
  delete process.env.CALICOCTL_JOURNAL
  store.close()
  rmSync(folder, {recursive: true})
})

const HEAD = 'apiVersion: projectcalico.org/v3'
const object = (kind: string, name: string, spec = '{}'): string => `${HEAD}\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n---\n`
const profiles = (count: number): string => Array.from({length: count}, (_, at) => object('Profile', `p${String(at).padStart(3, '0')}`)).join('')

const on = (line: string, options?: Parameters<RunOn>[2]): Promise<Outcome> => run(store, line.split(' '), options)
async function ok(line: string, options?: Parameters<RunOn>[2]): Promise<Outcome> {
  const outcome = await on(line, options)
  expect(outcome).toMatchObject({code: 0})
  return outcome
}
async function count(kind: KindName): Promise<number> {
  let found = 0
  for await (const {entries} of store.list(kindPrefix(kind), {keysOnly: true})) found += entries.length
  return found
}

describe('more than one transaction takes', () => {
  const MANY = 150
  test('one is in use, another is missing: 8, both are told with their places, and nothing is deleted', async () => {
    await ok('apply -f -', {stdin: profiles(MANY) + object('HostEndpoint', 'h1-eth0', '{node: h1, interfaceName: eth0, profiles: [p120]}')})
    await ok('delete profile p140')
    const {writes: {length: before}} = store
    expect(await on('delete -f -', {stdin: profiles(MANY)})).toMatchObject({
      code: 8,
      stderr: 'Error: There are 2 problems; nothing was changed:\n  -:601:1: profile/p120: in use by hostendpoint/h1-eth0 (--force deletes it anyway)\n  -:701:1: profile/p140: does not exist (--skip-not-exists skips it)\n',
    })
    expect(store.writes).toHaveLength(before)
    expect(await on('delete -f - --dry-run', {stdin: profiles(MANY)})).toMatchObject({code: 8})
    expect(await count('Profile')).toBe(MANY - 1)
  })
  test('the store fails between two: 9, how many are gone, and the same again with --skip-not-exists deletes the rest', async () => {
    await ok('apply -f -', {stdin: profiles(MANY)})
    const usual = store.onWrite
    let number = 0
    store.onWrite = (send, transaction) => (++number === 2 ? Promise.reject(new CalicoError('unreachable', 'no answer')) : usual(send, transaction))
    expect(await on('delete -f -', {stdin: profiles(MANY)})).toMatchObject({code: 9, stderr: expect.stringMatching(/^Error: 100 of 150 objects were deleted, but the others were not: no answer\.\n/) as unknown})
    expect(await count('Profile')).toBe(50)
    store.onWrite = usual
    await ok('delete -f - --skip-not-exists', {stdin: profiles(MANY)})
    expect(await count('Profile')).toBe(0)
  })
  test('--prune of more than is tried in one transaction: what is in use keeps the files from being written, too', async () => {
    await ok('apply -f - --set app', {stdin: object('Profile', 'used') + object('Profile', 'kept')})
    await ok('apply -f -', {stdin: object('HostEndpoint', 'h1-eth0', '{node: h1, interfaceName: eth0, profiles: [used]}')})
    const outcome = await on('apply -f - --set app --prune --yes', {stdin: profiles(1_001)})
    expect(outcome).toMatchObject({code: 8, stderr: expect.stringMatching(/profile\/used: in use by hostendpoint\/h1-eth0/) as unknown})
    expect(await count('Profile')).toBe(2)
  })
})

describe('pools and nodes among others', () => {
  const FILE = object('IPPool', 'a', '{cidr: 10.1.0.0/24}') + object('Profile', 'web') + object('Node', 'other')
  const given = (): Promise<Outcome> => ok('apply -f -', {stdin: FILE})
  const all = async (): Promise<readonly number[]> => [await count('IPPool'), await count('Profile'), await count('Node')]

  test('all that is missing is told at once, in the order of the file', async () => {
    await given()
    const {stderr, code} = await on('delete -f -', {stdin: FILE.replace('name: a', 'name: b').replace('web', 'none').replace('other', 'nobody') + object('IPPool', 'c')})
    expect({code, stderr}).toEqual({code: 4, stderr: 'Error: There are 4 problems; nothing was changed:\n' + ['1:1: ippool/b', '6:1: profile/none', '11:1: node/nobody', '16:1: ippool/c'].map((place) => `  -:${place}: does not exist (--skip-not-exists skips it)\n`).join('')})
    expect(await all()).toEqual([1, 1, 1])
  })
  test('a pool in use keeps all of them; with --force all go', async () => {
    await given()
    await ok('profile add mine')
    const assigned = await run(store, ['ipam', 'assign', '10.1.0.5', '--node', 'third'])
    expect(assigned.code).toBe(4) // no such node
    await ok('apply -f -', {stdin: object('Node', 'third')})
    await ok('ipam assign 10.1.0.5 --node third')
    expect(await on('delete -f -', {stdin: FILE})).toMatchObject({code: 8, stderr: expect.stringMatching(/^Error: Addresses of 10\.1\.0\.0\/24 are in use \(1\); nothing was changed\.\n {2}10\.1\.0\.5: /) as unknown})
    expect(await all()).toEqual([1, 2, 2])
    await ok('delete -f - --force --dry-run', {stdin: FILE})
    expect(await all()).toEqual([1, 2, 2])
    await ok('delete -f - --force', {stdin: FILE})
    expect(await all()).toEqual([0, 1, 1])
  })
  test('a pool whose addresses only a node of the same file has: the node goes first, then the pool; --dry-run says so', async () => {
    await ok('apply -f -', {stdin: object('IPPool', 'a', '{cidr: 10.1.0.0/24, ipipMode: Always}') + object('Node', 'other')})
    await ok('ipam assign 10.1.0.5 --node other --handle ipip-tunnel-addr-other')
    const both = object('IPPool', 'a') + object('Node', 'other')
    expect((await ok('delete -f - --dry-run', {stdin: both})).stderr).toMatch(/node\/other would be deleted[^]*ippool\/10\.1\.0\.0\/24 would be deleted/)
    expect(await count('Node')).toBe(1)
    await ok('delete -f -', {stdin: both})
    expect([await count('IPPool'), await count('Node')]).toEqual([0, 0])
  })
})

describe('names as users know them', () => {
  test('a name that is not Kubernetes\' own, and the CIDR of a pool, name the object for every command', async () => {
    await ok('profile add Web_1')
    await ok('pool add 10.9.0.0/24')
    for (const [kind, name] of [['profile', 'Web_1'], ['ippool', '10.9.0.0/24']] as const) {
      await ok(`get ${kind} ${name} -o name`)
      await ok(`label ${kind} ${name} a=b`)
      await run(store, ['patch', kind, name, '-p', '{"metadata":{"labels":{"c":"d"}}}']).then((outcome) => expect(outcome).toMatchObject({code: 0}))
      expect((await ok(`history ${kind} ${name}`)).stdout).toContain('| - ')
      expect((await ok(`delete ${kind} ${name}`)).stderr).toContain(`${kind}/${name} deleted`)
      expect(await on(`delete ${kind} ${name}`)).toMatchObject({code: 4, stderr: expect.stringContaining(`${kind}/${name}: does not exist`) as unknown})
    }
  })
  test('history of an object that nobody has known: 4; of one that is there, nothing is no error', async () => {
    await ok('profile add web')
    expect(await on('history profile web')).toMatchObject({code: 0})
    expect(await on('history profile nope')).toMatchObject({code: 4, stderr: expect.stringContaining('There is no profile/nope') as unknown})
  })
})
