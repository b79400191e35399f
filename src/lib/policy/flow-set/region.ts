/**
 * Sets of points in a plane of whole numbers, in a canonical form: two regions are the same set exactly if they are written alike. A region is a list of
 * slabs, each a range of x with the ranges of y that belong to it; neighbours differ. Ranges are inclusive and flat: `[from, to, from, to, …]`.
 */

/** Ranges of whole numbers, inclusive, in order, with a gap between each two: `[1, 5, 8, 8]` is 1 to 5 and 8. */
export type Ranges = readonly number[]

export interface Slab {
  readonly from: number
  readonly to: number
  readonly ys: Ranges
}

export type Region = readonly Slab[]

/** Whether a point that is in A, in B, is in the result. For neither it must be false. */
type Keep = (inA: boolean, inB: boolean) => boolean

export const UNION: Keep = (a, b) => a || b
export const INTERSECTION: Keep = (a, b) => a && b
export const DIFFERENCE: Keep = (a, b) => a && !b

export const NOWHERE: Region = []

/** The rectangle of all x in FROM..TO and y in YS. */
export const rectangle = (from: number, to: number, ys: Ranges): Region => (ys.length === 0 || from > to ? NOWHERE : [{from, to, ys}])

/** All points whose x is in XS and whose y is in YS. */
export function product(xs: Ranges, ys: Ranges): Region {
  if (ys.length === 0) return NOWHERE
  const slabs: Slab[] = []
  for (let i = 0; i < xs.length; i += 2) slabs.push({from: at(xs, i), to: at(xs, i + 1), ys})
  return slabs
}

const at = (ranges: Ranges, index: number): number => ranges[index] ?? 0

/** Where RANGES begins or, after an odd INDEX, has just ended; Infinity behind the last. */
const edge = (ranges: Ranges, index: number): number => (index < ranges.length ? at(ranges, index) + (index % 2) : Infinity)

/** The ranges of what KEEP says of A and B. */
export function combineRanges(a: Ranges, b: Ranges, keep: Keep): Ranges {
  const result: number[] = []
  let [i, j, on] = [0, 0, false]
  while (i < a.length || j < b.length) {
    const here = Math.min(edge(a, i), edge(b, j))
    while (edge(a, i) === here) i++
    while (edge(b, j) === here) j++
    const next = keep(i % 2 === 1, j % 2 === 1)
    if (next === on) continue
    result.push(next ? here : here - 1)
    on = next
  }
  return result
}

/** RANGES, which may overlap and be in any order, as a canonical list. */
export function rangesOf(pairs: readonly (readonly [number, number])[]): Ranges {
  return pairs.reduce<Ranges>((ranges, [from, to]) => combineRanges(ranges, [from, to], UNION), [])
}

const inRanges = (ranges: Ranges, value: number): boolean => {
  for (let i = 0; i < ranges.length; i += 2) if (value >= at(ranges, i) && value <= at(ranges, i + 1)) return true
  return false
}

const sameRanges = (a: Ranges, b: Ranges): boolean => a === b || (a.length === b.length && a.every((value, index) => value === b[index]))

export const sameRegion = (a: Region, b: Region): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every((slab, index) => {
      const other = b[index]
      return slab.from === other?.from && slab.to === other.to && sameRanges(slab.ys, other.ys)
    }))

/** The region of what KEEP says of A and B. */
export function combineRegions(a: Region, b: Region, keep: Keep): Region {
  const result: Slab[] = []
  let [i, j, from] = [0, 0, 0]
  for (;;) {
    while (i < a.length && (a[i]?.to ?? 0) < from) i++
    while (j < b.length && (b[j]?.to ?? 0) < from) j++
    const [x, y] = [a[i], b[j]]
    if (x === undefined && y === undefined) return result
    const end = Math.min(changeBehind(x, from), changeBehind(y, from))
    const ys = combineRanges(ysAt(x, from), ysAt(y, from), keep)
    if (ys.length > 0) {
      const last = result.at(-1)
      if (last?.to === from - 1 && sameRanges(last.ys, ys)) result[result.length - 1] = {from: last.from, to: end - 1, ys: last.ys}
      else result.push({from, to: end - 1, ys})
    }
    from = end
  }
}

/** The first x behind FROM at which SLAB, which does not end before it, begins or has ended. */
const changeBehind = (slab: Slab | undefined, from: number): number => (slab === undefined ? Infinity : from < slab.from ? slab.from : slab.to + 1)

const ysAt = (slab: Slab | undefined, x: number): Ranges => (slab !== undefined && slab.from <= x ? slab.ys : [])

export const regionHas = (region: Region, x: number, y: number): boolean => region.some(({from, to, ys}) => x >= from && x <= to && inRanges(ys, y))
