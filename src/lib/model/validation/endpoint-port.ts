/** Named ports of endpoints. */
import {oneOf} from '../schema/codec.js'
import type {Protocol} from '../types.js'
import type {Report} from './kind.js'

const isName = oneOf(['TCP', 'UDP', 'SCTP'])
const NUMBERS: readonly Protocol[] = [6, 17, 132]

/** Checks the PROTOCOL of the port at FIELD: one that has ports. */
export function checkPortProtocol(protocol: Protocol, field: string, report: Report): void {
  const problem = typeof protocol === 'string' ? isName(protocol) : NUMBERS.includes(protocol) ? undefined : isName(String(protocol))
  if (problem !== undefined) report(`${field}.protocol`, problem)
}
