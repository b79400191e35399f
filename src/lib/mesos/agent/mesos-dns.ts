/** The configuration of Mesos-DNS: where it takes the address of a task from (mesos-docker §5.13). Pure. */
import {CalicoError} from '../../errors.js'
import {stringifyJson, tryParseJson} from '../../json/index.js'
import {isObject} from '../../json/is-object.js'

/** The source that knows the addresses of containers. */
export const NETINFO = 'netinfo'

/** The list IPSources of TEXT: undefined if there is none (Mesos-DNS then begins with netinfo by itself); a sentence if TEXT cannot be read. */
export function readSources(text: string): {readonly sources: readonly string[] | undefined} | {readonly problem: string} {
  const parsed = tryParseJson(text)
  if (parsed.error) return {problem: parsed.error.message}
  const {value} = parsed
  if (!isObject(value)) return {problem: 'it is not a JSON object'}
  const {IPSources: sources} = value
  if (sources === undefined) return {sources: undefined}
  return Array.isArray(sources) && sources.every((source) => typeof source === 'string') ? {sources} : {problem: 'IPSources is not a list of strings'}
}

/** TEXT with netinfo before all other sources; the same text if it is. @throws CalicoError `invalid` if TEXT cannot be read: PATH, for the message */
export function withNetinfoFirst(path: string, text: string): string {
  const read = readSources(text)
  if ('problem' in read) throw new CalicoError('invalid', `${path} cannot be edited: ${read.problem}`, {hint: 'Correct it, then run the command again.'})
  const {sources} = read
  if (sources === undefined || sources[0] === NETINFO) return text
  const document = (tryParseJson(text) as {value: object}).value
  const indent = /^\s*\{[ \t\r]*\n( +)/.exec(text)?.[1]?.length ?? 2
  return `${stringifyJson({...document, IPSources: [NETINFO, ...sources.filter((source) => source !== NETINFO)]}, indent)}\n`
}
