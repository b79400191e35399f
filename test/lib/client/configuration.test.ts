import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {BGP, NODE_BGP, readGlobalBgp, setDefaultAs, setNodeMesh} from '../../../src/lib/client/bgp-configuration.js'
import {configurationPlace, type ConfigSection, findSetting, readSetting, removeSetting, writeSetting} from '../../../src/lib/client/configuration.js'
import {FELIX} from '../../../src/lib/client/felix-configuration.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {resourceKey} from '../../../src/lib/model/keys.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

let store: FaultyStore
let session: Session

beforeEach(async () => {
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
})
afterEach(() => store.close())

interface StoredConfiguration {
  metadata: {annotations?: Record<string, string>; uid?: string}
  spec: Record<string, unknown>
}

async function stored(section: ConfigSection, node?: string): Promise<StoredConfiguration | undefined> {
  const {kind, name} = configurationPlace(section, node)
  const {kv} = await store.get(resourceKey(kind, name))
  return kv && (JSON.parse(kv.value) as StoredConfiguration)
}

const put = (section: ConfigSection, spec: object, metadata: object = {}, node?: string) => {
  const {kind, name} = configurationPlace(section, node)
  const value = {kind, apiVersion: 'projectcalico.org/v3', metadata: {name, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata}, spec}
  return store.transact({
    then: [
      {put: resourceKey(kind, name), value: JSON.stringify(value)},
      {put: resourceKey('ClusterInformation', 'default'), value: '{"spec":{"clusterGUID":"g","datastoreReady":true}}'},
    ],
  })
}

const setting = (section: ConfigSection, name = 'loglevel', options: {value?: string; force?: boolean} = {}) => findSetting(section, name, {force: false, ...options})
const set = (section: ConfigSection, value: string, node?: string) => writeSetting(session, configurationPlace(section, node), setting(section), value)
const get = (section: ConfigSection, node?: string) => readSetting(session, configurationPlace(section, node), setting(section))
const remove = (section: ConfigSection, node?: string) => removeSetting(session, configurationPlace(section, node), setting(section))

describe('log levels', () => {
  test.each([
    [FELIX, 'debug', 'Debug'],
    [FELIX, 'info', 'Info'],
    [FELIX, 'warning', 'Warning'],
    [FELIX, 'error', 'Error'],
    [FELIX, 'critical', 'Fatal'],
    [BGP, 'none', 'Fatal'],
    [BGP, 'debug', 'Debug'],
    [BGP, 'info', 'Info'],
  ])('$words: %s is stored as the field and read back', async (section, word, level) => {
    await set(section, word)
    expect((await stored(section))?.spec.logSeverityScreen).toBe(level)
    expect((await stored(section))?.metadata.annotations).toBeUndefined()
    expect(await get(section)).toBe(word)
  })

  test('felix: none is a raw parameter, which a level replaces and which hides the field', async () => {
    await set(FELIX, 'debug')
    await set(FELIX, 'none')
    expect(await stored(FELIX)).toMatchObject({metadata: {annotations: {'config.projectcalico.org/LogSeverityScreen': 'none'}}, spec: {logSeverityScreen: 'Debug'}})
    expect(await get(FELIX)).toBe('none')
    await set(FELIX, 'info')
    expect(await get(FELIX)).toBe('info')
    expect((await stored(FELIX))?.metadata.annotations).toBeUndefined()
  })

  test.each([
    [BGP, 'Warning', 'none'],
    [BGP, 'Error', 'none'],
    [BGP, 'Trace', 'none'],
    [BGP, '', undefined],
    [FELIX, 'Trace', 'trace'],
    [FELIX, 'Fatal', 'critical'],
  ])('$words: a stored %s reads as %s', async (section, level, word) => {
    await put(section, {logSeverityScreen: level})
    expect(await get(section)).toBe(word)
  })

  test('writing the same again writes nothing', async () => {
    await set(BGP, 'debug')
    const writes = store.writes.length
    expect((await set(BGP, 'debug')).action).toBe('unchanged')
    expect(store.writes).toHaveLength(writes)
  })
})

describe('a level that nobody has set', () => {
  test('is never stored in a node\'s object, where it would mask the global one', async () => {
    await writeSetting(session, configurationPlace(NODE_BGP, 'host-1'), setting(NODE_BGP, 'Other', {force: true}), 'x')
    expect((await stored(NODE_BGP, 'host-1'))?.spec).not.toHaveProperty('logSeverityScreen')
    expect(await get(NODE_BGP, 'host-1')).toBeUndefined()
  })

  test('is not stored beside other settings either, so that nothing reads as configured that is not', async () => {
    await setNodeMesh(session, false)
    expect((await stored(BGP))?.spec).toEqual({nodeToNodeMeshEnabled: false, serviceLoadBalancerAggregation: 'Enabled'})
    expect(await get(BGP)).toBeUndefined()
  })

  test('stays removed while other settings remain', async () => {
    await setDefaultAs(session, 64513)
    await set(BGP, 'debug')
    expect((await remove(BGP)).action).toBe('updated')
    expect((await remove(BGP)).action).toBe('unchanged')
    expect((await stored(BGP))?.spec).toMatchObject({asNumber: 64513})
  })
})

