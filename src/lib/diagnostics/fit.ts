/** Keeping an archive within its size: logs are cut from their oldest end, other items go last. */

/** What is about to go into the archive. */
export interface Entry {
  /** Relative to the archive's folder. */
  readonly path: string
  readonly bytes: Buffer
  /** Of logs: when it was last changed, in ms since 1970. Others are cut only after all logs. */
  readonly changed?: number
  /** The bytes that were left out before, from the beginning. */
  readonly cut?: number
}

/** ENTRIES within MOST bytes of content. `dropped`: those that are no logs and found no space. */
export function fit(entries: readonly Entry[], most: number): {kept: Entry[]; dropped: Entry[]} {
  const isLog = ({changed}: Entry): boolean => changed !== undefined
  const dropped: Entry[] = []
  let room = most
  const others = new Set<Entry>()
  // The smallest first: one that is too large should not push out all the rest.
  for (const entry of entries.filter((each) => !isLog(each)).sort((a, b) => a.bytes.length - b.bytes.length)) {
    if (entry.bytes.length > room) dropped.push(entry)
    else {
      others.add(entry)
      room -= entry.bytes.length
    }
  }
  const logs = new Map<Entry, Entry>()
  for (const log of entries.filter(isLog).sort((a, b) => (b.changed ?? 0) - (a.changed ?? 0))) {
    const fitting = lastLines(log, room)
    room -= fitting.bytes.length
    logs.set(log, fitting)
  }
  return {kept: entries.flatMap((entry) => logs.get(entry) ?? (others.has(entry) ? [entry] : [])), dropped}
}

/** LOG with at most MOST bytes: whole lines from its end. */
export function lastLines(log: Entry, most: number): Entry {
  const {bytes, cut = 0} = log
  if (bytes.length <= most) return log
  const start = bytes.indexOf(0x0a, bytes.length - most - 1) + 1
  const from = start === 0 || most === 0 ? bytes.length : start
  return {...log, bytes: bytes.subarray(from), cut: cut + from}
}

const UNITS: Readonly<Record<string, number>> = {'': 1, k: 1e3, kb: 1e3, kib: 2 ** 10, m: 1e6, mb: 1e6, mib: 2 ** 20, g: 1e9, gb: 1e9, gib: 2 ** 30}

/** The bytes that TEXT means: `100MB`, `500k`, `1GiB`, plain bytes; undefined if it is no size. */
export function parseSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(\d{1,15})([a-z]{0,3})$/i.exec(text) ?? []
  const factor = Object.hasOwn(UNITS, unit.toLowerCase()) ? UNITS[unit.toLowerCase()] : undefined
  return digits === '' || factor === undefined ? undefined : Number(digits) * factor
}
