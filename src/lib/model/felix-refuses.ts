/**
 * What Felix refuses in a rule that it could decode: the whole profile or policy is then absent for it (policy-evaluation.md §2, felix-behaviour.md §2).
 * It is laxer than Calico's client: what only the client refuses does nothing to the rules. Works on rules as they are stored.
 */
import {shownJson} from '../json/index.js'
import type {Problem} from './resource.js'
import {asRecord, ownField} from './schema/codec.js'
import {portRange} from './schema/values.js'
import {tryParseSelector} from './selector/index.js'

const WITH_PORTS = ['tcp', 'udp', 'sctp', '6', '17', '132']
const MOST_ICMP_TYPE = 254
const MOST_ICMP_CODE = 255
const SELECTORS = ['selector', 'notSelector', 'namespaceSelector'] as const

/** Why Felix takes no object with RULE in it, fields by their path below FIELD; none = it takes it. */
export function refusedByFelix(rule: Readonly<Record<string, unknown>>, field: string): Problem[] {
  const problems: Problem[] = []
  const report = (place: string, message: string): number => problems.push({field: `${field}.${place}`, message})
  for (const name of ['protocol', 'notProtocol']) if (String(ownField(rule, name)) === '0') report(name, 'must be 1 to 255, not 0')
  const version = ownField(rule, 'ipVersion') ?? 4
  if (version !== 4 && version !== 6) report('ipVersion', `must be 4 or 6, not ${shownJson(version)}`)
  for (const name of ['icmp', 'notICMP']) {
    const icmp = asRecord(ownField(rule, name)) ?? {}
    for (const [part, most] of [['type', MOST_ICMP_TYPE], ['code', MOST_ICMP_CODE]] as const) {
      const number = ownField(icmp, part)
      if (typeof number === 'number' && (number < 0 || number > most)) report(`${name}.${part}`, `must be 0 to ${most}, not ${number}`)
    }
  }
  const protocol = ownField(rule, 'protocol') ?? undefined
  for (const end of ['source', 'destination']) {
    const entity = asRecord(ownField(rule, end)) ?? {}
    for (const name of ['ports', 'notPorts']) {
      const ports = ownField(entity, name)
      if (Array.isArray(ports)) checkPorts(ports, protocol, `${end}.${name}`, report)
    }
    for (const name of SELECTORS) checkSelector(ownField(entity, name), `${end}.${name}`, report)
    checkSelector(ownField(asRecord(ownField(entity, 'serviceAccounts')) ?? {}, 'selector'), `${end}.serviceAccounts.selector`, report)
  }
  return problems
}

/** What is wrong with TEXT as a selector for Felix, as the end of a sentence; undefined for a good one, and for none. */
export function selectorProblem(text: unknown): string | undefined {
  if (typeof text !== 'string' || text === '') return undefined
  const {error} = tryParseSelector(text)
  return error && `is not a valid selector (${error.message})`
}

type Report = (place: string, message: string) => void

function checkSelector(text: unknown, place: string, report: Report): void {
  const problem = selectorProblem(text)
  if (problem !== undefined) report(place, problem)
}

function checkPorts(ports: readonly unknown[], protocol: unknown, place: string, report: Report): void {
  const ranges = ports.map((port) => (typeof port === 'number' || typeof port === 'string' ? portRange(port) : undefined))
  ports.forEach((port, index) => {
    const range = ranges[index]
    if (range && (range[0] < 1 || range[1] > 65535)) report(`${place}[${index}]`, `must be 1 to 65535, not ${JSON.stringify(port)}`)
    if (!range && typeof port === 'string' && !/[a-zA-Z]/.test(port)) report(`${place}[${index}]`, `is not a port, a range such as 80:90, or a name: ${JSON.stringify(port)}`)
  })
  if (ports.length === 0) return
  if (protocol === undefined) {
    if (ranges.some((range) => range !== undefined)) report(place, 'needs the protocol TCP, UDP or SCTP in the same rule')
  } else if (!WITH_PORTS.includes(shownJson(protocol).replaceAll('"', '').toLowerCase())) report(place, `needs the protocol TCP, UDP or SCTP, not ${shownJson(protocol)}`)
}
