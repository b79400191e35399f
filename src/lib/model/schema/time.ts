/** Times as Kubernetes reads and writes them: RFC 3339, written in UTC with whole seconds. */
import {type Codec, refuse} from './codec.js'

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(?:Z|[+-](\d\d):(\d\d))$/

/** A time that is canonical already, of a day that every month has: what stored objects almost always hold, and need no calendar for. */
const CANONICAL = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/

/** Seconds of TEXT as a time in UTC, `2026-06-24T18:32:35Z`; undefined if Go would not read it. */
export function canonicalTime(text: string): string | undefined {
  if (text.length === 20 && CANONICAL.test(text)) return text
  const match = text.length > 64 ? null : RFC3339.exec(text)
  if (!match) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offsetHour = 0, offsetMinute = 0] = match
    .slice(1)
    .map((digits: string | undefined) => Number(digits ?? 0))
  const daysInMonth = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
  const valid =
    month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth && hour < 24 && minute < 60 && second < 60 && offsetHour <= 24 && offsetMinute < 60
  const time = Date.parse(text.replace(',', '.'))
  return valid && !Number.isNaN(time) ? new Date(time).toISOString().replace(/\.\d+Z$/, 'Z') : undefined
}

export const time: Codec<string> = {
  decode: (value, path, findings) => {
    const canonical = typeof value === 'string' ? canonicalTime(value) : undefined
    if (canonical === undefined) refuse(findings, path, 'a time such as "2026-06-24T18:32:35Z"', value)
    return canonical ?? ''
  },
  zero: () => '',
  isEmpty: (value) => value === '' || value === '0001-01-01T00:00:00Z',
}
