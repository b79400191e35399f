/** Rules over several fields of a rule of a profile or policy (datamodel-v3 §2.2). */
import {parseCidr} from '../../net/cidr.js'
import {listed, oneOf} from '../schema/codec.js'
import {portRange} from '../schema/values.js'
import type {EntityRule, IcmpMatch, Port, Rule} from '../types.js'
import type {Report} from './kind.js'
import {checkAnnotations} from './names.js'

const isAction = oneOf(['Allow', 'Deny', 'Log', 'Pass'])
const WITH_PORTS: readonly (string | number)[] = ['TCP', 'UDP', 'SCTP', 6, 17, 132]

/** Rules and lists of them, which never change, in which nothing is wrong: an edit of one of many need not check the others again. */
const right = new WeakSet<object>()

/** Checks RULES, whose path is FIELD. */
export function checkRules(rules: readonly Rule[] | undefined, field: string, report: Report): void {
  if (rules === undefined || right.has(rules)) return
  let all = 0
  for (const [index, rule] of rules.entries()) {
    if (right.has(rule)) continue
    let problems = 0
    checkRule(rule, `${field}[${index}]`, (place, message) => {
      problems++
      report(place, message)
    })
    if (problems === 0) right.add(rule)
    all += problems
  }
  if (all === 0) right.add(rules)
}

function checkRule(rule: Rule, field: string, report: Report): void {
  const wrongAction = isAction(rule.action)
  if (wrongAction !== undefined) report(`${field}.action`, wrongAction)
  const {source = {}, destination = {}} = rule
  checkPortsNeedProtocol(rule, source, `${field}.source`, report)
  checkPortsNeedProtocol(rule, destination, `${field}.destination`, report)
  checkIcmp(rule, field, report)
  checkNets(rule, field, report)
  checkEntity(source, `${field}.source`, report)
  checkEntity(destination, `${field}.destination`, report)
  checkHttp(rule, field, report)
  if (rule.metadata?.annotations) checkAnnotations(rule.metadata.annotations, `${field}.metadata.annotations`, report)
  if (destination.services && (destination.ports?.length || destination.notPorts?.length)) {
    report(`${field}.destination.services`, 'cannot be combined with ports')
  }
}

const isNamed = (port: Port): boolean => portRange(port) === undefined

function checkPortsNeedProtocol({protocol}: Rule, entity: EntityRule, field: string, report: Report): void {
  for (const name of ['ports', 'notPorts'] as const) {
    const ports = entity[name] ?? []
    const numbered = ports.some((port) => !isNamed(port))
    if (protocol === undefined ? numbered : ports.length > 0 && !WITH_PORTS.includes(protocol)) {
      report(`${field}.${name}`, `needs the rule's protocol to be ${listed(['TCP', 'UDP', 'SCTP'])}`)
    }
  }
}

function checkIcmp(rule: Rule, field: string, report: Report): void {
  const {protocol, notProtocol, ipVersion} = rule
  if (rule.icmp && protocol !== 'ICMP' && protocol !== 'ICMPv6') report(`${field}.icmp`, 'needs the protocol ICMP or ICMPv6, by name')
  for (const [name, version] of [['ICMP', 4], ['ICMPv6', 6]] as const) {
    if ((protocol === name || notProtocol === name) && ipVersion !== undefined && ipVersion !== version) {
      report(`${field}.ipVersion`, `must be ${version} or absent with ${name}, not ${ipVersion}`)
    }
  }
  checkIcmpCode(rule.icmp, `${field}.icmp`, report)
  checkIcmpCode(rule.notICMP, `${field}.notICMP`, report)
}

function checkIcmpCode(icmp: IcmpMatch | undefined, field: string, report: Report): void {
  if (icmp?.code !== undefined && icmp.type === undefined) report(`${field}.code`, 'needs a type')
}

function checkNets(rule: Rule, field: string, report: Report): void {
  const families = new Set<number>()
  for (const end of ['source', 'destination'] as const) {
    for (const name of ['nets', 'notNets'] as const) {
      rule[end]?.[name]?.forEach((net, index) => {
        const place = `${field}.${end}.${name}[${index}]`
        const cidr = parseCidr(net)
        if (!cidr) {
          report(place, `must be a CIDR with its prefix length, such as 10.0.0.0/8 or 10.0.0.1/32, not ${JSON.stringify(net)}`)
          return
        }
        families.add(cidr.family)
        if (name === 'notNets' && (cidr.family === 4 ? net === '0.0.0.0/0' : cidr.prefix === 0 && cidr.value === 0n)) {
          report(place, 'excludes every address, so that the rule would match nothing')
        }
        if (rule.ipVersion !== undefined && cidr.family !== rule.ipVersion) report(place, `is not IPv${rule.ipVersion}, the rule's ipVersion`)
      })
    }
  }
  if (families.size > 1) report(field, 'has IPv4 and IPv6 networks; write two rules')
}

const ONLY_GLOBAL = /^[ \t]*global\([ \t]*\)[ \t]*$/

function checkEntity(entity: EntityRule, field: string, report: Report): void {
  if (entity.selector?.includes('global()')) report(`${field}.selector`, 'cannot use global(), which only a namespaceSelector may')
  if (entity.namespaceSelector?.includes('global(') && !ONLY_GLOBAL.test(entity.namespaceSelector)) {
    report(`${field}.namespaceSelector`, 'cannot combine global() with anything else')
  }
  if (!entity.services) return
  if (!entity.services.name) report(`${field}.services.name`, 'must be set')
  const others = ['namespaceSelector', 'selector', 'notSelector', 'serviceAccounts', 'nets', 'notNets'] as const
  const also = others.filter((name) => entity[name] !== undefined)
  if (also.length > 0) report(`${field}.services`, `cannot be combined with ${listed(also)}`)
}

function checkHttp(rule: Rule, field: string, report: Report): void {
  if (!rule.http) return
  if (rule.action !== 'Allow') report(`${field}.http`, 'is only for rules that Allow')
  if (rule.protocol !== undefined && rule.protocol !== 'TCP') report(`${field}.protocol`, 'must be TCP or absent in a rule with http')
  const methods = rule.http.methods ?? []
  if (new Set(methods).size < methods.length) report(`${field}.http.methods`, 'has a method twice')
  rule.http.paths?.forEach(({exact = '', prefix = ''}, index) => {
    const place = `${field}.http.paths[${index}]`
    const path = exact || prefix
    if ((exact === '') === (prefix === '')) report(place, 'must have either exact or prefix')
    else if (!path.startsWith('/') || /[? #]/.test(path)) report(place, `must begin with "/" and have no "?", "#" or blank, not ${JSON.stringify(path)}`)
  })
}
