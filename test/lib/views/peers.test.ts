import {describe, expect, test} from '@jest/globals'
import {leftOutNote, presentPeers} from '../../../src/lib/views/peers.js'
import type {OutputFormat} from '../../../src/lib/cli/output/presentation.js'
import {render} from '../../../src/lib/cli/output/render.js'
import {peerOf, type Peer} from '../../../src/lib/client/bgp-peers.js'
import type {BGPPeer, BGPPeerSpec} from '../../../src/lib/model/types.js'
import type {Family} from '../../../src/lib/net/index.js'

const peer = (name: string, spec: BGPPeerSpec): Peer => {
  const resource: BGPPeer = {kind: 'BGPPeer', apiVersion: 'projectcalico.org/v3', metadata: {name}, spec}
  return peerOf({resource, kv: {key: name, value: '', modRevision: 7n, createRevision: 7n, version: 1n}})
}

const PEERS = [
  peer('a', {peerIP: '9.0.0.1', asNumber: 64512}),
  peer('b', {peerIP: '10.0.0.1:179', asNumber: 1}),
  peer('c', {peerIP: 'FD00::1', asNumber: 4294967295}),
  peer('d', {nodeSelector: 'all()', peerSelector: 'has(rr)'}),
]

async function shown(peers: readonly Peer[], format: OutputFormat, {scope = 'global', families = [4, 6]}: {scope?: 'global' | 'node'; families?: readonly Family[]} = {}): Promise<string> {
  let text = ''
  for await (const piece of render(presentPeers(peers, scope, families, format), format, {warn: () => undefined})) text += piece
  return text
}

describe('the table', () => {
  test('is v0.20\'s: one per family, left-aligned, with the peers that it could have written', async () => {
    expect(await shown(PEERS, 'table')).toBe(
      [
        '+----------------------+--------+',
        '| Global IPv4 BGP Peer | AS Num |',
        '+----------------------+--------+',
        '| 9.0.0.1              | 64512  |',
        '+----------------------+--------+',
        '+----------------------+------------+',
        '| Global IPv6 BGP Peer | AS Num     |',
        '+----------------------+------------+',
        '| fd00::1              | 4294967295 |',
        '+----------------------+------------+',
        '',
      ].join('\n'),
    )
  })

  test.each<['global' | 'node', string]>([
    ['global', 'No global IPv4 BGP Peers defined.\n\nNo global IPv6 BGP Peers defined.\n\n'],
    ['node', 'No IPv4 BGP Peers defined for this node.\n\nNo IPv6 BGP Peers defined for this node.\n\n'],
  ])('without %s peers there is a line and an empty one', async (scope, expected) => {
    expect(await shown([], 'table', {scope})).toBe(expected)
  })

  test('a node\'s has its own heading', async () => {
    expect(await shown([peer('x', {node: 'h', peerIP: '9.0.0.1', asNumber: 1})], 'table', {scope: 'node', families: [4]})).toContain('| Node specific IPv4 BGP Peer | AS Num |')
  })

  test('has one family if asked', async () => {
    expect(await shown(PEERS, 'table', {families: [6]})).not.toContain('IPv4')
  })
})

test('the table tells how many it leaves out, the other formats leave out none', () => {
  expect(leftOutNote(PEERS, [4, 6], 'table')).toMatch(/^2 more peers are /)
  expect(leftOutNote(PEERS, [6], 'table')).toMatch(/^1 more peer is /)
  expect(leftOutNote(PEERS.filter(({plain}) => plain), [4, 6], 'table')).toBeUndefined()
  expect(leftOutNote(PEERS, [4, 6], 'wide')).toBeUndefined()
})

describe('the other formats', () => {
  test('name prints what remove takes', async () => {
    expect(await shown(PEERS, 'name')).toBe('9.0.0.1\nfd00::1\n')
  })

  test('wide and plain show every peer as it is', async () => {
    expect(await shown(PEERS, 'plain')).toBe(
      '9.0.0.1\t64512\tglobal\t\ta\n10.0.0.1:179\t1\tglobal\t\tb\nfd00::1\t4294967295\tglobal\t\tc\n\t\tnodes all()\thas(rr)\td\n',
    )
    expect(await shown(PEERS, 'wide')).toContain('| 10.0.0.1:179 |')
  })

  test('one family leaves out the other one\'s, not those that selectors choose', async () => {
    expect((await shown(PEERS, 'plain', {families: [6]})).split('\n').map((line) => line.split('\t').at(-1))).toEqual(['c', 'd', ''])
  })

  test('json is Go\'s list of the v3 objects, with their spelling', async () => {
    expect(JSON.parse(await shown(PEERS, 'json'))).toMatchObject({
      kind: 'BGPPeerList',
      items: [{metadata: {name: 'a', resourceVersion: '7'}}, {spec: {peerIP: '10.0.0.1:179'}}, {spec: {peerIP: 'FD00::1'}}, {spec: {peerSelector: 'has(rr)'}}],
    })
  })
})
