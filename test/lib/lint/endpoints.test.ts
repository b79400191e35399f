/** Endpoints that Felix refuses although it can read them: found as errors; and what it takes has no such finding. */
import {describe, expect, test} from '@jest/globals'
import {countErrors} from '../../../src/lib/lint/seen.js'
import {exampleStore, lintOf, RESOURCES, stored} from './store.js'

const WEP = 'workloadendpoints/default/h1-docker-a-eth0'
const BASE = {
  'nodes/h1': {spec: {}},
  'profiles/web': {spec: {ingress: [{action: 'Allow', source: {}, destination: {}}], egress: [], labelsToApply: {web: ''}}},
}
const endpoint = (spec: object): object => ({spec: {node: 'h1', orchestrator: 'docker', workload: 'a', endpoint: 'eth0', mac: 'ee:ee:ee:00:00:01', ipNetworks: ['10.65.0.1/32'], interfaceName: 'calia', profiles: ['web'], ...spec}})
const host = (spec: object): object => ({spec: {node: 'h1', interfaceName: 'eth0', expectedIPs: ['192.0.2.1'], profiles: ['projectcalico-default-allow'], ...spec}})
const refused = (more: Parameters<typeof exampleStore>[0]): string[] => lintOf(exampleStore({...BASE, ...more})).flatMap(({code, field, level}) => (code === 'refused' ? [`${level} ${field}`] : []))

describe('workload endpoints', () => {
  test.each<[string, object]>([
    ['spec.mac', {mac: 'xx'}],
    ['spec.ipv4Gateway', {ipv4Gateway: 'nonsense'}],
    ['spec.ipv6Gateway', {ipv6Gateway: 'nonsense'}],
    ['spec.allowSpoofedSourcePrefixes[1]', {allowSpoofedSourcePrefixes: ['10.66.0.0/24', 'nonsense']}],
    ['spec.allowSpoofedSourcePrefixes', {allowSpoofedSourcePrefixes: ['10.66.0.0/24']}],
    ['spec.ports[0].protocol', {ports: [{name: 'http', protocol: 6, port: 80}]}],
    ['spec.ports[0].name', {ports: [{name: 'ht tp', protocol: 'TCP', port: 80}]}],
    ['spec.ports[0].port', {ports: [{name: 'http', protocol: 'TCP', port: 0}]}],
  ])('%s', (field, spec) => expect(refused({[WEP]: endpoint(spec)})).toEqual([`error ${field}`]))

  test.each<[string, object, object]>([
    ['sources of others where the settings of all nodes allow it', {allowSpoofedSourcePrefixes: ['10.66.0.0/24']}, {'felixconfigurations/default': {spec: {workloadSourceSpoofing: 'Any'}}}],
    ['sources of others where those of its node do', {allowSpoofedSourcePrefixes: ['10.66.0.0/24']}, {'felixconfigurations/node.h1': {spec: {workloadSourceSpoofing: 'Any'}}}],
    ['a gateway with a prefix length', {ipv4Gateway: '10.65.0.0/24'}, {}],
    ['a port without a name', {ports: [{name: '', protocol: 'TCP', port: 0}]}, {}],
  ])('%s', (_, spec, more) => expect(refused({[WEP]: endpoint(spec), ...more})).toEqual([]))

  test('what has not read the settings counts no error that depends on them', () => {
    const seen = (spec: object): number => countErrors(new Map([[RESOURCES + WEP, stored(WEP, endpoint(spec))]]))
    expect(seen({allowSpoofedSourcePrefixes: ['10.66.0.0/24']})).toBe(0)
    expect(seen({allowSpoofedSourcePrefixes: ['nonsense']})).toBe(1)
  })

  test('what has read them counts by those of the node, also where its labels choose them', () => {
    const settings = {'felixconfigurations/default': {spec: {}}, 'felixconfigurations/loose': {spec: {nodeSelector: 'has(loose)', workloadSourceSpoofing: 'Any'}}}
    const errors = (labels: object): number => {
      const objects = {[WEP]: endpoint({allowSpoofedSourcePrefixes: ['10.66.0.0/24']}), 'nodes/h1': {metadata: {labels}, spec: {}}, ...settings}
      return countErrors(new Map(Object.entries(objects).map(([key, object]) => [RESOURCES + key, stored(key, object)])))
    }
    expect([errors({}), errors({loose: ''})]).toEqual([1, 0])
  })
})

describe('host endpoints', () => {
  test.each<[string, object]>([
    ['spec.interfaceName', {interfaceName: 'a-very-long-name'}],
    ['spec.profiles[0]', {profiles: ['a b']}],
    ['spec.ports[0].name', {ports: [{name: '', protocol: 'TCP', port: 80}]}],
    ['spec.ports[0].protocol', {ports: [{name: 'http', protocol: 17, port: 80}]}],
  ])('%s', (field, spec) => expect(refused({'hostendpoints/e': host(spec)})).toEqual([`error ${field}`]))

  test('others are taken', () => expect(refused({'hostendpoints/e': host({ports: [{name: 'http', protocol: 'TCP', port: 80}]}), 'hostendpoints/all': host({interfaceName: '*'})})).toEqual([]))
})
