/** Random rules in words, and the golden rules that Calico stored. */
import fc from 'fast-check'
import {readFileSync} from 'node:fs'
import type {Profile, Rule} from '../../../src/lib/model/types.js'
import type {PortMatch, RuleProtocol, RuleSide, WordRule} from '../../../src/lib/rules/rule.js'

const port = fc.integer({min: 1, max: 65_535})
const range = fc
  .tuple(port, port)
  .filter(([a, b]) => a !== b)
  .map(([a, b]): PortMatch => `${Math.min(a, b)}:${Math.max(a, b)}`)
const ports = fc.array(fc.oneof(port, range), {minLength: 1, maxLength: 4})
const tag = fc.oneof(fc.constantFrom('to', 'from', 'tag', 'not', 'selector', 'a_b', 'TAG.1', 'x'), fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?$/))
const selector = fc.constantFrom("role == 'web'", 'has(a) && has(b)', 'a in {"x","y"} || !has(c)', 'all()', '!has(role)', "(has(a)) || (b == 'c')", 'x != "$HOME`\\"')
const cidr = {
  4: fc.constantFrom('10.0.0.0/8', '192.168.1.1/32', '1.2.3.0/25'),
  6: fc.constantFrom('fd00::/64', '2001:db8::1/128', '2000::/3'),
}

/** A side without a member instead of one that is undefined. */
const optional = <T extends object>(model: {[K in keyof T]-?: fc.Arbitrary<NonNullable<T[K]>>}): fc.Arbitrary<T> => fc.record(model, {requiredKeys: []}) as unknown as fc.Arbitrary<T>

function side(family: 4 | 6, withPorts: boolean): fc.Arbitrary<RuleSide> {
  return fc
    .tuple(
      optional<RuleSide>({ports, tag, cidr: cidr[family], selector, notPorts: ports, notTag: tag, notCidr: cidr[family], notSelector: selector}),
      fc.boolean(),
    )
    .map(([{ports: p, notPorts, notTag, notSelector, ...rest}, preferTag]) => ({
      ...rest,
      ...(withPorts && p ? {ports: p} : {}),
      ...(withPorts && notPorts ? {notPorts} : {}),
      ...(notTag !== undefined && (preferTag || notSelector === undefined) ? {notTag} : {}),
      ...(notSelector !== undefined && (!preferTag || notTag === undefined) ? {notSelector} : {}),
    }))
}

const NUMBERED: fc.Arbitrary<RuleProtocol> = fc.integer({min: 1, max: 255})

/** Any rule that words can say. */
export const wordRule: fc.Arbitrary<WordRule> = fc
  .tuple(
    fc.constantFrom<RuleProtocol | undefined>(undefined, 'tcp', 'udp', 'icmp', 'icmpv6', 'sctp', 'udplite', 6),
    fc.constantFrom<4 | 6>(4, 6),
    fc.option(fc.record({type: fc.integer({min: 0, max: 254}), code: fc.option(fc.integer({min: 0, max: 254}), {nil: undefined})}), {nil: undefined}),
    fc.option(fc.oneof(NUMBERED, fc.constantFrom<RuleProtocol>('tcp', 'sctp')), {nil: undefined}),
  )
  .chain(([protocol, anyFamily, icmp, notProtocol]) => {
    const family = protocol === 'icmp' ? 4 : protocol === 'icmpv6' ? 6 : anyFamily
    const withPorts = protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp' || protocol === 6
    const isIcmp = protocol === 'icmp' || protocol === 'icmpv6'
    return fc
      .tuple(fc.constantFrom<'allow' | 'deny'>('allow', 'deny'), side(family, withPorts), side(family, withPorts))
      .map(([action, from, to]) => ({
        action,
        ...(protocol === undefined ? {} : {protocol}),
        ...(notProtocol === undefined ? {} : {notProtocol}),
        ...(icmp && isIcmp ? {icmp: {type: icmp.type, ...(icmp.code === undefined ? {} : {code: icmp.code})}} : {}),
        from,
        to,
      }))
  })

const lines = (file: string): unknown[] =>
  readFileSync(`test/fixtures/golden/${file}`, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)

/** Every profile that Calico's own client stored in the golden files. */
export const goldenProfiles: readonly Profile[] = [...lines('validation.jsonl'), ...lines('resources.jsonl')].flatMap((line) => {
  const found: Profile[] = []
  const walk = (value: unknown): void => {
    if (typeof value === 'string' && value.startsWith('{"kind":"Profile"')) found.push(JSON.parse(value) as Profile)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(walk)
  }
  walk(line)
  return found
})

export const goldenRules: readonly Rule[] = goldenProfiles.flatMap(({spec}) => [...(spec.ingress ?? []), ...(spec.egress ?? [])])
