/**
 * Values in rules: text → value. Each reader says what is wrong by calling BAD, and returns undefined then; so all problems of a line are
 * found together (design.md §5). The limits are the narrower ones of v0.20 (cli-v0.20 §4.4.5) and Calico v3 (datamodel-v3 §2.2).
 */
import {formatCidr, networkOf, parseTypedCidr, shortFormProblem} from '../net/index.js'
import {tagProblem} from '../model/names.js'
import {tryParseSelector} from '../model/selector/index.js'
import {PROTOCOLS, type PortMatch, type RuleProtocol} from './rule.js'
import {usesGlobal} from './selector-forms.js'

export type Bad = (problem: string) => void

const MAX_PORT = 65_535
/** v0.20 and Calico both refuse type 255; v0.20 refused code 255 as well. */
const MAX_ICMP = 254

/** `80,443,8000:9000`: ports 1–65535 and ranges `low:high`, separated by commas without spaces. Leading zeros do not matter. */
export function readPorts(text: string, bad: Bad): PortMatch[] | undefined {
  const ports = text.split(',').map((item) => readPort(item, bad))
  return ports.every((port) => port !== undefined) ? ports : undefined
}

/** One item of {@link readPorts}. */
export function readPort(text: string, bad: Bad): PortMatch | undefined {
  if (/^\d+$/.test(text)) return readPortNumber(text, bad)
  const range = /^(\d+):(\d+)$/.exec(text)
  if (range) {
    const low = readPortNumber(range[1] ?? '', bad)
    const high = readPortNumber(range[2] ?? '', bad)
    if (low === undefined || high === undefined) return undefined
    if (low < high) return `${low}:${high}`
    bad(`port range ${quoted(text)}: the first port must be lower than the last`)
    return undefined
  }
  bad(`${text === '' ? 'a port is missing' : `${quoted(text)} is not a port`}: give numbers and ranges low:high, separated by commas without spaces`)
  return undefined
}

function readPortNumber(digits: string, bad: Bad): number | undefined {
  const port = Number(digits)
  if (port >= 1 && port <= MAX_PORT) return port
  bad(port === 0 ? 'port 0: Calico matches ports 1 to 65535 only' : `port ${quoted(digits)} is above ${MAX_PORT}`)
  return undefined
}

/** An ICMP type or code, WHICH of them, 0–254; `08` and `+8` are 8. */
export function readIcmpNumber(which: 'type' | 'code', text: string, bad: Bad): number | undefined {
  const number = /^\s*\+?\d+\s*$/.test(text) ? Number(text) : NaN
  if (number <= MAX_ICMP) return number
  bad(`ICMP ${which} ${quoted(text)} is not a number from 0 to ${MAX_ICMP}`)
  return undefined
}

/** The network, written in full (decisions.md 40), as Calico writes it: `10.1.2.3/8` is `10.0.0.0/8`, a bare address its /32 or /128. */
export function readNetwork(text: string, bad: Bad): string | undefined {
  const cidr = parseTypedCidr(text)
  if (cidr) return formatCidr(networkOf(cidr))
  bad(`${quoted(text)} ${shortFormProblem(text, 'cidr') ?? 'is not a CIDR or IP address'}`)
  return undefined
}

/** A protocol by name, in any case, or number. */
export function readProtocol(text: string, bad: Bad): RuleProtocol | undefined {
  const name = text.toLowerCase()
  if (Object.hasOwn(PROTOCOLS, name)) return name as RuleProtocol
  const number = /^\d+$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= 255) return number
  bad(`${quoted(text)} is not a protocol: give ${Object.keys(PROTOCOLS).join(', ')} or a number from 1 to 255`)
  return undefined
}

/** A tag: a label key that v0.20 took as a name (design.md §4). */
export function readTag(text: string, bad: Bad): string | undefined {
  const problem = tagProblem(text)
  if (problem === undefined) return text
  bad(`${quoted(text)} is not a valid tag: ${problem}`)
  return undefined
}

/** A selector, as typed. An empty one would match everything and is refused. */
export function readSelector(text: string, bad: Bad): string | undefined {
  if (text.trim() === '') {
    bad('the selector is empty: all() selects everything')
    return undefined
  }
  const {selector, error} = tryParseSelector(text)
  if (error) bad(`selector ${quoted(text)}: ${error.problem} at character ${error.position + 1}`)
  else if (usesGlobal(selector)) bad(`selector ${quoted(text)}: global() is not allowed in rules`)
  else return text
  return undefined
}

/** TEXT as part of a message, cut where it is long. */
function quoted(text: string): string {
  return text.length > 80 ? `"${text.slice(0, 77)}…"` : `"${text}"`
}
