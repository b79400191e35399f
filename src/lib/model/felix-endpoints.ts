/**
 * What makes Felix take an endpoint that it could decode for absent: what the update processors of Calico v3.32.1 (workloadendpointprocessor.go) and the
 * validation behind them (felix/calc/validation_filter.go, the v1 model's tags) refuse. Works on specs as they are stored.
 */
import {shownJson} from '../json/index.js'
import {parseCidrOrAddress} from '../net/index.js'
import type {Problem} from './resource.js'
import {asRecord, ownField} from './schema/codec.js'
import {macAddress} from './schema/rules.js'

type Spec = Readonly<Record<string, unknown>>

const WITH_PORTS = ['tcp', 'udp', 'sctp']
const NAME = /^[a-zA-Z0-9_.-]{1,128}$/
const HOST_INTERFACE = /^(?:\*|[a-zA-Z0-9_.-]{1,15})$/

/** Why Felix does not take the workload endpoint with SPEC; none = it does, as far as the endpoint alone can say: see {@link borrowsAddresses}. */
export function workloadEndpointRefusals(spec: Spec): Problem[] {
  const {interfaceName, mac} = spec
  const nets = listOf(spec, 'ipNetworks')
  return [
    ...(typeof interfaceName === 'string' && interfaceName !== '' ? [] : [{field: 'spec.interfaceName', message: 'must be set'}]),
    ...(nets.length > 0 ? addressProblems(nets, 'spec.ipNetworks', 'an address') : [{field: 'spec.ipNetworks', message: 'must have an address'}]),
    ...['ipv4Gateway', 'ipv6Gateway'].flatMap((name) => (isText(spec[name]) && !isCidr(spec[name]) ? [{field: `spec.${name}`, message: `must be an address, not ${shownJson(spec[name])}`}] : [])),
    ...(isText(mac) ? [macAddress(mac)] : []).flatMap((message) => (message === undefined ? [] : [{field: 'spec.mac', message}])),
    ...addressProblems(listOf(spec, 'allowSpoofedSourcePrefixes'), 'spec.allowSpoofedSourcePrefixes', 'a CIDR'),
    // Ports without a name are for other programs: they are not examined.
    ...portProblems(spec, (name) => name !== ''),
  ]
}

/** Whether the workload endpoint with SPEC wants to send from addresses of others: Felix refuses it unless its setting `workloadSourceSpoofing` is `Any`. */
export const borrowsAddresses = (spec: Spec): boolean => listOf(spec, 'allowSpoofedSourcePrefixes').length > 0

/** Whether VALUE of Felix's setting `workloadSourceSpoofing` lets endpoints do so. */
export const letsBorrow = (value: unknown): boolean => typeof value === 'string' && value.toLowerCase() === 'any'

/** Why Felix does not take the host endpoint with SPEC. */
export function hostEndpointRefusals(spec: Spec): Problem[] {
  const {interfaceName} = spec
  return [
    ...(isText(interfaceName) && !HOST_INTERFACE.test(interfaceName) ? [{field: 'spec.interfaceName', message: `must be "*" or an interface name of at most 15 characters, not ${JSON.stringify(interfaceName)}`}] : []),
    ...listOf(spec, 'profiles').flatMap((name, index) => (NAME.test(String(name)) ? [] : [{field: `spec.profiles[${index}]`, message: `must be the name of a profile, not ${shownJson(name)}`}])),
    ...portProblems(spec, () => true),
  ]
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isCidr = (value: unknown): boolean => typeof value === 'string' && parseCidrOrAddress(value) !== undefined

function listOf(spec: Spec, name: string): readonly unknown[] {
  const list = ownField(spec, name)
  return Array.isArray(list) ? (list as unknown[]) : []
}

const addressProblems = (list: readonly unknown[], field: string, what: string): Problem[] =>
  list.flatMap((text, index) => (isCidr(text) ? [] : [{field: `${field}[${index}]`, message: `must be ${what}, not ${shownJson(text)}`}]))

/** Felix compares the protocol by its name: a number is none of them. */
function portProblems(spec: Spec, isRead: (name: string) => boolean): Problem[] {
  return listOf(spec, 'ports').flatMap((item, index): Problem[] => {
    const {name, protocol, port} = asRecord(item) ?? {}
    const text = typeof name === 'string' ? name : ''
    if (!isRead(text)) return []
    const field = `spec.ports[${index}]`
    return [
      ...(NAME.test(text) ? [] : [{field: `${field}.name`, message: `must be 1 to 128 letters, digits, "_", "." and "-", not ${JSON.stringify(text)}`}]),
      ...(typeof protocol === 'string' && WITH_PORTS.includes(protocol.toLowerCase()) ? [] : [{field: `${field}.protocol`, message: `must be TCP, UDP or SCTP by name, not ${shownJson(protocol)}`}]),
      ...(typeof port === 'number' && port > 0 ? [] : [{field: `${field}.port`, message: 'must be 1 to 65535'}]),
    ]
  })
}
