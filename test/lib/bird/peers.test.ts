/** Every transcript of golden/bird: what calico/node's own BIRD said, and what an operator must see of it. */
import {readdirSync, readFileSync} from 'node:fs'
import {resolve} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {bgpPeers, type BgpPeer, decodePeer} from '../../../src/lib/bird/peers.js'
import {readProtocols} from '../../../src/lib/bird/protocols.js'
import {readReply} from '../../../src/lib/bird/reply.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {cpuMs} from '../../support/cpu-time.js'
import {ANY_CHARACTER} from '../../support/any-character.js'

const GOLDEN = resolve(import.meta.dirname, '../../fixtures/golden/bird')
const golden = (name: string): string => readFileSync(resolve(GOLDEN, name), 'utf8')
const familyOf = (name: string): 4 | 6 => (name.includes('.v6.') ? 6 : 4)
const peersIn = (name: string): BgpPeer[] => bgpPeers(readProtocols(readReply(golden(name))), familyOf(name))

/** address, type, state, since, BGP state, last error, health; `:N` after the address is a port. */
type Row = readonly [string, BgpPeer['type'], string, string, string, string, BgpPeer['health']]
const rowOf = (peer: BgpPeer): Row => [peer.port === undefined ? peer.address : `${peer.address}:${peer.port}`, peer.type, peer.state, peer.since, peer.bgpState, peer.lastError, peer.health]

const MESH = 'node-to-node mesh'
const NODE = 'node specific'
const EXPECTED: Readonly<Record<string, readonly Row[]>> = {
  '01-no-peers.v4.txt': [],
  '02-mesh-passive.v4.txt': [['10.201.0.3', MESH, 'start', '09:37:51', 'Passive', '', 'waiting']],
  '02-mesh-passive.v6.txt': [['fd01:201::3', MESH, 'start', '09:37:51', 'Passive', '', 'waiting']],
  '03-mesh-established.v4.txt': [['10.201.0.3', MESH, 'up', '09:37:55', 'Established', '', 'established']],
  '03-mesh-established.v6.txt': [['fd01:201::3', MESH, 'up', '09:37:55', 'Established', '', 'established']],
  '04-mesh-down-disabled.v4.txt': [['10.201.0.3', MESH, 'down', '09:38:37', '', '', 'down']],
  '07-global-node-connecting-1.v4.txt': [
    ['10.201.0.3', MESH, 'up', '09:38:44', 'Established', '', 'established'],
    ['10.201.0.9', 'global', 'start', '09:39:37', 'Active', 'Socket: Connection closed', 'down'],
    ['10.201.0.77', NODE, 'start', '09:39:37', 'Active', '', 'down'],
    ['10.201.0.9:1790', NODE, 'start', '09:39:37', 'Active', '', 'down'],
  ],
  '07-global-node-connecting-1.v6.txt': [
    ['fd01:201::3', MESH, 'up', '09:38:44', 'Established', '', 'established'],
    ['fd01:201::9', 'global', 'start', '09:39:37', 'Active', 'Socket: Connection closed', 'down'],
    ['fd01:201::77', NODE, 'start', '09:39:37', 'Active', '', 'down'],
  ],
  '07-global-node-connecting-3.v4.txt': [
    ['10.201.0.3', MESH, 'up', '09:38:44', 'Established', '', 'established'],
    ['10.201.0.9', 'global', 'start', '09:39:37', 'Active', 'Socket: Connection refused', 'down'],
    ['10.201.0.77', NODE, 'start', '09:39:37', 'Connect', '', 'down'],
    ['10.201.0.9:1790', NODE, 'start', '09:39:37', 'Active', 'Socket: Connection refused', 'down'],
  ],
  '08-global-opening-3.v6.txt': [
    ['fd01:201::3', MESH, 'up', '09:38:43', 'Established', '', 'established'],
    ['fd01:201::9', 'global', 'up', '09:39:45', 'Established', '', 'established'],
    ['fd01:201::77', NODE, 'start', '09:39:36', 'Active', 'Socket: No route to host', 'down'],
  ],
  '10-global-bad-peer-as.v4.txt': [
    ['10.201.0.3', MESH, 'up', '09:38:43', 'Established', '', 'established'],
    ['10.201.0.9', 'global', 'start', '09:40:52', 'Active', 'BGP Error: Bad peer AS', 'down'],
    ['10.201.0.77', NODE, 'start', '09:39:36', 'Active', 'Socket: No route to host', 'down'],
    ['10.201.0.9:1790', NODE, 'start', '09:39:36', 'Active', 'Socket: Connection refused', 'down'],
  ],
  '14-graceful-restart.v4.txt': [['10.201.0.3', MESH, 'start', '09:46:41', 'Passive', '', 'waiting']],
  '16-h2side-peer-refused.v6.txt': [['fd01:201::1', MESH, 'start', '09:46:40', 'Active', 'Socket: Connection refused', 'down']],
  'showprotocolsall.v4.txt': [['10.201.0.3', MESH, 'up', '09:37:56', 'Established', '', 'established']],
}

