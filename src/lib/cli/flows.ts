/** What --flows tells of a change. */
import {type ChangedWorld, readChangedWorld} from '../client/policy-world.js'
import type {Session, Written} from '../client/session.js'
import {CalicoError} from '../errors.js'
import {type FlowChange, flowChanges, type FlowEnd} from '../policy/flow-changes.js'

/** A line of it, as `-o json` has it. */
export interface FlowLine {
  readonly change: '+' | '-'
  readonly from: string
  readonly to: string
  readonly flow: string
  /** How many endpoints the groups have; 0 for hosts and for the outside. */
  readonly fromEndpoints: number
  readonly toEndpoints: number
}

export interface FlowsReport {
  readonly json: readonly FlowLine[]
  readonly text: readonly string[]
  /** What the list cannot tell. */
  readonly warnings: readonly string[]
}

/**
 * What WRITTEN has done to flows (REHEARSED: would do), for people and for programs.
 * @throws CalicoError if the store cannot be read; the message says that the change was made all the same, unless it was only rehearsed
 */
export async function reportFlows(session: Session, written: readonly Written[], rehearsed: boolean): Promise<FlowsReport> {
  let worlds: ChangedWorld | undefined
  try {
    worlds = await readChangedWorld(session, written)
  } catch (error) {
    if (rehearsed || !(error instanceof CalicoError)) throw error
    throw new CalicoError(error.kind, `The change was made, but its effect on flows cannot be determined: ${error.message}`, {details: error.details, cause: error, ...(error.hint !== undefined && {hint: error.hint})})
  }
  const rows = worlds ? flowChanges(worlds.before, worlds.after, worlds.changed) : []
  const each = rows.flatMap((row) => row.texts.map((flow) => ({row, flow})))
  return {
    json: each.map(({row: {change, from, to}, flow}) => ({change, from: from.name, to: to.name, flow, fromEndpoints: endpointsOf(from), toEndpoints: endpointsOf(to)})),
    text: each.length === 0 ? ['no flow changes'] : each.map(({row, flow}) => lineText(row, flow)),
    warnings: worlds ? doubts(worlds) : [],
  }
}

const endpointsOf = ({type, members}: FlowEnd): number => (type === 'workloads' ? members.length : 0)

function lineText({change, from, to, onNode}: FlowChange, flow: string): string {
  const size = ({type, members}: FlowEnd): string => (type === 'outside' ? '' : `${members.length} ${type === 'host' ? 'host' : 'endpoint'}${members.length === 1 ? '' : 's'}`)
  const [one, other] = [size(from), size(to)]
  const numbers = [one, other && `to ${other}`].filter((part) => part !== '').join(' ')
  return `${change} ${from.name} → ${to.name} ${flow} (${numbers}${onNode ? ', each on the same host' : ''})`
}

/** Objects that Felix cannot read, or that stop it, in either world. */
function doubts({before, after}: ChangedWorld): string[] {
  const bad = [...before.problems, ...after.problems].filter(({effect}) => effect === 'unreadable' || effect === 'stops')
  const names = [...new Set(bad.map(({kind, name}) => `${kind.toLowerCase()}/${name}`))]
  if (names.length === 0) return []
  return [`Felix cannot use ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}: it is not known which flows they allow, and the list of flows ignores them. For the reason: calicoctl lint`]
}
