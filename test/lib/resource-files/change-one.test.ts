/** patch and label, as command lines in this process: what is printed, the exit codes, and what is stored. The golden lines are in golden.test.ts. */
import {afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {loadCommands, type Outcome, type RunOn} from '../../support/in-process.js'

const WEB = resourceKey('Profile', 'web')

let load: RunOn
beforeAll(async () => {
  load = await loadCommands('patch', 'label', 'profile:add')
})

let store: FaultyStore
beforeEach(async () => {
  store = await faultyStore()
  await run('profile', 'add', 'web')
  store.writes.length = 0
})
afterEach(() => store.close())

const run = (...words: readonly string[]): Promise<Outcome> => load(store, words)
const patch = (text: string, ...words: readonly string[]): Promise<Outcome> => run('patch', 'profile', 'web', '-p', text, ...words)
async function stored(key = WEB): Promise<{metadata: Record<string, unknown>; spec: Record<string, unknown>} & Record<string, unknown>> {
  const {kv} = await store.get(key)
  return JSON.parse(kv?.value ?? 'null') as Awaited<ReturnType<typeof stored>>
}
const rewrite = (change: (object: Awaited<ReturnType<typeof stored>>) => object) => stored().then((object) => store.transact({then: [{put: WEB, value: JSON.stringify(change(object))}]}))

describe('patch', () => {
  test('says what it did; what does not differ is not written', async () => {
    expect(await patch('{"spec": {"labelsToApply": {"a": "b"}}}')).toEqual({code: 0, stdout: '', stderr: 'profile/web updated (labelsToApply: +a=b)\n'})
    expect((await stored()).spec).toMatchObject({labelsToApply: {a: 'b', web: ''}})
    const {length} = store.writes
    for (const text of ['{}', 'null', '{"spec": {"labelsToApply": {"a": "b"}}}', '{"spec": {"labelsToApply": {"x": null}}}']) {
      expect(await patch(text)).toEqual({code: 0, stdout: '', stderr: 'profile/web unchanged\n'})
    }
    expect(store.writes).toHaveLength(length)
  })

  test('--dry-run prints the difference as YAML and writes nothing; -o name and json', async () => {
    const text = '[{"op": "add", "path": "/metadata/labels", "value": {"team": "shop"}}]'
    const {stdout, ...rest} = await patch(text, '--type', 'json', '--dry-run')
    expect(rest).toEqual({code: 0, stderr: 'profile/web would be updated (labels: +team=shop)\n'})
    expect(stdout).toMatch(/^\+ {2}labels:\n\+ {4}team: shop$/m)
    expect(store.writes).toEqual([])
    expect((await patch(text, '-t', 'json', '-o', 'name')).stdout).toBe('profile/web\n')
    expect(JSON.parse((await patch('{"metadata": {"labels": null}}', '-t', 'merge', '-o', 'json')).stdout)).toMatchObject({kind: 'ChangeList', dryRun: false, items: [{change: 'updated', before: {metadata: {labels: {team: 'shop'}}}}]})
  })

  test('is made again of what somebody else has stored meanwhile; with a resourceVersion it is refused', async () => {
    const race = (): void => {
      store.onWrite = async (send, transaction) => {
        store.onWrite = (again, next) => again(next)
        await rewrite(({metadata, ...object}) => ({...object, metadata: {...metadata, annotations: {by: 'somebody'}}}))
        return send(transaction)
      }
    }
    race()
    expect(await patch('{"metadata": {"labels": {"a": "b"}}}')).toMatchObject({code: 0})
    expect((await stored()).metadata).toMatchObject({labels: {a: 'b'}, annotations: {by: 'somebody'}})
    const {kv} = await store.get(WEB)
    race()
    expect(await patch(`{"metadata": {"resourceVersion": "${kv?.modRevision}", "labels": {"a": "c"}}}`)).toMatchObject({code: 5, stderr: expect.stringContaining('another client has changed it. Nothing was changed') as unknown})
    expect((await stored()).metadata).toMatchObject({labels: {a: 'b'}})
    const now = (await store.get(WEB)).kv?.modRevision
    expect(await patch(`{"metadata": {"resourceVersion": "${now}", "labels": {"a": "c"}}}`)).toMatchObject({code: 0})
  })

  test('keeps unknown fields that are stored, and calicoctl\'s own annotations unless it names them', async () => {
    await rewrite(({metadata, spec, ...object}) => ({...object, metadata: {...metadata, annotations: {'calicoctl/x': 'y', note: 'z'}}, spec: {...spec, fromTomorrow: {a: 1}}}))
    expect(await patch('{"metadata": {"annotations": {"note": null}}}')).toMatchObject({code: 0})
    expect(await stored()).toMatchObject({metadata: {annotations: {'calicoctl/x': 'y'}}, spec: {fromTomorrow: {a: 1}}})
    expect(await patch('{"metadata": {"annotations": null}}', '--type=merge')).toMatchObject({code: 0})
    expect((await stored()).metadata).not.toHaveProperty('annotations')
  })

  test.each([
    ['{"spec": {"labelsToAply": {}}}', 1, /spec\.labelsToAply: is not a field of a Profile in this place\. Did you mean labelsToApply\?/],
    ['{"spec": {"ingress": [{"action": "Permit"}]}}', 1, /spec\.ingress\[0\]\.action/],
    ['{"spec": {"ingress": [{"action": "Allow", "source": {"nets": []}}]}}', 1, /spec\.ingress\[0\]\.source\.nets/],
    ['{"spec": 7}', 1, /profile\/web|Profile web/],
    ['{"metadata": {"name": "db", "creationTimestamp": null}}', 1, /metadata\.name: cannot be changed[^]*metadata\.creationTimestamp: cannot be changed/],
    ['{"metadata": {"resourceVersion": null}}', 1, /metadata\.resourceVersion: is the required revision/],
    ['{"metadata": {"resourceVersion": ""}}', 1, /metadata\.resourceVersion: is the required revision/],
    ['{"metadata": {"resourceVersion": 7}}', 1, /metadata\.resourceVersion: is the required revision/],
    ['{"kind": "Tier"}', 1, /kind: cannot be changed/],
    ['{"a": 1, "a": 2}', 1, /occurs twice/],
    ['{', 1, /--patch: not valid JSON[^]*in quotes for the shell/],
    ['[]', 1, /not a list[^]*--type json/],
    ['7', 1, /is an object with the fields to change/],
  ])('%s: %d', async (text, code, message) => {
    const before = await stored()
    expect(await patch(text)).toMatchObject({code, stdout: '', stderr: expect.stringMatching(message) as unknown})
    expect(await stored()).toEqual(before)
  })

  test.each([
    ['patch profile db -p {}', 4, /There is no profile\/db\. Nothing was changed/],
    ['patch networkset s -n shop -p {}', 4, /There is no networkset\/s in the namespace shop/],
    ['patch profile web -p {} -n shop', 1, /-n cannot be used/],
    ['patch block 10.0.0.0-26 -p {}', 1, /not a kind whose objects can be changed with this command/],
    ['patch profil web -p {}', 1, /Did you mean profile/],
    ['patch clusterinformation default -p {}', 8, /written by Calico itself/],
    ['patch profile projectcalico-default-allow -p {}', 8, /provided by Calico itself/],
  ])('%s: %d', async (line, code, message) => expect(await run(...line.split(' '))).toMatchObject({code, stderr: expect.stringMatching(message) as unknown}))

  const OBJECTS = {
    filter: [resourceKey('BGPFilter', 'no'), {kind: 'BGPFilter', metadata: {name: 'no'}, spec: {importV4: [{action: 'Reject'}]}}],
    tier: [resourceKey('Tier', 'sec'), {kind: 'Tier', metadata: {name: 'sec'}, spec: {order: 5}}],
    peer: [resourceKey('BGPPeer', 'p'), {kind: 'BGPPeer', metadata: {name: 'p'}, spec: {peerIP: '192.0.2.7', asNumber: 64512}}],
    policy: [resourceKey('GlobalNetworkPolicy', 'allow'), {kind: 'GlobalNetworkPolicy', metadata: {name: 'allow'}, spec: {tier: 'default', selector: 'all()', types: ['Ingress']}}],
  } as const
  const keep = (name: keyof typeof OBJECTS) => store.transact({then: [{put: OBJECTS[name][0], value: JSON.stringify({apiVersion: 'projectcalico.org/v3', ...OBJECTS[name][1]})}]})
  test.each([
    ['bgppeer p', 'peer', 'filter', '{"spec": {"filters": ["no"]}}', /spec\.filters\[0\].*no/],
    ['globalnetworkpolicy allow', 'policy', 'tier', '{"spec": {"tier": "sec"}}', /spec\.tier: refers to a tier that does not exist: sec/],
  ] as const)('what %s names must exist, also by the time that it is written', async (object, name, needed, text, message) => {
    await keep(name)
    const before = await stored(OBJECTS[name][0])
    const words = ['patch', ...object.split(' '), '-p', text]
    expect(await run(...words)).toMatchObject({code: 1, stderr: expect.stringMatching(message) as unknown})
    await keep(needed)
    store.onWrite = async (send, transaction) => {
      store.onWrite = (again, next) => again(next)
      await send({then: [{delete: OBJECTS[needed][0]}]})
      return send(transaction)
    }
    expect(await run(...words)).toMatchObject({code: 1, stderr: expect.stringMatching(message) as unknown})
    expect(await stored(OBJECTS[name][0])).toEqual(before)
    await keep(needed)
    expect(await run(...words)).toMatchObject({code: 0})
  })

  test('a test operation that fails is a conflict', async () => {
    expect(await patch('[{"op": "test", "path": "/spec/labelsToApply/web", "value": "x"}, {"op": "remove", "path": "/spec"}]', '-t', 'json')).toMatchObject({code: 5, stderr: expect.stringContaining('/spec/labelsToApply/web is "", not "x". Nothing was changed') as unknown})
  })

  test('a name that is stored otherwise is found as it was typed', async () => {
    await run('profile', 'add', 'Web_2')
    expect(await run('patch', 'profile', 'Web_2', '-p', '{"metadata": {"labels": {"a": "b"}}}')).toMatchObject({code: 0, stderr: 'profile/Web_2 updated (labels: +a=b)\n'})
  })
})

describe('label', () => {
  const label = (...words: readonly string[]): Promise<Outcome> => run('label', 'profile', 'web', ...words)
  test('sets, keeps, changes and removes', async () => {
    expect(await label('team=shop')).toEqual({code: 0, stdout: '', stderr: 'profile/web updated (labels: +team=shop)\n'})
    expect(await label('team=shop')).toEqual({code: 0, stdout: '', stderr: 'profile/web unchanged\n'})
    expect(await label('team=')).toMatchObject({code: 5, stderr: expect.stringMatching(/The label team is already shop\. Nothing was changed\.\nTo change its value, use --overwrite/) as unknown})
    expect(await label('team=', '--overwrite')).toMatchObject({code: 0})
    expect((await stored()).metadata).toMatchObject({labels: {team: ''}})
    expect(await label('team', '--remove', '--dry-run')).toMatchObject({code: 0, stderr: 'profile/web would be updated (labels: -team)\n', stdout: expect.stringMatching(/^-.*team/m) as unknown})
    expect(await label('team', '--remove')).toMatchObject({code: 0})
    expect((await stored()).metadata).not.toHaveProperty('labels')
    expect(await label('team', '--remove')).toMatchObject({code: 4, stderr: expect.stringContaining('has no label team') as unknown})
  })

  test.each([
    [['_team=a'], 1, /_team/],
    [['team=_a'], 1, /_a/],
    [['team=a=b'], 1, /is not a label/],
    [['=a'], 1, /is not a label/],
    [['team'], 1, /is not a label/],
    [['team=a', '--remove'], 1, /give the key alone/],
    [['team=a', '--remove', '--overwrite'], 1, /cannot be combined/],
    [['__proto__=a'], 1, /__proto__/],
  ])('%j: %d', async (words, code, message) => expect(await label(...words)).toMatchObject({code, stderr: expect.stringMatching(message) as unknown}))

  test('a label that Calico itself sets stays as it is, which is told', async () => {
    const key = resourceKey('GlobalNetworkPolicy', 'default.p')
    await store.transact({then: [{put: key, value: JSON.stringify({kind: 'GlobalNetworkPolicy', apiVersion: 'projectcalico.org/v3', metadata: {name: 'default.p', uid: 'u', creationTimestamp: '2026-06-24T18:32:35Z', labels: {'projectcalico.org/tier': 'default'}, annotations: {'projectcalico.org/metadata': '{"name":"default.p"}'}}, spec: {tier: 'default', selector: 'all()', types: ['Ingress']}})}]})
    expect(await run('label', 'gnp', 'default.p', 'projectcalico.org/tier=x', '--overwrite')).toEqual({
      code: 0, stdout: '', stderr: 'globalnetworkpolicy/default.p unchanged\nCalico itself sets the label projectcalico.org/tier of this object to default.\n',
    })
  })
})
