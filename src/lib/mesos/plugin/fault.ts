/** The `error` of a reply: one line, never a stack trace (mesos-docker §1.9). Pure. */
import {CalicoError} from '../../errors.js'
import {escapeText} from '../../printable.js'
import {isSettingVariable} from '../../settings/table.js'
import type {Setting, Settings} from '../../settings/types.js'

/** The text for ERROR. SETTINGS, if they could be read, name the etcd that does not answer. */
export function faultText(error: unknown, settings?: Settings): string {
  if (!(error instanceof CalicoError)) return oneLine(`Unhandled error ${error instanceof Error ? error.message : String(error)}`)
  if (error.kind === 'unreachable' && settings?.datastore.type === 'etcd') return unreachable(settings.datastore.endpoints)
  return reason(error)
}

/** What ERROR says, all of it in one line. */
export function reason({message, details, hint}: CalicoError): string {
  const parts = [message, ...details, ...(hint === undefined ? [] : [hint])].map((part) => part.trim())
  return oneLine(parts.map((part, i) => (i === parts.length - 1 || /[.:;!?]$/.test(part) ? part : `${part}.`)).join(' '))
}

function unreachable({value, origin}: Setting<readonly string[]>): string {
  if (origin === 'the default') return 'Failed to communicate with etcd. ETCD_AUTHORITY is not set for this agent process.'
  const shown = origin.endsWith('ETCD_AUTHORITY') ? value.map((url) => url.replace(/^https?:\/\//, '')) : value
  const where = isSettingVariable(origin) ? `${origin} environment variable used by the mesos-agent process` : `the endpoints in ${origin}`
  return `Failed to communicate with etcd at '${shown.join(',')}'. Ensure that it is up and running or change ${where}.`
}

/** net-modules reads 40,960 bytes of the answer, and a text may repeat what was sent. */
const LONGEST = 4_000

function oneLine(text: string): string {
  const line = escapeText(text.slice(0, LONGEST + 1).replaceAll(/\s*[\r\n]+\s*/g, ' '))
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line
}
