/** What must still hold in the base when a stage is committed: kept while it is made, without what says nothing new. */
import type {Compare, KeyValue, Revision} from '../datastore.js'

/** What is known of the stage when conditions are judged. */
export interface Judged {
  /** Whether the stage itself has written the key: its state in the base is compared anyway. */
  readonly isWritten: (key: string) => boolean
  /** The key as the base has it. */
  readonly stored: (key: string) => KeyValue | undefined
}

/** A key that was written. */
export interface WrittenKey {
  readonly key: string
  readonly before: KeyValue | undefined
  /** False: its value ends as it was. */
  readonly changes: boolean
}

export interface Conditions {
  /** Notes that COMPARES were asked for and all held, or (SUCCEEDED false) that one of them did not: what they were about must then stay as it is. */
  judged(compares: readonly Compare[], succeeded: boolean, known: Judged): void
  /** The conditions on the base. That each key of WRITTEN that changes is as before is not among them: whoever writes it compares that. */
  guards(written: readonly WrittenKey[]): readonly Compare[]
}

/** Of a stage over the base at REVISION. */
export function newConditions(revision: Revision): Conditions {
  const ofKeys = new Map<string, Map<string, Compare>>()
  const prefixes = new Set<string>()

  function add(key: string, compare: Compare): void {
    const text = 'version' in compare ? `version ${compare.version.toString()}` : 'modRevision' in compare ? `mod ${compare.modRevision.toString()}` : 'value' in compare ? `value ${compare.value}` : ''
    const all = ofKeys.get(key) ?? new Map<string, Compare>()
    all.set(text, compare)
    ofKeys.set(key, all)
  }

  return {
    judged(compares, succeeded, {isWritten, stored}) {
      for (const compare of compares) {
        // What the base had at its revision has been judged; what comes to it later is what must be seen.
        if ('prefix' in compare) prefixes.add(compare.prefix)
        else if (!isWritten(compare.key)) add(compare.key, succeeded ? compare : asItIs(compare.key, stored(compare.key)))
      }
    },
    guards(written) {
      const outermost = [...prefixes].filter((prefix) => ![...prefixes].some((other) => other !== prefix && prefix.startsWith(other)))
      const isCovered = (key: string): boolean => outermost.some((prefix) => key.startsWith(prefix))
      const compared = new Set(written.map(({key}) => key))
      const all: Compare[] = outermost.map((prefix) => ({prefix, unchangedSince: revision}))
      // One that ends as it was may have led to something else meanwhile.
      for (const {key, before, changes} of written) if (!changes && !(before === undefined && isCovered(key))) all.push(asItIs(key, before))
      for (const [key, compares] of ofKeys) {
        if (compared.has(key)) continue
        for (const compare of strongest([...compares.values()])) if (!(isAbsence(compare) && isCovered(key))) all.push(compare)
      }
      return all
    },
  }
}

/** The condition that KEY is as KV says. */
export const asItIs = (key: string, kv: KeyValue | undefined): Compare => (kv ? {key, modRevision: kv.modRevision} : {key, version: 0n})

const isAbsence = (compare: Compare): boolean => ('version' in compare && compare.version === 0n) || ('modRevision' in compare && compare.modRevision === 0n)

/** Of conditions on one key, all of which held at once: the mod revision says what all others say. */
function strongest(compares: readonly Compare[]): readonly Compare[] {
  const exact = compares.find((compare) => 'modRevision' in compare || isAbsence(compare))
  return exact ? [exact] : compares
}
