import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {formatAddress} from '../../../src/lib/net/index.js'
import {isEmpty} from '../../../src/lib/policy/flow-set/flow-set.js'
import {flowsBetween, textsBetween} from '../../../src/lib/policy/groups.js'
import {loadWorld} from '../../../src/lib/policy/load.js'
import {type MatrixGroup, policyMatrix} from '../../../src/lib/policy/matrix.js'
import {findParty} from '../../../src/lib/policy/probe.js'
import {workloadOf} from '../../../src/lib/policy/between.js'
import {allow, ANY, node, policy, profile, workload} from './decided.js'
import {entries} from './random-world.js'

describe('policyMatrix on random stores', () => {
  test('has for each pair of groups what flowsBetween says, and no cell where that is nothing', () => {
    let cells = 0
    fc.assert(
      fc.property(entries, (store) => {
        const world = loadWorld(store)
        const matrix = policyMatrix(world)
        const found = new Map(matrix.cells.map((cell) => [`${cell.from.id} ${cell.to.id}`, cell]))
        cells += found.size
        for (const from of matrix.groups) {
          for (const to of matrix.groups) {
            if (from.type === 'outside' && to.type === 'outside') continue
            const wanted = from.unknown !== undefined || to.unknown !== undefined ? undefined : flowsBetween(world, elsewhere(from, to), elsewhere(to, from))
            const cell = found.get(`${from.id} ${to.id}`)
            if (wanted === undefined || isEmpty(wanted.flows)) expect(cell).toBeUndefined()
            else expect(cell).toMatchObject({flows: textsBetween(wanted.flows, from, to), by: wanted.by})
          }
        }
      }),
      {numRuns: 25},
    )
    expect(cells).toBeGreaterThan(100)
  })

  test('each endpoint of a group passes what the group does', () => {
    fc.assert(
      fc.property(entries, (store) => {
        const world = loadWorld(store)
        const {groups, cells} = policyMatrix(world)
        for (const {from, to, flows} of cells) {
          for (const sender of from.workloads) {
            for (const receiver of to.workloads) {
              if (sender === receiver) continue
              const [a, b] = [{...from, party: workloadOf(sender)}, {...to, party: workloadOf(receiver)}]
              expect(textsBetween(flowsBetween(world, a, b).flows, a, b)).toEqual(flows)
            }
          }
        }
        expect(groups.reduce((sum, {workloads}) => sum + workloads.length, 0)).toBe(world.workloads.size)
      }),
      {numRuns: 10},
    )
  })

  test('of one protocol it has the flows of that protocol, and who allows them', () => {
    fc.assert(
      fc.property(entries, (store) => {
        const world = loadWorld(store)
        const all = policyMatrix(world)
        const tcp = policyMatrix(world, {protocol: 6})
        const isAll = (text: string): boolean => text.startsWith('all')
        const texts = (flows: readonly string[]): string[] => flows.filter((text) => text.startsWith('tcp'))
        for (const cell of tcp.cells) {
          const whole = all.cells.find(({from, to}) => from.id === cell.from.id && to.id === cell.to.id)
          if (whole && !whole.flows.some(isAll)) expect(cell.flows).toEqual(texts(whole.flows))
          for (const by of cell.by) expect(whole?.by).toContainEqual(by)
        }
        expect(tcp.cells.length).toBe(all.cells.filter(({flows}) => flows.some(isAll) || texts(flows).length > 0).length)
      }),
      {numRuns: 10},
    )
  })
})

/** The group as `policyMatrix` asks for it beside a host: by an endpoint on another node, if there is one. */
function elsewhere(group: MatrixGroup, other: MatrixGroup): MatrixGroup {
  const away = other.type === 'host' ? group.workloads.find(({node}) => node !== other.node) : undefined
  return group === other || away === undefined ? group : {...group, party: workloadOf(away)}
}

const P = '/calico/resources/v3/projectcalico.org/'
const object = (path: string, kind: string, name: string, spec: object, metadata: object = {}): {key: string; value: object} => ({key: `${P}${path}/${name}`, value: {apiVersion: 'projectcalico.org/v3', kind, metadata: {name, ...metadata}, spec}})
const withProfiles = (name: string, node: string, ip: string, profiles: readonly string[]): {key: string; value: object} =>
  object('workloadendpoints/default', 'WorkloadEndpoint', `${node}-docker-${name}-eth0`, {node, orchestrator: 'docker', workload: name, endpoint: 'eth0', interfaceName: `cali${name}`, ipNetworks: [`${ip}/32`], profiles}, {namespace: 'default'})

