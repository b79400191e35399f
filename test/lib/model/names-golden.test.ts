import {readFileSync} from 'node:fs'
import {describe, expect, test} from '@jest/globals'
import {affinityKey, blockKey, handleKey, IPAM_CONFIG_KEY, kindPrefix, parseKey, resourceKey, type StoredKind} from '../../../src/lib/model/keys.js'
import {
  matchesIds,
  parseWorkloadEndpointName,
  workloadEndpointName,
  workloadEndpointNamePrefix,
  type WorkloadEndpointIds,
} from '../../../src/lib/model/workload-endpoint-name.js'
import {network} from '../net/parsed.js'

interface Ids {
  Node: string
  Orchestrator?: string
  Workload?: string
  Pod?: string
  ContainerID?: string
  Endpoint?: string
}

interface Line {
  t: 'calc' | 'parse' | 'match' | 'key' | 'block' | 'affinity' | 'handle' | 'ipamconfig' | 'frompath'
  ids: Ids
  name: string
  prefix?: boolean
  error?: string
  parsed?: {node: string; orchestrator?: string; workload?: string; pod?: string; containerID?: string; endpoint?: string}
  parts4?: string[] | null
  felixKey?: {hostname: string; orchestrator: string; workload: string; endpoint: string}
  matches?: boolean
  path: string
  listPath: string
  kind: StoredKind
  namespace?: string
  cidr: string
  affType: 'host' | 'virtual'
  host: string
  key?: string | null
}

const lines = readFileSync(new URL('../../fixtures/golden/names.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Line)

const idsOf = (ids: Ids): WorkloadEndpointIds => ({
  node: ids.Node,
  orchestrator: ids.Orchestrator,
  workload: ids.Workload,
  pod: ids.Pod,
  containerID: ids.ContainerID,
  endpoint: ids.Endpoint,
})

/** What a line says, checked; one function per type of line. */
const CHECKS: Record<Line['t'], (line: Line) => void> = {
  calc({ids, name, error, prefix, parsed}) {
    const make = (): string => (prefix ? workloadEndpointNamePrefix : workloadEndpointName)(idsOf(ids))
    if (error !== undefined) {
      const field = /field (\w+)/.exec(error)?.[1] ?? ''
      expect(make).toThrow(field)
    } else if (!prefix && name.length > 253) {
      // libcalico-go makes the name and refuses it later, on create; ours refuses it here.
      expect(make).toThrow('253')
    } else {
      expect(make()).toBe(name)
    }
    if (!parsed || name.length === 0) return
    expect(parseWorkloadEndpointName(name)).toMatchObject({node: parsed.node, orchestrator: parsed.orchestrator, endpoint: parsed.endpoint})
    if (parsed.workload !== undefined) expect(parseWorkloadEndpointName(name)?.workload).toBe(parsed.workload)
  },
  parse({name, parts4, felixKey, parsed}) {
    const segments = parseWorkloadEndpointName(name)
    expect(segments === undefined ? null : Object.values(segments)).toEqual(parts4)
    if (!segments) return
    const {node, orchestrator, workload, endpoint} = segments
    expect({hostname: node, orchestrator, workload: `default/${workload}`, endpoint}).toEqual(felixKey)
    // The third segment of `libnetwork` overwrites the orchestrator in libcalico-go, which is a fault (datamodel-v3 §1.6).
    if (orchestrator !== 'libnetwork') expect({node, orchestrator, workload: parsed?.workload ?? parsed?.pod ?? parsed?.containerID, endpoint}).toEqual(segments)
  },
  match({name, ids, matches}) {
    expect(matchesIds(name, idsOf(ids))).toBe(matches)
  },
  key({kind, name, namespace, path, listPath}) {
    expect(resourceKey(kind, name, namespace ?? '')).toBe(path)
    expect(kindPrefix(kind, namespace)).toBe(`${listPath}/`)
    const readable = name !== '' && !name.includes('/') && namespace !== ''
    const back = namespace === undefined ? {type: 'resource', kind, name} : {type: 'resource', kind, name, namespace}
    expect(parseKey(path)).toEqual(readable && !path.includes('//') ? back : undefined)
  },
  block({cidr, path}) {
    expect(blockKey(network(cidr))).toBe(path)
    expect(blockKey(network((parseKey(path) as {cidr: string}).cidr))).toBe(path)
    expect(parseKey(path)).toMatchObject({type: 'block'})
  },
  affinity({cidr, host, affType, path}) {
    expect(affinityKey(host, network(cidr), affType)).toBe(path)
    expect(parseKey(path)).toEqual({type: 'affinity', affinityType: affType, host, cidr})
  },
  handle({name, path, error}) {
    if (error !== undefined) {
      expect(() => handleKey(name)).toThrow(RangeError)
      return
    }
    expect(handleKey(name)).toBe(path)
    expect(parseKey(path)).toEqual({type: 'handle', id: name})
  },
  ipamconfig({path}) {
    expect(IPAM_CONFIG_KEY).toBe(path)
  },
  frompath({path, key}) {
    const parsed = parseKey(path)
    // Keys of v1 are no keys of ours, even where libcalico-go knows them (datamodel-v3 §0.1).
    if (key === null || path.startsWith('/calico/v1/')) expect(parsed).toBeUndefined()
    else if (parsed?.type === 'handle') expect(`IPAMHandleKey(id=${parsed.id})`).toBe(key)
    else expect(parsed?.type === 'block' ? `BlockKey(cidr=${parsed.cidr})` : parsed).toBe(key)
  },
}

describe('what libcalico-go makes of names and keys', () => {
  test('the recording is there', () => {
    expect(lines.length).toBeGreaterThan(110)
    expect(new Set(lines.map((line) => line.t))).toEqual(new Set(Object.keys(CHECKS)))
  })

  test.each(lines.map((line, i) => [`${i + 1}: ${line.t}`, line] as const))('line %s', (_, line) => {
    expect.hasAssertions()
    CHECKS[line.t](line)
  })
})
