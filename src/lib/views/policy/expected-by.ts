/** `by` of a probe: what some deciding rule has to be, read from a file of `policy test`, and in the words in which its messages name what decided. */
import {nearest} from '../../cli/suggest.js'
import {isObject} from '../../json/is-object.js'
import {findKind} from '../../model/kinds.js'
import type {By} from '../../policy/by.js'

type Mutable<T> = {-readonly [K in keyof T]?: T[K]}

/** The properties that are asked for; `action` in lower case. */
export interface ExpectedBy extends Readonly<Mutable<Omit<By, 'missing'>>> {
  readonly missing?: boolean
}

/** Kinds with the words for them: lower case, without blanks, `-` and `_`. Those of objects have the words of `get`, too. */
const KIND_WORDS: Readonly<Record<By['kind'], readonly string[]>> = {
  Profile: [],
  GlobalNetworkPolicy: [],
  NetworkPolicy: [],
  Tier: ['endoftier', 'theendoftier', 'endofthetier', 'theendofthetier'],
  NoMatch: ['norulematches', 'default'],
  Failsafe: ['failsafeport', 'afailsafeportofthehost'],
  EndpointToHost: ['defaultendpointtohostaction'],
  Encapsulation: [],
  Conntrack: ['connectiontracking'],
  ICMPv6Router: [],
}
const KIND_NAMES = Object.keys(KIND_WORDS) as By['kind'][]
const DIRECTIONS: Readonly<Record<string, By['direction']>> = {ingress: 'ingress', inbound: 'ingress', receiver: 'ingress', egress: 'egress', outbound: 'egress', sender: 'egress'}
const MEMBERS = ['kind', 'tier', 'namespace', 'name', 'missing', 'direction', 'index', 'action']

function kindOf(text: string): By['kind'] | undefined {
  const word = text.toLowerCase().replace(/[\s_-]+/g, '')
  const object = findKind(word)?.kind
  return KIND_NAMES.find((kind) => kind.toLowerCase() === word || kind === object || KIND_WORDS[kind].includes(word))
}

/** The properties of VALUE; what is wrong with them is reported to FAIL by the name of the property, with the value itself by ''. */
export function readExpectedBy(value: unknown, fail: (name: string, message: string) => void): ExpectedBy | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) {
    fail('', `must be an object with properties of a rule: ${MEMBERS.join(', ')}`)
    return undefined
  }
  const found: Mutable<ExpectedBy> = {}
  const take: Readonly<Record<string, (given: unknown) => string | undefined>> = {
    kind(given) {
      const kind = typeof given === 'string' ? kindOf(given) : undefined
      if (kind !== undefined) found.kind = kind
      const meant = typeof given === 'string' && kind === undefined ? nearest(given, KIND_NAMES) : undefined
      return kind === undefined ? `must be one of ${KIND_NAMES.join(', ')}${meant === undefined ? '' : `. Did you mean ${meant}?`}` : undefined
    },
    tier: (given) => text('tier', given),
    namespace: (given) => text('namespace', given),
    name: (given) => text('name', given),
    missing(given) {
      if (typeof given !== 'boolean') return 'must be true or false'
      found.missing = given
      return undefined
    },
    direction(given) {
      const direction = typeof given === 'string' && Object.hasOwn(DIRECTIONS, given.toLowerCase()) ? DIRECTIONS[given.toLowerCase()] : undefined
      if (direction !== undefined) found.direction = direction
      return direction === undefined ? 'must be ingress (inbound) or egress (outbound)' : undefined
    },
    index(given) {
      const index = typeof given === 'bigint' ? Number(given) : given
      if (typeof index !== 'number' || !Number.isInteger(index) || index < 0) return 'must be a whole number: 0 for rule 1'
      found.index = index
      return undefined
    },
    action(given) {
      if (typeof given !== 'string' || given === '') return 'must be a text, for example Allow or Deny'
      found.action = given.toLowerCase()
      return undefined
    },
  }
  function text(name: 'tier' | 'namespace' | 'name', given: unknown): string | undefined {
    if (typeof given !== 'string' || given === '') return 'must be a text'
    found[name] = given
    return undefined
  }
  for (const [name, given] of Object.entries(value)) {
    const read = Object.hasOwn(take, name) ? take[name] : undefined
    const meant = read ? undefined : nearest(name, MEMBERS)
    const problem = read ? read(given) : `is unknown${meant === undefined ? `: give ${MEMBERS.join(', ')}` : `. Did you mean ${meant}?`}`
    if (problem !== undefined) fail(name, problem)
  }
  // A tier is named by its name.
  if (found.kind === 'Tier' && found.tier !== undefined) {
    found.name ??= found.tier
    delete found.tier
  }
  return found
}

/** BY with the properties as they are compared. */
const compared = ({missing, action, ...rest}: By): ExpectedBy => ({...rest, missing: missing === true, action: action.toLowerCase()})

/** Whether BY has all properties of EXPECTED. */
export function isExpected(expected: ExpectedBy, by: By): boolean {
  const own = compared(by)
  return (Object.keys(expected) as (keyof ExpectedBy)[]).every((name) => expected[name] === own[name])
}

const OBJECTS: readonly string[] = ['Profile', 'GlobalNetworkPolicy', 'NetworkPolicy', 'Tier']

/** What decided, or has to, as a message names it; the properties that these words leave out only if they are in ASKED. */
export function deciderText(by: ExpectedBy, asked: ExpectedBy | undefined): string {
  const {kind, tier, namespace, name, missing, direction, index, action} = by
  const side = direction === undefined ? '' : direction === 'ingress' ? 'inbound ' : 'outbound '
  const full = namespace === undefined ? name : `${namespace}/${name ?? '*'}`
  const object = kind === 'Tier' ? `the end of ${name === undefined ? 'a tier' : `tier ${name}`}` : kind === 'NoMatch' ? 'no rule matches' : kind === undefined ? full : OBJECTS.includes(kind) ? (full === undefined ? `a ${kind.toLowerCase()}` : `${kind.toLowerCase()} ${full}`) : kind
  const parts = [
    [...(object === undefined ? [] : [object]), ...(tier === undefined ? [] : [`in tier ${tier}`])].join(' '),
    index !== undefined ? `${side}rule ${index + 1}` : asked?.direction === undefined ? '' : side.trim(),
    missing ? 'which does not exist' : asked?.missing === false && kind !== undefined ? 'which exists' : '',
    asked?.action === undefined || action === undefined ? '' : `action ${action.toLowerCase()}`,
  ]
  return parts.filter((part) => part !== '').join(', ') || 'any rule'
}
