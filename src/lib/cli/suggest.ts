/** Which of the known words was probably meant. */

/** How many edits from WORD are too many for a slip of the hand: a third of its letters, and at least one, are not. */
const tooFar = (word: string): number => Math.max(1, Math.floor(word.length / 3)) + 1

/** Those of CANDIDATES that are near enough to WORD to have been meant, the nearest first, at most MOST. */
export function nearestFew(word: string, candidates: Iterable<string>, most: number): string[] {
  const limit = tooFar(word)
  return [...candidates]
    .map((candidate) => ({candidate, slips: distance(word.toLowerCase(), candidate.toLowerCase(), limit)}))
    .filter(({slips}) => slips < limit)
    .sort((a, b) => a.slips - b.slips || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, most)
    .map(({candidate}) => candidate)
}

/** The candidate nearest to WORD, if it is near enough to be a slip of the hand: a third of its letters, at least one. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined
  let least = tooFar(word)
  for (const candidate of candidates) {
    const slips = distance(word.toLowerCase(), candidate.toLowerCase(), least)
    if (slips < least) {
      least = slips
      best = candidate
    }
  }
  return best
}

/** Edits from A to B: a letter more, less or another, or two neighbours swapped. LIMIT or more is reported as LIMIT. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit
  let older: number[] = []
  let previous = Array.from({length: b.length + 1}, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const edits = [(current[column - 1] ?? 0) + 1, (previous[column] ?? 0) + 1, (previous[column - 1] ?? 0) + (same ? 0 : 1)]
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) edits.push((older[column - 2] ?? 0) + 1)
      current.push(Math.min(...edits))
    }
    older = previous
    previous = current
  }
  return Math.min(limit, previous[b.length] ?? limit)
}
