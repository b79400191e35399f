/** What net-modules asks for: one JSON document, checked in the order and with the texts of the plugin of 2016 (mesos-docker §1.1–§1.5). Pure. */
import {CalicoError} from '../../errors.js'
import {isDeeperThan} from '../../json/index.js'
import {isObject} from '../../json/is-object.js'
import {type Address, equalAddresses, parseAddress} from '../../net/index.js'
import {type Labels, readLabels, staticAddresses} from './labels.js'

export type Request =
  | {readonly command: 'isolate'; readonly containerId: string; readonly hostname: string; readonly pid: number; readonly addresses: readonly Address[]; readonly netgroups: readonly string[]}
  | {readonly command: 'cleanup'; readonly containerId: string; readonly hostname: string}
  /** FIXED are the addresses that the task's labels name; IPV4 and IPV6 count what is to be assigned besides. */
  | {readonly command: 'allocate'; readonly uid: string; readonly fixed: readonly Address[]; readonly ipv4: number; readonly ipv6: number}
  | {readonly command: 'reserve'; readonly uid: string; readonly addresses: readonly Address[]}
  | {readonly command: 'release'; readonly of: {readonly uid: string} | {readonly addresses: readonly Address[]}}

type Arguments = Readonly<Record<string, unknown>>

/** Addresses of one call. So many fit into a reply, of which net-modules reads 40,960 bytes, and into one transaction. */
const MAX_ADDRESSES = 64

/** Of one `release`, which may be for several tasks. */
const MAX_RELEASED = 1024

/** Objects and lists inside each other. Requests of net-modules have four levels. */
const DEEPEST = 100

const COMMANDS: Readonly<Record<string, (args: Arguments) => Request>> = {isolate, cleanup, allocate, reserve, release}

/** The request that TEXT, all of stdin, makes. @throws CalicoError `invalid` with the text for the reply */
export function readRequest(text: string): Request {
  if (isDeeperThan(text, DEEPEST)) throw wrong(`nested more than ${DEEPEST} levels deep`)
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error))
  }
  const {command, args} = isObject(document) ? document : {}
  if (isAbsent(command)) throw wrong('Missing command')
  if (!isObject(args)) throw wrong('Missing args')
  const read = typeof command === 'string' && Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined
  if (!read) throw wrong(`Unknown command: ${typeof command === 'string' ? command : JSON.stringify(command)}`)
  return read(args)
}

function isolate(args: Arguments): Request {
  readLabels(args.labels)
  const containerId = requiredText(args, 'container_id')
  const hostname = requiredText(args, 'hostname')
  const pid = readPid(args.pid)
  const addresses = readAddresses(args)
  return {command: 'isolate', containerId, hostname, pid, addresses, netgroups: readNetgroups(args.netgroups)}
}

function cleanup(args: Arguments): Request {
  return {command: 'cleanup', containerId: requiredText(args, 'container_id'), hostname: requiredText(args, 'hostname')}
}

function allocate(args: Arguments): Request {
  const labels = readLabels(args.labels)
  const uid = readUid(args.uid)
  if (isAbsent(args.hostname)) throw wrong('Missing hostname')
  for (const name of ['num_ipv4', 'num_ipv6']) if (isAbsent(args[name])) throw wrong(`Missing ${name}`)
  const [ipv4, ipv6] = [readNumber(args, 'num_ipv4'), readNumber(args, 'num_ipv6')]
  const fixed = fixedAddresses(labels)
  if (Math.max(ipv4, fixed.length) + ipv6 > MAX_ADDRESSES) throw tooMany()
  return {command: 'allocate', uid, fixed, ipv4: Math.max(0, ipv4 - fixed.length), ipv6}
}

/** The addresses of the label `ipv4_addrs`: they are checked as those of a `reserve`. */
function fixedAddresses(labels: Labels): readonly Address[] {
  const listed = staticAddresses(labels)
  return listed === undefined ? [] : readAddresses({ipv4_addrs: listed})
}

function reserve(args: Arguments): Request {
  readLabels(args.labels)
  const uid = readUid(args.uid)
  if (isAbsent(args.hostname)) throw wrong('Missing hostname')
  return {command: 'reserve', uid, addresses: readAddresses(args)}
}

function release(args: Arguments): Request {
  const {ips, uid} = args
  if (isFalsy(ips) && isFalsy(uid)) throw wrong('Must supply either uid or ips.')
  if (!isFalsy(ips) && !isFalsy(uid)) throw wrong('Supply either uid or ips, not both.')
  if (isFalsy(ips)) {
    if (typeof uid !== 'string') throw wrong('uid must be a string')
    return {command: 'release', of: {uid: checkUid(uid)}}
  }
  const list = requireList(ips)
  if (list.length > MAX_RELEASED) throw wrong(`At most ${MAX_RELEASED} addresses can be released at once.`)
  return {command: 'release', of: {addresses: distinct(list.map(readAddress))}}
}