describe('policyMatrix', () => {
  const egress = [{action: 'Allow', source: {}, destination: {}}]
  const world = loadWorld([
    ...['h1', 'h2'].map((name, index) => object('nodes', 'Node', name, {bgp: {ipv4Address: `10.98.0.${index + 1}/24`}, interfaces: [{name: 'eth0', addresses: [`10.98.0.${index + 1}`]}]})),
    object('hostendpoints', 'HostEndpoint', 'e1', {node: 'h1', interfaceName: 'eth0', expectedIPs: ['10.98.0.1']}),
    object('profiles', 'Profile', 'web', {ingress: [{action: 'Allow', protocol: 'TCP', source: {nets: ['172.30.1.0/24']}, destination: {ports: [80]}}], egress, labelsToApply: {web: ''}}),
    object('profiles', 'Profile', 'db', {ingress: [{action: 'Allow', protocol: 'TCP', source: {selector: 'has(web)'}, destination: {ports: [5432]}}, {action: 'Allow', protocol: 'UDP', source: {}, destination: {ports: [53]}}], labelsToApply: {db: ''}}),
    withProfiles('w1', 'h1', '10.65.1.1', ['web']),
    withProfiles('w2', 'h2', '10.65.1.2', ['web']),
    withProfiles('d1', 'h2', '10.65.1.3', ['db']),
    withProfiles('t1', 'h1', '10.65.9.9', ['twin']),
    withProfiles('t2', 'h2', '10.65.9.9', ['twin']),
  ])
  const rows = (options: Parameters<typeof policyMatrix>[1]): string[] => policyMatrix(world, options).cells.map(({from, to, flows}) => `${from.name} -> ${to.name}: ${flows.join(' ')}`)

  test('has groups of endpoints, policed hosts, networks of rules and the outside', () => {
    expect(policyMatrix(world).groups.map(({id, name, workloads, unknown}) => [id, name, workloads.length, unknown !== undefined])).toEqual([
      ['g1', 'db', 1, false],
      ['g2', 'twin', 2, true],
      ['g3', 'web', 2, false],
      ['g4', 'host:h1', 0, false],
      ['g5', 'outside', 0, false],
      ['g6', '172.30.1.0/24', 0, false],
    ])
    expect(rows({to: findParty(world, 'db')})).toEqual(['web -> db: tcp/5432 udp/53', 'host:h1 -> db: udp/53', 'outside -> db: udp/53', '172.30.1.0/24 -> db: udp/53'])
  })

  test.each<[string, string | undefined, string | undefined, number | undefined, string[]]>([
    ['an endpoint', 'h1-docker-w1-eth0', 'db', undefined, ['web -> db: tcp/5432 udp/53']],
    ['a protocol', 'web', 'db', 17, ['web -> db: udp/53']],
    ['an address of a network', '172.30.1.9', 'web', undefined, ['172.30.1.0/24 -> web: tcp/80']],
    ['an address elsewhere', '9.9.9.9', 'web', undefined, []],
    ['a host without a host endpoint', 'host:h2', 'db', undefined, ['host:h2 -> db: all']],
    ['nothing among each other', 'web', 'web', undefined, []],
  ])('is narrowed to %s', (_, from, to, protocol, expected) => {
    expect(rows({...(from === undefined ? {} : {from: findParty(world, from)}), ...(to === undefined ? {} : {to: findParty(world, to)}), ...(protocol === undefined ? {} : {protocol})})).toEqual(expected)
  })
})

test('networks within networks are groups of their own, with what the rules of all of them let through', () => {
  const from = (net: string, port: number): object => allow({protocol: 'TCP', source: {nets: [net]}, destination: {ports: [port]}})
  const many = Array.from({length: 300}, (_, index) => `21.0.${index >> 8}.${index & 255}/32`)
  const world = loadWorld([node('h1', '192.0.2.1'), workload('a', 'h1', '20.1.2.9'), policy('p', {ingress: [from('20.0.0.0/8', 1), from('20.1.0.0/16', 2), from('20.1.2.0/24', 3), ...many.map((net) => from(net, 4))]})])
  const into = policyMatrix(world).cells.filter(({to}) => to.type === 'workloads').map(({from: {name}, flows}) => [name, flows.join()] as const)
  expect(new Map(into)).toEqual(new Map([['20.0.0.0/8', 'tcp/1'], ['20.1.0.0/16', 'tcp/1:2'], ['20.1.2.0/24', 'tcp/1:3'], ...many.map((net) => [net, 'tcp/4'] as const)]))
  expect(into).toHaveLength(303)
})