describe('golden/bird', () => {
  const files = readdirSync(GOLDEN)
  const others = ['showstatus.v4.txt', 'syntaxerror.v4.txt']

  test('every transcript is here', () => {
    expect(files.filter((name) => !name.endsWith('.calicoctl.txt')).sort()).toEqual([...Object.keys(EXPECTED), ...others].sort())
  })
  test.each(Object.entries(EXPECTED))('%s', (name, rows) => {
    expect(peersIn(name).map(rowOf)).toEqual(rows)
    expect(readReply(golden(name)).version).toBe('v0.3.3+birdv1.6.8')
  })
  test('a refusal', () => {
    expect(() => readProtocols(readReply(golden('syntaxerror.v4.txt')))).toThrow('BIRD refused: syntax error')
  })
  test('the answer to another question is not a table', () => {
    expect(() => readProtocols(readReply(golden('showstatus.v4.txt')))).toThrow('has an unknown format')
    expect(readReply(golden('showstatus.v4.txt')).lines.map(({code, text}) => `${code} ${text}`)).toEqual([
      '1000 BIRD v0.3.3+birdv1.6.8', '1011 Router ID is 10.201.0.1', '1011 Current server time is 2026-11-21 09:38:37',
      '1011 Last reboot on 2026-11-21 09:37:51', '1011 Last reconfiguration on 2026-11-21 09:37:52', '13 Daemon is up and running',
    ])
  })
})

describe('what the Go calicoctl printed at that moment', () => {
  const files = readdirSync(GOLDEN).filter((name) => name.endsWith('.calicoctl.txt'))
  /** Rows of its table; a cell that went over two lines is joined. */
  const tableRows = (text: string): string[][] => {
    const rows: string[][] = []
    for (const line of text.split('\n').filter((each) => each.startsWith('|') && !each.includes('PEER ADDRESS'))) {
      const cells = line.split('|').slice(1, -1).map((cell) => cell.trim())
      const last = rows.at(-1)
      if (cells[0] === '' && last) last[4] = `${last[4] ?? ''} ${cells[4] ?? ''}`
      else rows.push(cells)
    }
    return rows
  }
  test.each(files)('%s', (name) => {
    const [, v4 = '', v6 = ''] = golden(name).split(/IPv[46] BGP status\n/)
    for (const [family, text] of [[4, v4], [6, v6]] as const) {
      const ours = peersIn(name.replace('.calicoctl.', `.v${family}.`)).map(({address, port, type, state, since, bgpState, lastError}) => [
        // The Go calicoctl takes the port for a part of the address.
        port === undefined ? address : `${address}.port.${port}`,
        type, state, since, `${bgpState} ${lastError}`.trim(),
      ])
      expect(tableRows(text)).toEqual(ours)
    }
  })
})

