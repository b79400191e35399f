import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {
  affinitiesPrefix,
  affinityKey,
  blockKey,
  blocksPrefix,
  BLOCKS_PREFIX,
  handleKey,
  HANDLES_PREFIX,
  isNamespaced,
  kindPrefix,
  parseKey,
  resourceKey,
} from '../../../src/lib/model/keys.js'
import {KIND_NAMES} from '../../../src/lib/model/resource.js'
import {matchesIds, parseWorkloadEndpointName, workloadEndpointName, workloadEndpointNamePrefix} from '../../../src/lib/model/workload-endpoint-name.js'
import {formatCidr, networkOf} from '../../../src/lib/net/index.js'
import {cidr} from '../net/arbitraries.js'

const segment = fc.stringMatching(/^[a-z0-9]([-.a-z0-9]{0,8}[a-z0-9])?$/)

describe('keys of resources', () => {
  test.each(KIND_NAMES)('of kind %s are read back', (kind) => {
    fc.assert(
      fc.property(segment, segment, (name, namespace) => {
        const key = resourceKey(kind, name, namespace)
        expect(parseKey(key)).toEqual(isNamespaced(kind) ? {type: 'resource', kind, name, namespace} : {type: 'resource', kind, name})
        expect(key.startsWith(kindPrefix(kind))).toBe(true)
        expect(key.startsWith(kindPrefix(kind, namespace))).toBe(true)
      }),
    )
  })

  test('a workload endpoint needs its namespace', () => {
    expect(() => resourceKey('WorkloadEndpoint', 'x')).toThrow(TypeError)
    expect(kindPrefix('WorkloadEndpoint')).toBe('/calico/resources/v3/projectcalico.org/workloadendpoints/')
  })

  test.each([
    '', '/', '/calico', '/calico/ipam/v2/', '/calico/ipam/v2/handle/', '/calico/resources/v3/projectcalico.org/', '/calico/resources/v3/projectcalico.org/profiles',
    '/calico/resources/v3/projectcalico.org/profiles/', '/calico/resources/v3/projectcalico.org/profiles/a/b', '/calico/resources/v3/projectcalico.org/__proto__/a',
    '/calico/resources/v3/projectcalico.org/constructor/a', '/calico/resources/v3/projectcalico.org/workloadendpoints/a/b/c', '/calico/resources/v3/projectcalico.org/unknown/a',
    '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0', '/calico/ipam/v2/assignment/ipv4/block/x-26', '/calico/ipam/v2/assignment/ipv6/block/10.0.0.0-26',
    '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26/x', '/calico/ipam/v2/assignment/ipv4/other/10.0.0.0-26', '/calico/ipam/v2/host/h/ipv4/block/', '/calico/ipam/v2/host//ipv4/block/10.0.0.0-26',
    '/calico/ipam/v2/other/h/ipv4/block/10.0.0.0-26',
  ])('%j is none of them', (path) => expect(parseKey(path)).toBeUndefined())
})

describe('keys of IPAM', () => {
  test('are read back', () => {
    fc.assert(
      fc.property(cidr, segment, fc.constantFrom('host' as const, 'virtual' as const), (block, host, affinityType) => {
        const text = formatCidr(networkOf(block))
        fc.pre(!text.startsWith('::ffff:'))
        expect(parseKey(blockKey(block))).toEqual({type: 'block', cidr: text})
        expect(blockKey(block).startsWith(blocksPrefix(block.family))).toBe(true)
        expect(blockKey(block).startsWith(BLOCKS_PREFIX)).toBe(true)
        const key = affinityKey(host, block, affinityType)
        expect(parseKey(key)).toEqual({type: 'affinity', affinityType, host, cidr: text})
        expect(key.startsWith(affinitiesPrefix(host, block.family, affinityType))).toBe(true)
        expect(key.startsWith(affinitiesPrefix(host, undefined, affinityType))).toBe(true)
      }),
    )
    expect(parseKey(handleKey('docker.w'))).toEqual({type: 'handle', id: 'docker.w'})
    expect(handleKey('a/b')).toBe(`${HANDLES_PREFIX}a/b`)
    expect(parseKey(handleKey('a/b'))).toBeUndefined()
  })
})

describe('names of workload endpoints', () => {
  const ids = fc.record({node: segment, orchestrator: segment, workload: segment, endpoint: segment})

  test('are taken apart into what they were made of', () => {
    fc.assert(
      fc.property(ids, (given) => {
        fc.pre(!['k8s', 'cni', 'libnetwork'].includes(given.orchestrator))
        const name = workloadEndpointName(given)
        expect(parseWorkloadEndpointName(name)).toEqual(given)
        expect(matchesIds(name, given)).toBe(true)
        expect(matchesIds(name, {...given, workload: `${given.workload}x`})).toBe(false)
        expect(name.startsWith(workloadEndpointNamePrefix({...given, endpoint: undefined}))).toBe(true)
        expect(name.startsWith(workloadEndpointNamePrefix({node: given.node}))).toBe(true)
      }),
    )
  })

  test('a prefix finds too much, matchesIds does not', () => {
    const wanted = {node: 'n', orchestrator: 'docker', workload: 'pod'}
    const other = workloadEndpointName({...wanted, workload: 'pod-1', endpoint: 'e'})
    expect(other.startsWith(workloadEndpointNamePrefix(wanted))).toBe(true)
    expect(matchesIds(other, wanted)).toBe(false)
  })
})
