/** BIRD's answer to `show protocols`: a table whose columns move with long names, so that it is split at white space. */
import {CalicoError} from '../errors.js'
import {checkReply, type Reply} from './reply.js'

/** A row as BIRD has it. */
export interface Protocol {
  /** As in BIRD's configuration: `Mesh_10_201_0_3`. */
  readonly name: string
  /** `BGP`, `Kernel`, `Device`, `Static`, `Direct`. */
  readonly type: string
  readonly table: string
  /** `up`, `start`, `down`, `wait`, … */
  readonly state: string
  /** A time of day, or a date when it is old. */
  readonly since: string
  /** What the protocol says of itself, as it stands; empty for one that is disabled. */
  readonly info: string
}

const HEADER = 'name proto table state since info'

/** name, proto, table, state, since (a date may have its time behind it), and info with its inner blanks. */
const ROW = /^(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s+(\d{4}-\d{2}-\d{2} \d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?|\S+)(?:\s+(.*))?$/

/** The code of a row in the answers to `show protocols` and `show protocols all`; further lines of the latter have others. */
const ROW_CODE = 1002
const HEADER_CODE = 2002

/**
 * The rows of REPLY, in BIRD's order.
 * @throws CalicoError `failed` if it has no end, is a refusal, or is not such a table; `details` has the first line that was not understood
 */
export function readProtocols(reply: Reply): Protocol[] {
  checkReply(reply)
  const header = reply.lines.find(({code}) => code === HEADER_CODE)
  if (header?.text.trim().toLowerCase().replace(/\s+/g, ' ') !== HEADER) throw notUnderstood(header?.text ?? reply.lines[0]?.text ?? '')
  return reply.lines.filter(({code, text}) => code === ROW_CODE && text.trim() !== '').map(({text}) => readRow(text))
}

function readRow(text: string): Protocol {
  const [, name = '', type = '', table = '', state = '', since = '', info = ''] = ROW.exec(text.trim()) ?? []
  if (name === '') throw notUnderstood(text)
  return {name, type, table, state, since, info}
}

const notUnderstood = (line: string): CalicoError => new CalicoError('failed', 'BIRD\'s answer has an unknown format', {details: [line.slice(0, 200)]})
