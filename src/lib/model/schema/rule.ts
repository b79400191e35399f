/** The fields of a rule of a profile or policy (datamodel-v3 §1.4, §2.2). */
import type {EntityRule, IcmpMatch, Rule as PolicyRule} from '../types.js'
import {always, between, type Codec, type FieldsOf, given, integer, list, oneOf, type Rule, settled, struct, text, textMap} from './codec.js'
import {network, resourceName, selector, usablePort} from './rules.js'
import {port, protocol} from './values.js'

const LEAST = Number.MIN_SAFE_INTEGER
const MOST = Number.MAX_SAFE_INTEGER

const PROTOCOL_NAMES = ['TCP', 'UDP', 'ICMP', 'ICMPv6', 'SCTP', 'UDPLite']

/** A protocol by one of Calico's names, or 1–255. */
const knownProtocol: Rule<string | number> = (value) => {
  if (typeof value === 'string') return oneOf(PROTOCOL_NAMES)(value)?.concat(' (or a number from 1 to 255)')
  return value === 0 ? 'must be 1 to 255, not 0' : undefined
}

const icmpFields: FieldsOf<IcmpMatch> = {
  type: given(integer(LEAST, MOST), between(0, 254)),
  code: given(integer(LEAST, MOST), between(0, 255)),
}
const icmp = struct(icmpFields)

const entityRule: Codec<EntityRule> = struct<EntityRule>({
  nets: list(text(), network),
  selector: text(selector),
  namespaceSelector: text(selector),
  services: given(
    struct<NonNullable<EntityRule['services']>>({name: text(resourceName), namespace: text(resourceName)}),
  ),
  ports: list(port, usablePort),
  notNets: list(text(), network),
  notSelector: text(selector),
  notPorts: list(port, usablePort),
  serviceAccounts: given(
    struct<NonNullable<EntityRule['serviceAccounts']>>({names: list(text()), selector: text(selector)}),
  ),
})

type Http = NonNullable<PolicyRule['http']>

const http = struct<Http>({
  methods: list(text()),
  paths: list(struct<NonNullable<Http['paths']>[number]>({exact: text(), prefix: text()})),
})

const ipVersion: Rule<number> = (value) => (value === 4 || value === 6 ? undefined : `must be 4 or 6, not ${value}`)

/** Always written: `action`, `source` and `destination`. */
const rule: Codec<PolicyRule> = struct<PolicyRule>({
  action: always(text()) as Codec<string> as Codec<PolicyRule['action']>,
  ipVersion: given(integer(LEAST, MOST), ipVersion) as Codec<number> as Codec<4 | 6>,
  protocol: given(protocol, knownProtocol),
  icmp: given(icmp),
  notProtocol: given(protocol, knownProtocol),
  notICMP: given(icmp),
  source: always(entityRule),
  destination: always(entityRule),
  http: given(http),
  metadata: given(struct<NonNullable<PolicyRule['metadata']>>({annotations: textMap})),
})

/** The rules of one direction. */
export const ruleList = settled(list(settled(rule)))