describe('names and times', () => {
  test.each([
    ['10_201_0_9_port_1790', 4, {address: '10.201.0.9', port: 1790}],
    ['10_201_0_9', 4, {address: '10.201.0.9', port: undefined}],
    ['fd01_201__9_port_179', 6, {address: 'fd01:201::9', port: 179}],
    ['__1', 6, {address: '::1', port: undefined}],
    ['rack1', 4, {address: 'rack1', port: undefined}],
  ] as const)('%s', (name, family, decoded) => expect(decodePeer(name, family)).toEqual(decoded))

  const reply = (...rows: string[]): string => `2002-name     proto    table    state  since       info\n1002-${rows.join('\n ')}\n0000 \n`
  const peers = (...rows: string[]): BgpPeer[] => bgpPeers(readProtocols(readReply(reply(...rows))), 4)

  test('peers in workloads, and names that are not calico-node\'s', () => {
    expect(peers('Local_Workload_10_65_0_2 BGP master start 2026-11-20 Idle BGP Error: Hold timer expired', 'uplink BGP master up 09:00:00 Established', 'Mesh_ BGP master up 1 x', 'Mesh_10_0_0_1 Static master up 1')).toEqual([
      {
        address: '10.65.0.2', port: undefined, type: 'local workload', state: 'start', since: '2026-11-20', bgpState: 'Idle', lastError: 'BGP Error: Hold timer expired',
        info: 'Idle BGP Error: Hold timer expired', health: 'down', remark: 'waits before the next attempt',
      },
    ])
  })
  test.each([
    ['09:39:37', '09:39:37'], ['2026-11-20', '2026-11-20'], ['2026-11-20 09:39:37', '2026-11-20 09:39:37'], ['2026-11-20 09:39:37.123', '2026-11-20 09:39:37.123'], ['Nov20', 'Nov20'],
  ])('since %s', (text, since) => expect(peers(`Mesh_10_0_0_1 BGP master up ${text}    Established   `)[0]).toMatchObject({since, info: 'Established'}))
  test('a disabled peer has five columns, with a date too', () => {
    expect(peers('Mesh_10_0_0_1 BGP master down 2026-11-20')[0]).toMatchObject({state: 'down', info: '', remark: 'disabled in BIRD', health: 'down'})
  })
  test('the passive side is normal, and says so', () => expect(peersIn('02-mesh-passive.v4.txt')[0]?.remark).toBe('normal on this side: it waits for the peer to connect'))
  test('a row with too few columns is not passed over', () => {
    expect(() => peers('Mesh_10_0_0_1 BGP')).toThrow('has an unknown format')
  })
  test('an answer that breaks off is no answer', () => {
    expect(() => readProtocols(readReply(golden('03-mesh-established.v4.txt').replace(/0000 \n$/, '')))).toThrow('is incomplete')
  })
})

describe('any input', () => {
  const readAll = (text: string): void => {
    try {
      for (const family of [4, 6] as const) bgpPeers(readProtocols(readReply(text)), family)
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error
    }
  }
  const texts = Object.keys(EXPECTED).map(golden)

  test('gives peers or an error of ours', () => {
    fc.assert(fc.property(fc.string({unit: ANY_CHARACTER, maxLength: 400}), readAll), {numRuns: 2000})
  })
  test('transcripts with parts cut out, doubled and replaced', () => {
    const edit = fc.record({at: fc.nat(4000), length: fc.nat(60), text: fc.oneof(fc.string({maxLength: 20}), fc.constantFrom('\n', '0000 ', '1002-', '9001 ', '0001 ', ' ', '\0', 'Mesh_', '_port_99999'))})
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.array(edit, {maxLength: 6}), (text, edits) => {
        readAll(edits.reduce((all, {at, length, text: put}) => all.slice(0, at % (all.length + 1)) + put + all.slice((at % (all.length + 1)) + length), text))
      }),
      {numRuns: 3000},
    )
  })
  test('the time to read grows with the length and no faster', () => {
    const header = '2002-name proto table state since info\n1002-'
    for (const hostile of [' '.repeat(1 << 20), 'a '.repeat(1 << 19), `a b c d 2026-11-2${'1'.repeat(1 << 20)}`, `Mesh_${'_port_1'.repeat(1 << 17)} BGP t s 1`, '\n'.repeat(1 << 20)])
      expect(cpuMs(() => readAll(`${header}${hostile}\n0000 \n`))).toBeLessThan(2_000)
  })
})
