/** Chance from a seed: the same seed gives the same numbers on every machine. */
export interface Random {
  /** At least 0, less than 1. */
  next(): number
  /** A whole number from 0 to COUNT - 1. */
  below(count: number): number
  /** Whether something with this probability happens. */
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  /** Chance of its own for NAME: what is asked of it has no influence on others. */
  fork(name: string): Random
}

export function newRandom(seed: string): Random {
  let state = hash(seed)
  const random: Random = {
    // Mulberry32.
    next() {
      state = (state + 0x6d2b79f5) >>> 0
      let t = state
      t = Math.imul(t ^ (t >>> 15), t | 1)
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
      return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
    },
    below: (count) => Math.floor(random.next() * count),
    chance: (probability) => random.next() < probability,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) throw new RangeError('nothing to choose from')
      return items[random.below(items.length)] as T
    },
    fork: (name) => newRandom(`${seed}/${name}`),
  }
  return random
}

function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  value ^= value >>> 16
  value = Math.imul(value, 0x85ebca6b)
  return (value ^ (value >>> 13)) >>> 0
}
