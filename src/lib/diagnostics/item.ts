/** What an archive is made of: items, each collected by itself within a time, whose failure is its own. */
import {CalicoError} from '../errors.js'

/** A file of an item. Secrets are taken out of it later, unless that has been done. */
export type Content = {
  /** Relative to the archive's folder. */
  readonly path: string
} & (
  | {readonly text: string; readonly redacted?: boolean; /** Cut first, from its beginning. */ readonly log?: boolean}
  /** Written as JSON. */
  | {readonly document: unknown}
)

/** What a collector came back with. */
export type Collected =
  | {readonly files: readonly Content[]}
  /** This host has nothing of the kind: the item is not missing. */
  | {readonly notNeeded: string}
  /** FILES hold what there is of it all the same. */
  | {readonly missing: string; readonly files?: readonly Content[]}

export interface Item {
  /** What it is called where it is missing. */
  readonly name: string
  /** The line that tells of it: v0.20's, which goes to stdout, or one of ours. */
  readonly progress?: {readonly line: string; readonly ours?: boolean}
  readonly timeLimitMs?: number
  readonly collect: () => Promise<Collected>
}

const TIME_LIMIT_MS = 30_000

/** Collects ITEM; what goes wrong, also in ways that no one thought of, makes it missing. */
export async function collect({collect: work, timeLimitMs = TIME_LIMIT_MS}: Item): Promise<Collected> {
  let timer: NodeJS.Timeout | undefined
  const timeUp = new Promise<Collected>((resolve) => {
    timer = setTimeout(() => resolve({missing: `it did not finish within ${timeLimitMs / 1000} s`}), timeLimitMs)
  })
  try {
    return await Promise.race([work(), timeUp])
  } catch (error) {
    return {missing: failureText(error)}
  } finally {
    clearTimeout(timer)
  }
}

/** ERROR in one line, with what it says of its parts. */
export function failureText(error: unknown): string {
  if (error instanceof CalicoError) return [error.message, error.details.join('; ')].filter((text) => text !== '').join(' ')
  return error instanceof Error ? error.message : String(error)
}
