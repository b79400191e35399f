/** Times as Kubernetes reads and writes them: RFC 3339, written in UTC with whole seconds. */
import {type Codec, refuse} from './codec.js'

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:[.,]\d+)?(?:Z|[+-](\d\d):(\d\d))$/

const CANONICAL = '0000-00-00T00:00:00Z'

/** Whether TEXT is canonical already, of a day that its month always has: what stored objects almost always hold, and need no calendar for. */
function isPlainlyCanonical(text: string): boolean {
  if (text.length !== CANONICAL.length) return false
  for (let i = 0; i < CANONICAL.length; i++) {
    const [wanted, code] = [CANONICAL.charCodeAt(i), text.charCodeAt(i)]
    if (wanted === ZERO ? code < ZERO || code > ZERO + 9 : code !== wanted) return false
  }
  const [month, day] = [twoDigits(text, 5), twoDigits(text, 8)]
  return month >= 1 && month <= 12 && day >= 1 && day <= leastDays(month) && twoDigits(text, 11) < 24 && twoDigits(text, 14) < 60 && twoDigits(text, 17) < 60
}

/** The days of MONTH in a common year. */
const leastDays = (month: number): number => (month === 2 ? 28 : [4, 6, 9, 11].includes(month) ? 30 : 31)

const ZERO = CANONICAL.charCodeAt(0)

const twoDigits = (text: string, at: number): number => (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO

/** Seconds of TEXT as a time in UTC, `2026-06-24T18:32:35Z`; undefined if Go would not read it. */
export function canonicalTime(text: string): string | undefined {
  if (isPlainlyCanonical(text)) return text
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