describe('networks of which some addresses belong to no one', () => {
  const rows = (nets: readonly string[], addresses: readonly string[]): {rows: string[]; unknown: string[]} => {
    const rule = allow({protocol: 'TCP', source: {nets}, destination: {ports: [443]}})
    const world = loadWorld([node('h1', '192.0.2.1'), workload('a', 'h1', addresses, {spec: {profiles: ['web']}}), profile('web', {ingress: [rule], egress: ANY}), profile('unused', {ingress: nets.map((net) => allow({source: {nets: [net]}}))})])
    const {groups, cells} = policyMatrix(world)
    return {rows: cells.map(({from, to, flows}) => `${from.name} -> ${to.name}: ${flows.join(' ')}`), unknown: groups.flatMap(({name, unknown}) => (unknown === undefined ? [] : [name]))}
  }
  test.each<[string[], string, string[]]>([
    [['0.0.0.0/0'], '10.0.0.1', ['web -> 0.0.0.0/0: all', '0.0.0.0/0 -> web: tcp/443']],
    [['0.0.0.0/0', '10.0.0.0/8'], '10.0.0.1', ['web -> 0.0.0.0/0: all', 'web -> 10.0.0.0/8: all', '0.0.0.0/0 -> web: tcp/443', '10.0.0.0/8 -> web: tcp/443']],
    [['0.0.0.0/1'], '10.0.0.1', ['web -> outside: all', 'web -> 0.0.0.0/1: all', '0.0.0.0/1 -> web: tcp/443']],
    [['0.0.0.0/1', '128.0.0.0/1'], '10.0.0.1', ['web -> 0.0.0.0/1: all', 'web -> 128.0.0.0/1: all', '0.0.0.0/1 -> web: tcp/443', '128.0.0.0/1 -> web: tcp/443']],
    [['0.0.0.0/7'], '10.0.0.1', ['web -> outside: all', 'web -> 0.0.0.0/7: all', '0.0.0.0/7 -> web: tcp/443']],
    [['192.0.0.0/2'], '10.0.0.1', ['web -> outside: all', 'web -> 192.0.0.0/2: all', '192.0.0.0/2 -> web: tcp/443']],
    [['::/0'], 'fd00::9', ['web -> ::/0: all', '::/0 -> web: tcp/443']],
    [['::/1'], 'fd00::9', ['web -> outside: all', 'web -> ::/1: all', '::/1 -> web: tcp/443']],
    [['0.0.0.0/5', '8.0.0.0/7', '10.0.0.0/15', '11.0.0.0/8', '12.0.0.0/6', '16.0.0.0/4', '32.0.0.0/3', '64.0.0.0/2', '128.0.0.0/1'], '10.0.0.1', ['0.0.0.0/5', '8.0.0.0/7', '10.0.0.0/15', '11.0.0.0/8', '12.0.0.0/6', '16.0.0.0/4', '32.0.0.0/3', '64.0.0.0/2', '128.0.0.0/1'].map((net) => `${net} -> web: tcp/443`).concat('web -> outside: all')],
    [['f000::/4'], 'fd00::9', ['web -> outside: all', 'web -> f000::/4: all', 'f000::/4 -> web: tcp/443']],
  ])('%s are judged by those of one sender or receiver', (nets, address, expected) => expect(rows(nets, [address])).toEqual({rows: expect.arrayContaining(expected) as unknown as string[], unknown: []}))

  test('the address that stands for a network is none of loopback, multicast or reserved ones', () => {
    const at = (net: string): string => {
      const world = loadWorld([policy('p', {ingress: [allow({source: {nets: [net]}})]})])
      const party = policyMatrix(world).groups.find(({name}) => name === net)?.party
      return [4, 6].flatMap((family) => party?.(family as 4 | 6)?.address ?? []).map(formatAddress).join()
    }
    expect(['0.0.0.0/0', '0.0.0.0/1', '112.0.0.0/4', '192.0.0.0/2', '::/0', 'f000::/4', '203.0.113.0/24', '127.0.0.0/8'].map(at)).toEqual(['1.0.0.0', '1.0.0.0', '112.0.0.0', '192.0.0.0', '2000::', 'fc00::', '203.0.113.0', '127.0.0.0'])
  })

  test('one without any is reported, and the others stay', () => {
    expect(rows(['224.0.0.0/4', '203.0.113.0/24'], ['10.0.0.1'])).toEqual({rows: ['web -> outside: all', 'web -> 203.0.113.0/24: all', '203.0.113.0/24 -> web: tcp/443'], unknown: ['224.0.0.0/4']})
  })
})
