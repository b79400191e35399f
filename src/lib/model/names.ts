/** Names: from what users type and addresses are to what Calico stores (datamodel-v3 §2.1 and §3.1, decisions.md 13, 18, 19, 23). */
import {CalicoError} from '../errors.js'
import {type Address, type Cidr, formatCidr, ipv6Groups, networkOf} from '../net/index.js'
import {shortHash} from './hash.js'

const MAX_NAME_LENGTH = 253
const MAX_TAG_LENGTH = 63
const HASH_LENGTH = 8

/** Whether NAME may be a resource's name: lower-case DNS labels joined by dots, at most 253 characters. */
export function isResourceName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(name)
}

/** TEXT as near as a resource name comes to it; '' if nothing of it can stay. Different texts may give the same name. */
export function normalize(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll('/', '.')
    .replace(/[^-.a-z0-9]+/g, '-')
    .replace(/[-.]+/g, (run) => (run.includes('.') ? '.' : run))
  return stripped(name)
}

/**
 * The name under which a thing that the user calls TEXT is stored: TEXT itself where Calico allows it, else the normalized text and a hash
 * of the original, as Calico's upgrade converts it. Where that would be no valid name ours differs: of a text like `___`, of which nothing stays,
 * the hash is the name; one beyond 253 characters is cut before the hash.
 */
export function convertName(text: string): string {
  return hashedUnlessEqual(normalize(text), text)
}

/** Like convertName, for kinds whose names have no dots (policies). */
export function convertNameNoDots(text: string): string {
  return hashedUnlessEqual(normalize(text).replaceAll('.', '-'), text)
}

/** Like convertName, for profiles: those of Kubernetes namespaces begin with `kns.` today. */
export function convertProfileName(text: string): string {
  return convertName(text.startsWith('k8s_ns.') ? text.replace('k8s_ns.', 'kns.') : text)
}

/**
 * A node's name: TEXT in lower case and never with a hash, for it has to be what Felix calls its host (decisions.md 23).
 * @throws CalicoError (invalid) if Calico would not allow it
 */
export function nodeName(text: string): string {
  const name = text.toLowerCase()
  if (isResourceName(name)) return name
  throw new CalicoError('invalid', `${JSON.stringify(text)} is not a valid node name: use letters, digits, '-' and '.' only, with a letter or digit at both ends, at most 253 characters`)
}

/** ADDRESS as a part of a name: `10-0-0-1`, or all 32 digits of an IPv6 address, `fd00-0000-…`. */
export function addressName({family, value}: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('-')
  return ipv6Groups(value)
    .map((group) => group.toString(16).padStart(4, '0'))
    .join('-')
}

/** The name of a new pool: its CIDR in dashes, `192-168-0-0-16`; `pool` goes before a dash at the beginning (`pool---64`). */
export function poolName(cidr: Cidr): string {
  const name = formatCidr(networkOf(cidr)).replace(/[.:/]/g, '-')
  return name.startsWith('-') ? `pool${name}` : name
}

/** The name of a new BGP peer: of all nodes, or of the one whose stored name is NODE. */
export function bgpPeerName(address: Address, node?: string): string {
  return node === undefined ? addressName(address) : convertName(`${node}.${addressName(address)}`)
}

/** Why NAME cannot be a tag, as the end of a sentence; undefined if it can. Tags are label keys, which is less than v0.20 took. */
export function tagProblem(name: string): string | undefined {
  if (name.length > MAX_TAG_LENGTH) return `it is longer than the ${MAX_TAG_LENGTH} characters of a label`
  if (!/^[A-Za-z0-9_.-]+$/.test(name)) return "only letters, digits, '_', '.' and '-' are allowed"
  if (!/^[A-Za-z0-9]/.test(name)) return 'a label must begin with a letter or a digit'
  if (!/[A-Za-z0-9]$/.test(name)) return 'a label must end with a letter or a digit'
  return undefined
}

/** The tag that stands for NAME where no one can be asked for another one (the plugins): NAME if it can be a tag, else its stored form, cut if too long. */
export function pluginTag(name: string): string {
  if (tagProblem(name) === undefined) return name
  const converted = convertName(name)
  return converted.length <= MAX_TAG_LENGTH ? converted : cut(converted, name, MAX_TAG_LENGTH)
}

function hashedUnlessEqual(name: string, text: string): string {
  if (name === '') return shortHash(text)
  if (name.length > MAX_NAME_LENGTH) return cut(name, text, MAX_NAME_LENGTH)
  if (name === text) return name
  return name.length + 1 + HASH_LENGTH > MAX_NAME_LENGTH ? cut(name, text, MAX_NAME_LENGTH) : `${name}-${shortHash(text)}`
}

/** NAME shortened so that the hash of TEXT fits behind it into LENGTH characters. */
function cut(name: string, text: string, length: number): string {
  return `${stripped(name.slice(0, length - HASH_LENGTH - 1))}-${shortHash(text)}`
}

/** NAME without the dots and dashes at its ends. */
function stripped(name: string): string {
  let start = 0
  let end = name.length
  while (start < end && isSeparator(name[start])) start++
  while (end > start && isSeparator(name[end - 1])) end--
  return name.slice(start, end)
}

function isSeparator(character: string | undefined): boolean {
  return character === '.' || character === '-'
}