/** What Python takes for false. */
const isFalsy = (value: unknown): boolean => !value || (Array.isArray(value) && value.length === 0) || (isObject(value) && Object.keys(value).length === 0)

const isAbsent = (value: unknown): boolean => value === undefined || value === null

function requiredText(args: Arguments, name: string): string {
  const value = args[name]
  if (isFalsy(value)) throw wrong(`Missing ${name}`)
  if (typeof value !== 'string') throw wrong(`${name} must be a string`)
  if (/\p{Cs}/u.test(value)) throw wrong(`${name} contains half a character (an unpaired surrogate), which cannot be stored`)
  return value
}

/** A number, or digits: it becomes part of a path. */
function readPid(value: unknown): number {
  if (isFalsy(value)) throw wrong('Missing pid')
  const pid = typeof value === 'string' && /^[0-9]{1,10}$/.test(value) ? Number(value) : value
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) throw wrong('pid must be a process id')
  return pid
}

function readNumber(args: Arguments, name: string): number {
  const value = args[name]
  const number = typeof value === 'string' && /^\s*[+-]?[0-9]{1,15}\s*$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isSafeInteger(number)) throw wrong(`${name} must be an integer`)
  if (number < 0) throw wrong(`${name} must not be negative`)
  if (number > MAX_ADDRESSES) throw tooMany()
  return number
}

/** Of `allocate` and `reserve`: numbers are taken as their digits, unless some are lost already. */
function readUid(value: unknown): string {
  if (isFalsy(value)) throw wrong('Missing uid')
  if (typeof value !== 'string' && (typeof value !== 'number' || Math.abs(value) > Number.MAX_SAFE_INTEGER)) throw wrong(`Invalid UID: ${JSON.stringify(value)}`)
  return checkUid(String(value))
}

const LONGEST_UID = 200

/** UID is the handle of addresses, which is a part of a key as it is (datamodel-v3 §1.16), and Calico cuts one at a carriage return. */
function checkUid(uid: string): string {
  if (uid.length <= LONGEST_UID && /^[^\s/\p{Cc}\p{Cs}]+$/u.test(uid)) return uid
  throw wrong(`Invalid UID: ${JSON.stringify(uid.slice(0, LONGEST_UID))}. It must have no '/', no blanks and no control characters, and at most ${LONGEST_UID} characters.`)
}

/** `ipv4_addrs` and `ipv6_addrs`, without repetitions. */
function readAddresses(args: Arguments): Address[] {
  const ipv4 = readFamily(args.ipv4_addrs, 4, 'IPv6 address must not be placed in IPv4 address field.')
  const ipv6 = readFamily(args.ipv6_addrs, 6, 'IPv4 address must not be placed in IPv6 address field.')
  const all = distinct([...ipv4, ...ipv6])
  if (all.length === 0) throw wrong('Must provide at least one IPv4 or IPv6 address.')
  if (all.length > MAX_ADDRESSES) throw tooMany()
  return all
}

function readFamily(value: unknown, family: 4 | 6, otherwise: string): Address[] {
  return (value === undefined ? [] : requireList(value)).map((element) => {
    const address = readAddress(element)
    if (address.family !== family) throw wrong(otherwise)
    return address
  })
}

function requireList(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw wrong(`IP addresses must be provided as JSON list, not: ${value === null ? 'null' : typeof value}`)
}

/** An address of IPv4 in the form of IPv6 is none here: it would be in the field of the other family. */
function readAddress(value: unknown): Address {
  const text = typeof value === 'string' ? value : ''
  const parsed = parseAddress(text)
  const address = parsed?.family === 4 && text.includes(':') ? undefined : parsed
  if (!address) throw wrong(`IP address could not be parsed: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return address
}

const distinct = (addresses: readonly Address[]): Address[] =>
  addresses.filter((address, i) => addresses.findIndex((other) => equalAddresses(other, address)) === i)

/** Net-groups as pycalico took them for tags: all are examined before anything is written. */
function readNetgroups(value: unknown): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw wrong('Must provide list of netgroups.')
  if (value.length > MAX_NETGROUPS) throw wrong(`A task can be in at most ${MAX_NETGROUPS} net-groups.`)
  return value.map((group: unknown) => {
    if (typeof group === 'string' && group.length <= LONGEST_GROUP && /^[A-Za-z0-9_.-]+$/.test(group)) return group
    const shown = typeof group === 'string' ? group.slice(0, LONGEST_GROUP) : JSON.stringify(group)
    throw wrong(`'${shown}' is not allowed for key 'src_tag': a net-group has letters, digits, '_', '.' and '-', at most ${LONGEST_GROUP}.`)
  })
}

const LONGEST_GROUP = 200
/** Their profiles may all be new, and come into being in one transaction. */
const MAX_NETGROUPS = 64

const tooMany = (): CalicoError => wrong(`A task can have at most ${MAX_ADDRESSES} addresses.`)

const wrong = (text: string): CalicoError => new CalicoError('invalid', text)
