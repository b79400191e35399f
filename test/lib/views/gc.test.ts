/** The tables of `endpoint gc` and `mesos gc` with rows: on a terminal of 80 columns they fit, and what is left out is named. */
import {describe, expect, test} from '@jest/globals'
import type {Presentation} from '../../../src/lib/cli/output/presentation.js'
import {render} from '../../../src/lib/cli/output/render.js'
import type {Endpoint} from '../../../src/lib/client/endpoints.js'
import {presentGone} from '../../../src/lib/views/mesos-gc.js'
import {presentStale} from '../../../src/lib/views/stale.js'

const HEX = 'c0ffee'.repeat(11).slice(0, 64)
const UUID = '0dcf1c1e-8d3b-4c7a-9d5e-2f4a6b8c0d1e'

function endpoint(orchestrator: string, workload: string, name?: string): Endpoint {
  const metadata = {name: 'x', creationTimestamp: '2026-01-01T00:00:00Z', ...(name !== undefined && {annotations: {'calicoctl/container': name}})}
  const spec = {ipNetworks: ['192.168.100.101/32', 'fd80:24e2:f998:72d6:aaaa:bbbb:cccc:1/128'], interfaceName: 'cali0123456789a'}
  return {host: 'rack1-host1.dc1.example.com', orchestrator, workload, id: 'beef'.repeat(8), stored: {resource: {metadata, spec}}} as unknown as Endpoint
}

async function shown<Row>(presentation: Presentation<Row>, width: number | undefined): Promise<{lines: string[]; leftOut: string}> {
  let text = ''
  let leftOut = ''
  for await (const piece of render(presentation, 'table', {width, warn: () => undefined, leftOut: (lines) => void (leftOut = lines.join(' '))})) text += piece
  return {lines: text.split('\n').slice(0, -1), leftOut}
}
const blank = (lines: readonly string[]): string[] => lines.filter((line, at) => line.startsWith('|') && lines[at - 1]?.startsWith('+') && line.split('|').slice(1, -1).some((cell) => cell.trim() === ''))

const STALE = presentStale([
  {endpoint: endpoint('docker', HEX, 'shop-frontend-1'), reason: 'the container does not exist, but its interface cali0123456789a is still there', removable: false},
  {endpoint: endpoint('docker', HEX), reason: 'the container is stopped; run container add again when it is running', removable: false},
  {endpoint: endpoint('namespace', '_run_netns_a-rather-long-name-of-a-network-namespace'), reason: 'there is no network namespace /run/netns/a-rather-long-name-of-a-network-namespace', removable: true},
])
const GONE = presentGone([{endpoint: endpoint('mesos', UUID), reason: 'its interface cali0123456789a leads to a network namespace without processes'}], Date.parse('2026-01-04T04:00:00Z'))

describe.each([['endpoint gc', (width?: number) => shown(STALE, width)], ['mesos gc', (width?: number) => shown(GONE, width)]] as const)('%s', (_, on) => {
  test.each([80, 120, 0])('a terminal of %i columns (0 = unknown, so 80): no line is wider, no cell is blank', async (width) => {
    const {lines} = await on(width)
    expect(lines.length).toBeGreaterThan(4)
    expect(lines.filter(({length}) => length > (width || 80))).toEqual([])
    expect(blank(lines)).toEqual([])
  })

  test('a pipe: whole, on one line each', async () => {
    const {lines} = await on()
    expect(lines.some(({length}) => length > 120)).toBe(true)
  })
})

test('endpoint gc at 80 columns: the name of the container, addresses and reason stay; what is left out is said', async () => {
  const {lines, leftOut} = await shown(STALE, 80)
  const text = lines.join('\n')
  expect(text).toMatch(/^\| Container +\|/m)
  expect(text).toContain('shop-frontend-1')
  expect(text).toContain('192.168.100.101')
  expect(leftOut).toContain('For all columns, use -o wide.')
})

test('mesos gc at 80 columns: the container by the beginning of its UUID, whole in a pipe', async () => {
  expect((await shown(GONE, 80)).lines.join('\n')).toMatch(/\| 0dcf1c1e +\|/)
  expect((await shown(GONE, undefined)).lines.join('\n')).toContain(UUID)
})
