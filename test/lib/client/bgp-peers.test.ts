import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {addPeer, listPeers, type Peer, type PeerScope, removePeer} from '../../../src/lib/client/bgp-peers.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {CalicoError} from '../../../src/lib/errors.js'
import type {BGPPeerSpec} from '../../../src/lib/model/types.js'
import {ipv6Address} from '../../../src/lib/net/address.js'
import {type Address, formatAddress, parseAddress} from '../../../src/lib/net/index.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'

const PREFIX = '/calico/resources/v3/projectcalico.org/bgppeers/'
const GLOBAL: PeerScope = {type: 'global'}
const HOST: PeerScope = {type: 'node', node: 'host-1'}

let store: FaultyStore
let session: Session
let warnings: string[]

beforeEach(async () => {
  store = await faultyStore()
  warnings = []
  session = newSession(store, {warn: (message) => warnings.push(message)})
  await addPeer(session, GLOBAL, address('203.0.113.1'), 1)
  await removePeer(session, GLOBAL, address('203.0.113.1'), 'missing')
  warnings = []
})
afterEach(() => store.close())

function address(text: string): Address {
  const parsed = parseAddress(text)
  if (!parsed) throw new Error(`not an address: ${text}`)
  return parsed
}

const put = (name: string, value: unknown) =>
  store.transact({then: [{put: PREFIX + name, value: typeof value === 'string' ? value : JSON.stringify(value)}]})

