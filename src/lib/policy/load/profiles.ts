/** Profiles as Felix reads them. They are compiled when they are first asked for: a store may have thousands. */
import {stringifyJson} from '../../json/index.js'
import type {ProfileSpec} from '../../model/types.js'
import type {Direction} from '../by.js'
import type {Expressions} from '../expression.js'
import {compileRule, type Rule} from '../rule.js'
import type {Profile} from '../world.js'
import {compileRules} from './compile.js'
import {problemOf, type Raw, type StoredObjects} from './stored.js'

const DEFAULT_ALLOW = 'projectcalico-default-allow'

/** What a rule over which Felix stops has, and what one with networks has. Keys are read in any case. */
const MAY_STOP = /"(?:icmp|notICMP|notProtocol)"|"action"\s*:\s*"(?!(?:allow|deny|log|pass)")/i
const HAS_NETS = /"(?:nets|notNets)"/i

/** The profiles of a store. */
export class Profiles {
  private readonly known = new Map<string, Profile>()

  constructor(
    private readonly stored: StoredObjects,
    private readonly expressions: Expressions,
  ) {}

  /** The profile NAME, also if it is missing or Felix refuses it. */
  get(name: string): Profile {
    let profile = this.known.get(name)
    if (profile === undefined) {
      profile = this.compile(name)
      this.known.set(name, profile)
    }
    return profile
  }

  /** Why Felix stops over the profile NAME, without compiling those over which it cannot. */
  stops(name: string): string | undefined {
    const raw = this.stored.get('Profile', name)
    return raw && (this.known.has(name) || mentions(raw, MAY_STOP)) ? this.get(name).stops : undefined
  }

  private compile(name: string): Profile {
    const missing = {name, missing: true, ingress: [], egress: []}
    if (name === DEFAULT_ALLOW) return {name, missing: false, ingress: [this.everything(name, 'ingress')], egress: [this.everything(name, 'egress')]}
    const raw = this.stored.get('Profile', name)
    if (raw === undefined) return missing
    const object = this.stored.read<ProfileSpec>(raw)
    if (typeof object === 'string') return {...missing, problem: problemOf(raw, 'unreadable', object)}
    const {ingress, egress} = object.spec
    const by = {kind: 'Profile', name} as const
    const compiled = compileRules({ingress, egress}, by, undefined, this.expressions)
    if (compiled.refused !== undefined) return {...missing, problem: problemOf(raw, 'absent', compiled.refused)}
    return {name, missing: false, ...compiled.rules, ...(compiled.stops === undefined ? {} : {stops: compiled.stops, problem: problemOf(raw, 'stops', compiled.stops)})}
  }

  private everything(name: string, direction: Direction): Rule {
    return compileRule({action: 'Allow'}, {kind: 'Profile', name, direction, index: 0}, undefined, this.expressions)
  }

  /** Those that have networks in their rules. */
  withNetworks(): Profile[] {
    return this.stored.of('Profile').filter((raw) => mentions(raw, HAS_NETS)).map(({name}) => this.get(name))
  }
}

/** Whether the text of RAW may have PATTERN: spares decoding thousands of objects that have not. */
function mentions({value}: Raw, pattern: RegExp): boolean {
  const text = typeof value === 'string' ? value : stringifyJson(value)
  return text.includes('\\') || pattern.test(text)
}
