const UNITS: Readonly<Record<string, number>> = {ms: 1, s: 1000, m: 60_000, h: 3_600_000}

/** Milliseconds of a duration as users type it: `2s`, `500ms`, `1m`, `1m30s`, or plain seconds (`10`, `0.5`). Undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 32) return undefined
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000
  let total = 0
  let rest = text
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)/.exec(rest)
    if (!match) return undefined
    total += Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0)
    rest = rest.slice(match[0].length)
  }
  return text === '' ? undefined : total
}