describe('removing', () => {
  test.each([
    [FELIX, undefined],
    [BGP, undefined],
    [NODE_BGP, 'host-1'],
  ])('$words: an object that is left empty goes', async (section, node) => {
    await set(section, 'debug', node)
    expect((await remove(section, node)).action).toBe('deleted')
    expect(await stored(section, node)).toBeUndefined()
    expect((await remove(section, node)).action).toBe('unchanged')
  })

  test.each<[string, object, object]>([
    ['another field', {logSeverityScreen: 'Debug', listenPort: 1179}, {}],
    ['a label', {logSeverityScreen: 'Debug'}, {labels: {site: 'a'}}],
    ['an annotation', {logSeverityScreen: 'Debug'}, {annotations: {'example.org/why': 'x'}}],
    ['a field of a newer Calico', {logSeverityScreen: 'Debug', newer: true}, {}],
  ])('an object with %s stays', async (_, spec, metadata) => {
    await put(NODE_BGP, spec, metadata, 'host-1')
    expect((await remove(NODE_BGP, 'host-1')).action).toBe('updated')
    const left = await stored(NODE_BGP, 'host-1')
    const {logSeverityScreen: _level, ...rest} = spec as Record<string, unknown>
    expect(left?.spec).toMatchObject(rest)
    expect(left?.spec).not.toHaveProperty('logSeverityScreen')
    expect(left?.metadata).toMatchObject(metadata)
  })

  test('a raw parameter does not take somebody\'s level along, though it equals the default', async () => {
    await put(BGP, {logSeverityScreen: 'Info'}, {annotations: {'config.projectcalico.org/Foo': 'x'}})
    expect((await removeSetting(session, configurationPlace(BGP), setting(BGP, 'Foo', {force: true}))).action).toBe('updated')
    expect(await get(BGP)).toBe('info')
  })
})

describe('names and values that v0.20 did not know', () => {
  const refusal = (run: () => unknown): CalicoError => {
    try {
      run()
    } catch (error) {
      if (error instanceof CalicoError) return error
    }
    throw new Error('not refused')
  }

  test('a name is refused with the list, also for a read', () => {
    const {kind, message} = refusal(() => setting(FELIX, 'LogLevel'))
    expect({kind, message}).toEqual({kind: 'invalid', message: expect.stringContaining('use loglevel')})
  })

  test.each(['debugger', 'DEBUG', 'warn', ''])('the value %j is refused with the list', (value) => {
    expect(refusal(() => setting(FELIX, 'loglevel', {value})).message).toContain('none, debug, info, warning, error, critical')
    expect(refusal(() => setting(BGP, 'loglevel', {value})).message).toContain('none, debug, info')
  })

  test('BGP has fewer levels than Felix', () => {
    expect(refusal(() => setting(BGP, 'loglevel', {value: 'warning'})).kind).toBe('invalid')
  })

  test('names of the language\'s own are no settings', () => {
    expect(refusal(() => setting(FELIX, 'constructor')).kind).toBe('invalid')
  })

  test('a forced name is the annotation of that name', async () => {
    const raw = setting(FELIX, 'BPFEnabled', {force: true})
    await writeSetting(session, configurationPlace(FELIX), raw, 'true')
    expect((await stored(FELIX))?.metadata.annotations).toEqual({'config.projectcalico.org/BPFEnabled': 'true'})
    expect(await readSetting(session, configurationPlace(FELIX), raw)).toBe('true')
    expect((await removeSetting(session, configurationPlace(FELIX), raw)).action).toBe('deleted')
  })

  test('a forced name that can be no annotation is refused by validation, and nothing is stored', async () => {
    await expect(writeSetting(session, configurationPlace(FELIX), setting(FELIX, 'a b', {force: true}), 'x')).rejects.toThrow(CalicoError)
    expect(await stored(FELIX)).toBeUndefined()
  })

  test('a forced level is what Felix reads raw; for BGP one of Calico\'s own', async () => {
    await set(FELIX, 'trace')
    expect((await stored(FELIX))?.metadata.annotations).toEqual({'config.projectcalico.org/LogSeverityScreen': 'trace'})
    await set(BGP, 'warning')
    expect((await stored(BGP))?.spec.logSeverityScreen).toBe('Warning')
    await expect(set(BGP, 'junk')).rejects.toThrow(CalicoError)
  })
})

describe('the global settings of BGP', () => {
  test('nothing configured: nothing stored by reading', async () => {
    expect(await readGlobalBgp(session)).toEqual({})
    expect(store.writes).toHaveLength(0)
  })

  test.each([
    ['the default AS number changes nothing in force', () => setDefaultAs(session, 64512), false, {asNumber: 64512}],
    ['another AS number does', () => setDefaultAs(session, 64513), true, {asNumber: 64513}],
    ['the mesh switched on is what it was', () => setNodeMesh(session, true), false, {nodeToNodeMeshEnabled: true}],
    ['switched off is not', () => setNodeMesh(session, false), true, {nodeToNodeMeshEnabled: false}],
  ])('%s', async (_, change, effective, spec) => {
    expect((await change()).effective).toBe(effective)
    expect((await stored(BGP))?.spec).toMatchObject(spec)
  })

  test('an edit keeps what else is stored', async () => {
    await put(BGP, {logSeverityScreen: 'Debug', listenPort: 1179, newer: {a: 1}})
    await setDefaultAs(session, 64513)
    expect((await stored(BGP))?.spec).toMatchObject({logSeverityScreen: 'Debug', listenPort: 1179, newer: {a: 1}, asNumber: 64513})
  })

  test('a mesh with a password cannot be switched off: the reason is told, nothing is written', async () => {
    await put(BGP, {nodeMeshPassword: {secretKeyRef: {name: 's', key: 'k'}}})
    await expect(setNodeMesh(session, false)).rejects.toMatchObject({kind: 'invalid', details: [expect.stringContaining('nodeMeshPassword')]})
    expect((await stored(BGP))?.spec).not.toHaveProperty('nodeToNodeMeshEnabled')
  })
})