const peer = (name: string, spec: BGPPeerSpec, more: object = {}) =>
  put(name, {kind: 'BGPPeer', apiVersion: 'projectcalico.org/v3', metadata: {name, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'}, spec, ...more})

/** The stored peers by name. */
async function stored(): Promise<Record<string, {spec: BGPPeerSpec; [field: string]: unknown}>> {
  const found: Record<string, {spec: BGPPeerSpec}> = {}
  for await (const {entries} of store.list(PREFIX)) for (const {key, value} of entries) found[key.slice(PREFIX.length)] = JSON.parse(value) as {spec: BGPPeerSpec}
  return found
}

const summary = (peers: readonly Peer[]): string[] => peers.map(({stored: {resource}, plain}) => `${resource.metadata.name}${plain ? '' : ' (not plain)'}`)

async function failure(promise: Promise<unknown>): Promise<CalicoError> {
  const error: unknown = await promise.then(() => undefined, (reason: unknown) => reason)
  if (error instanceof CalicoError) return error
  throw new Error(`no CalicoError but ${String(error)}`)
}

describe('adding', () => {
  test.each([
    ['an IPv4 address', GLOBAL, '192.0.2.1', '192-0-2-1', {peerIP: '192.0.2.1', asNumber: 64513}],
    ['an IPv6 address', GLOBAL, 'fd00::1', 'fd00-0000-0000-0000-0000-0000-0000-0001', {peerIP: 'fd00::1', asNumber: 64513}],
    ['a peer of a node', HOST, '192.0.2.1', 'host-1.192-0-2-1', {node: 'host-1', peerIP: '192.0.2.1', asNumber: 64513}],
  ])('%s creates it', async (_, scope, ip, name, spec) => {
    const {changes} = await addPeer(session, scope, address(ip), 64513)
    expect(changes.map(({action}) => action)).toEqual(['created'])
    expect(await stored()).toMatchObject({[name]: {kind: 'BGPPeer', metadata: {name}, spec}})
    expect((await stored())[name]?.spec).toEqual(spec)
  })

  test('the same again changes nothing, another number replaces the old one', async () => {
    await addPeer(session, GLOBAL, address('192.0.2.1'), 1)
    const writes = store.writes.length
    expect((await addPeer(session, GLOBAL, address('192.0.2.1'), 1)).changes[0]?.action).toBe('unchanged')
    expect(store.writes).toHaveLength(writes)
    expect((await addPeer(session, GLOBAL, address('192.0.2.1'), 2)).changes[0]?.action).toBe('updated')
    expect(Object.values(await stored()).map(({spec}) => spec.asNumber)).toEqual([2])
  })

  test('a peer is found by address and scope whatever its name and spelling, and keeps all else', async () => {
    await peer('rack-router', {peerIP: 'FD00:0::0001', asNumber: 1, keepOriginalNextHop: true}, {newer: {field: 1}})
    await addPeer(session, GLOBAL, address('fd00::1'), 2)
    expect(await stored()).toEqual({
      'rack-router': expect.objectContaining({newer: {field: 1}, spec: {peerIP: 'FD00:0::0001', asNumber: 2, keepOriginalNextHop: true}}),
    })
  })

  test('several objects of one address all get the number', async () => {
    await peer('a', {peerIP: '192.0.2.1', asNumber: 1})
    await peer('b', {peerIP: '192.0.2.1', asNumber: 2})
    await addPeer(session, GLOBAL, address('192.0.2.1'), 2)
    expect(Object.values(await stored()).map(({spec}) => spec.asNumber)).toEqual([2, 2])
  })

  test.each([
    ['on a port', {peerIP: '192.0.2.1:1179', asNumber: 1}],
    ['of the nodes a selector chooses', {peerIP: '192.0.2.1', asNumber: 1, nodeSelector: 'all()'}],
    ['of a node', {peerIP: '192.0.2.1', asNumber: 1, node: 'host-2'}],
  ])('a peer %s is left alone', async (_, spec) => {
    await peer('other', spec)
    await addPeer(session, GLOBAL, address('192.0.2.1'), 7)
    const after = await stored()
    expect(after.other?.spec).toEqual(spec)
    expect(after['192-0-2-1']?.spec).toEqual({peerIP: '192.0.2.1', asNumber: 7})
  })

  test('a name that another peer or an unreadable value has gets a number', async () => {
    await peer('192-0-2-1', {peerIP: '192.0.2.99', asNumber: 1})
    await put('192-0-2-1-2', '{broken')
    const {changes} = await addPeer(session, GLOBAL, address('192.0.2.1'), 7)
    expect(changes[0]?.name).toBe('192-0-2-1-3')
    expect((await store.get(`${PREFIX}192-0-2-1-2`)).kv?.value).toBe('{broken')
    expect(warnings).toEqual([expect.stringContaining(`${PREFIX}192-0-2-1-2`)])
  })

  test('a peer whose metadata claim another name is written back under its key', async () => {
    await put('real', {kind: 'BGPPeer', apiVersion: 'projectcalico.org/v3', metadata: {name: 'claimed'}, spec: {peerIP: '192.0.2.1', asNumber: 1}})
    await addPeer(session, GLOBAL, address('192.0.2.1'), 2)
    const after = await stored()
    expect(Object.keys(after)).toEqual(['real'])
    expect(after.real?.spec.asNumber).toBe(2)
  })

  test('tells of a global peer of the same address, which hides the node\'s', async () => {
    await addPeer(session, GLOBAL, address('192.0.2.1'), 1)
    expect((await addPeer(session, HOST, address('192.0.2.1'), 1)).hiddenBy).toBe('192-0-2-1')
    expect((await addPeer(session, HOST, address('192.0.2.2'), 1)).hiddenBy).toBeUndefined()
  })

  test('a peer that somebody else adds meanwhile under another name is seen, not doubled', async () => {
    let raced = false
    store.onWrite = async (send, transaction) => {
      if (!raced) {
        raced = true
        await send({then: [{put: `${PREFIX}theirs`, value: JSON.stringify({kind: 'BGPPeer', apiVersion: 'projectcalico.org/v3', metadata: {name: 'theirs', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {peerIP: '192.0.2.1', asNumber: 1}})}]})
      }
      return send(transaction)
    }
    await addPeer(session, GLOBAL, address('192.0.2.1'), 2)
    const after = await stored()
    expect(Object.keys(after)).toEqual(['theirs'])
    expect(after.theirs?.spec.asNumber).toBe(2)
  })

  test('any address can be added, is found again, and removed', async () => {
    const any = fc.oneof(
      fc.bigInt(0n, 2n ** 32n - 1n).map((value): Address => ({family: 4, value})),
      fc.bigInt(0n, 2n ** 128n - 1n).map(ipv6Address),
    )
    await fc.assert(
      fc.asyncProperty(any, fc.constantFrom(GLOBAL, HOST), async (ip, scope) => {
        await addPeer(session, scope, ip, 7)
        const found = (await listPeers(session, scope)).filter(({address: at}) => at !== undefined && formatAddress(at) === formatAddress(ip))
        await removePeer(session, scope, ip, 'missing')
        return found.length === 1 && (await listPeers(session, scope)).length === 0
      }),
      {numRuns: 25},
    )
  })
})

describe('removing', () => {
  test('removes every object of the address and scope, and no other', async () => {
    await peer('a', {peerIP: '192.0.2.1', asNumber: 1})
    await peer('b', {peerIP: '192.0.2.1', asNumber: 2})
    await peer('c', {peerIP: '192.0.2.1', asNumber: 2, node: 'host-1'})
    await peer('d', {peerIP: '192.0.2.1:179', asNumber: 2})
    await removePeer(session, GLOBAL, address('192.0.2.1'), 'missing')
    expect(Object.keys(await stored())).toEqual(['c', 'd'])
  })

  test.each<[string, BGPPeerSpec | undefined, string | undefined]>([
    ['nothing', undefined, undefined],
    ['a peer of a node', {peerIP: '192.0.2.1', asNumber: 1, node: 'host-2'}, '--node host-2'],
    ['one on a port', {peerIP: '192.0.2.1:1179', asNumber: 1}, 'bgppeer/other'],
  ])('where there is %s: not found, and where it is', async (_, spec, hint) => {
    if (spec) await peer('other', spec)
    const error = await failure(removePeer(session, GLOBAL, address('192.0.2.1'), 'nobody there'))
    expect({kind: error.kind, message: error.message}).toEqual({kind: 'not-found', message: 'nobody there'})
    if (hint === undefined) expect(error.hint).toBe('To see the peers: calicoctl bgp peer show')
    else expect(error.hint).toContain(hint)
    expect(Object.keys(await stored())).toHaveLength(spec ? 1 : 0)
  })

  test('a dry run removes nothing', async () => {
    await addPeer(session, GLOBAL, address('192.0.2.1'), 1)
    const [change] = await removePeer(newSession(store, {dryRun: true, warn: () => undefined}), GLOBAL, address('192.0.2.1'), 'missing')
    expect(change?.action).toBe('deleted')
    expect(Object.keys(await stored())).toEqual(['192-0-2-1'])
  })
})

test('the list is in numeric order, with peers that selectors choose last, each in its scope only', async () => {
  await peer('z', {peerIP: '9.0.0.1', asNumber: 1})
  await peer('y', {peerIP: '10.0.0.1', asNumber: 1})
  await peer('x', {peerIP: 'fd00::2', asNumber: 1})
  await peer('w', {peerIP: '10.0.0.1:179', asNumber: 1})
  await peer('v', {nodeSelector: 'all()', peerSelector: 'has(rr)'})
  await peer('u', {peerIP: '9.0.0.2', asNumber: 1, node: 'host-1'})
  await peer('t', {peerIP: '9.0.0.2', asNumber: 1, node: 'host-10'})
  expect(summary(await listPeers(session, GLOBAL))).toEqual(['z', 'w (not plain)', 'y', 'x', 'v (not plain)'])
  expect(summary(await listPeers(session, HOST))).toEqual(['u'])
})
