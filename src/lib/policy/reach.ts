/**
 * Which of many places rules may allow anything between: a quick answer, without looking at protocols and ports, that is never "no" where something passes.
 * Each selector is asked once, and only about those that have a label which it needs.
 */
import {evaluate, type Selector} from '../model/selector/index.js'
import {ADDRESS_BITS, type Cidr} from '../net/index.js'
import type {PartyOf} from './between.js'
import type {Direction} from './by.js'
import {endMatches, type Place} from './match-addresses.js'
import {into, keyOf, needsOf} from './needs.js'
import {isPoliced} from './parties.js'
import type {Rule} from './rule.js'
import type {Workload, World} from './world.js'

/** Who stands for endpoints, hosts or addresses that no rule tells apart. */
export interface Seat {
  /** Of endpoints; others are taken to let everything through. */
  readonly workload: Workload | undefined
  readonly party: PartyOf
}

/** Numbers of seats; undefined: all. */
export type Some = ReadonlySet<number> | undefined

export class Reach {
  /** Null: not asked yet. */
  private readonly known: Readonly<Record<Direction, (Some | null)[]>>
  private readonly index: PlaceIndex

  constructor(
    private readonly world: World,
    private readonly seats: readonly Seat[],
  ) {
    this.index = new PlaceIndex(world, seats)
    this.known = {egress: seats.map(() => null), ingress: seats.map(() => null)}
  }

  /** Whom the egress (ingress) rules of the seat of NUMBER may allow anything to (from); undefined: anybody. */
  of(number: number, direction: Direction): Some {
    const known = this.known[direction][number]
    return known === null ? (this.known[direction][number] = this.allowed(this.seats[number]?.workload, direction)) : known
  }

  /** Whether anything may pass from the seat of number FROM to that of number TO, where nothing but their own rules decides. */
  may(from: number, to: number): boolean {
    return (this.of(from, 'egress')?.has(to) ?? true) && (this.of(to, 'ingress')?.has(from) ?? true)
  }

  private allowed(workload: Workload | undefined, direction: Direction): Some {
    const {world, index} = this
    if (workload === undefined || !isPoliced(world, workload)) return undefined
    const enforced = workload.shadowedBy ?? workload
    const policies = world.applying(enforced, direction, 'workload').flatMap((stage) => stage.policies)
    const found = new Set<number>()
    for (const owner of [...policies, ...enforced.profiles.map((name) => world.profile(name))]) {
      for (const rule of owner[direction]) {
        if (rule.action !== 'Allow' || rule.never) continue
        const some = index.matching(rule, direction === 'egress' ? 'destination' : 'source')
        if (some === undefined) return undefined
        for (const number of some) found.add(number)
      }
    }
    return found
  }
}

/** Finds seats by the criteria of rules' ends, without asking each seat about each rule. */
class PlaceIndex {
  private readonly places: readonly (readonly Place[])[]
  private readonly byNeed = new Map<string, Set<number>>()
  /** By family and prefix length, by network. */
  private readonly byNetwork = new Map<string, Map<bigint, number[]>>()
  private readonly selected = new Map<Selector, ReadonlySet<number>>()

  constructor(world: World, seats: readonly Seat[]) {
    this.places = seats.map(({party: partyOf}) =>
      ([4, 6] as const).flatMap((family) => {
        const party = partyOf(family)
        return party ? [{address: party.address, claims: world.claims(party.address)}] : []
      }),
    )
    for (const [index, places] of this.places.entries()) {
      for (const {labels} of places.flatMap(({claims}) => claims)) {
        for (const [label, value] of labels.map) {
          into(this.byNeed, keyOf({label}), index)
          into(this.byNeed, keyOf({label, value}), index)
        }
      }
    }
  }

  /** The seats that may be at the end NAME of RULE: all that are, and perhaps some that are not. Undefined: anybody. */
  matching(rule: Rule, name: 'source' | 'destination'): Some {
    const {set, nets, notNets, notSet} = rule[name]
    if (set) return this.selectedBy(set.selector)
    if (!nets && !notNets && !notSet) return undefined
    const matches = (place: Place): boolean => endMatches(rule, name, place, false)
    if (!nets || rule.unchecked[4].size + rule.unchecked[6].size > 0) return this.filter(matches)
    const near = new Set([...nets[4], ...nets[6]].flatMap((net) => this.within(net)))
    return new Set([...near].filter((index) => this.places[index]?.some(matches)))
  }

  /** The seats with a place in NET. */
  private within({family, prefix, value}: Cidr): readonly number[] {
    const shift = BigInt(ADDRESS_BITS[family] - prefix)
    const length = `${family} ${prefix}`
    let seats = this.byNetwork.get(length)
    if (seats === undefined) {
      this.byNetwork.set(length, (seats = new Map<bigint, number[]>()))
      for (const [index, places] of this.places.entries()) {
        for (const {address} of places) {
          if (address.family !== family) continue
          const network = address.value >> shift
          const list = seats.get(network)
          if (list) list.push(index)
          else seats.set(network, [index])
        }
      }
    }
    return seats.get(value >> shift) ?? []
  }

  /** What SELECTOR selects. */
  private selectedBy(selector: Selector): ReadonlySet<number> {
    let found = this.selected.get(selector)
    if (found === undefined) {
      const matches = ({claims}: Place): boolean => claims.some(({labels}) => evaluate(selector, labels.map))
      const near = this.near(selector)
      found = near ? new Set([...near].filter((index) => this.places[index]?.some(matches))) : this.filter(matches)
      this.selected.set(selector, found)
    }
    return found
  }

  private filter(matches: (place: Place) => boolean): Set<number> {
    const found = new Set<number>()
    for (const [index, places] of this.places.entries()) if (places.some(matches)) found.add(index)
    return found
  }

  /** All that SELECTOR can select, by the labels that it needs; undefined: none. */
  private near(selector: Selector): ReadonlySet<number> | undefined {
    const needs = needsOf(selector)
    return needs && new Set(needs.flatMap((need) => [...(this.byNeed.get(keyOf(need)) ?? [])]))
  }
}
