/**
 * A fault of Felix v3.32 in iptables mode (policy-evaluation.md §6.5): lists of alternatives in a rule are rendered as blocks, and from the third block on
 * they are not checked once the second has matched. Works on rules as they are stored.
 */
import {type Family, parseCidrOrAddress} from '../net/index.js'
import {asRecord, ownField} from './schema/codec.js'

/** Ports that one match of iptables takes; a range takes two. */
const SLOTS = 15

/** The list with this number and those behind it are not checked. */
const UNCHECKED_FROM = 3

/** The lists of RULE, by their paths in it, that Felix does not check in one of the address families. In the order of rendering. */
export function uncheckedLists(rule: Readonly<Record<string, unknown>>): string[] {
  // Almost no rule has so many lists, and every edit asks this of every new rule.
  if (ENDS.flatMap((end) => [listOf(rule, end, 'ports'), listOf(rule, end, 'nets')]).filter(({length}) => length > 1).length < UNCHECKED_FROM) return []
  return [...new Set(([4, 6] as const).flatMap((family) => [...uncheckedListsOf(rule, family)]))]
}

/** The lists of RULE, by their paths in it, that Felix does not check in FAMILY. */
export function uncheckedListsOf(rule: Readonly<Record<string, unknown>>, family: Family): ReadonlySet<string> {
  return new Set(isRendered(rule, family) ? blocks(rule, family).slice(UNCHECKED_FROM - 1) : [])
}

const ENDS = ['source', 'destination'] as const

const listOf = (rule: Readonly<Record<string, unknown>>, end: (typeof ENDS)[number], name: string): readonly unknown[] => {
  const list = ownField(asRecord(ownField(rule, end)) ?? {}, name)
  return Array.isArray(list) ? (list as unknown[]) : []
}

const ofFamily = (nets: readonly unknown[], family: Family): readonly unknown[] => nets.filter((net) => typeof net === 'string' && parseCidrOrAddress(net)?.family === family)

/** Whether RULE exists for FAMILY: it names no other version, and each of its lists of nets has one of the family (§6.2). */
function isRendered(rule: Readonly<Record<string, unknown>>, family: Family): boolean {
  const version = ownField(rule, 'ipVersion') ?? family
  const lists = ENDS.flatMap((end) => [listOf(rule, end, 'nets'), listOf(rule, end, 'notNets')])
  return version === family && lists.every((nets) => nets.length === 0 || ofFamily(nets, family).length > 0)
}

/** The lists of RULE that need more than one match, in the order in which Felix renders them. */
function blocks(rule: Readonly<Record<string, unknown>>, family: Family): string[] {
  return [
    ...ENDS.filter((end) => portMatches(listOf(rule, end, 'ports')) > 1).map((end) => `${end}.ports`),
    ...ENDS.filter((end) => ofFamily(listOf(rule, end, 'nets'), family).length > 1).map((end) => `${end}.nets`),
  ]
}

/** The matches that PORTS need: one for each name, and one for each group of numbers. */
function portMatches(ports: readonly unknown[]): number {
  let groups = 0
  let names = 0
  let used = SLOTS
  for (const port of ports) {
    const [, from, to = from] = /^(\d+)(?::(\d+))?$/.exec(String(port)) ?? []
    if (from === undefined) {
      names++
      continue
    }
    const slots = from === to ? 1 : 2
    if (used + slots > SLOTS) {
      groups++
      used = 0
    }
    used += slots
  }
  return groups + names
}
