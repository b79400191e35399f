/** What has changed, as a stage tells it: the base's changes up to its revision, then those that were staged. */
import type {Change, ChangeBatch, Datastore, Revision} from '../datastore.js'

/** The parts of a stage that a watch needs. */
export interface Watched {
  readonly base: Datastore
  /** Of the base, at which the stage is. */
  readonly revision: Revision
  /** The staged changes under a prefix from a revision on. */
  readonly changed: (from: Revision, prefix: string) => Change[]
  readonly now: () => Revision
  readonly refuseIfClosed: () => void
  /** Has CALL called once, at the next change. */
  readonly onChange: (call: () => void) => void
}

/** etcd and the embedded store begin with this revision, which nothing has changed. */
const FIRST: Revision = 1n

/** The changes of KEY in BASE from FROM up to REVISION. */
export async function stagedHistory(base: Datastore, revision: Revision, key: string, from: Revision): Promise<ChangeBatch> {
  if (from > revision) return []
  return (await base.history(key, from)).filter((change) => change.revision <= revision)
}

/** As `Datastore.watch`. */
export async function* stagedWatch({base, revision, changed, now, refuseIfClosed, onChange}: Watched, prefix: string, from: Revision, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
  refuseIfClosed()
  if (from <= revision && revision > FIRST) {
    for await (const batch of upTo(base, revision, from, signal)) {
      const wanted = batch.filter(({key}) => key.startsWith(prefix))
      if (wanted.length > 0) yield wanted
    }
  }
  for (let next = from; !signal.aborted; ) {
    refuseIfClosed()
    const batch = next <= now() ? changed(next, prefix) : []
    if (now() >= next) next = now() + 1n
    if (batch.length > 0) {
      yield batch
      continue
    }
    await new Promise<void>((resolve) => {
      onChange(resolve)
      signal.addEventListener('abort', () => resolve(), {once: true})
    })
  }
}

/** All changes of BASE from FROM to REVISION: every revision has one, so the end is known. @throws CompactedError */
async function* upTo(base: Datastore, revision: Revision, from: Revision, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
  const end = new AbortController()
  const stop = (): void => end.abort()
  signal.addEventListener('abort', stop, {once: true})
  if (signal.aborted) return
  try {
    for await (const batch of base.watch('', from, end.signal)) {
      yield batch.filter((change) => change.revision <= revision)
      if (batch.some((change) => change.revision >= revision)) return
    }
  } finally {
    signal.removeEventListener('abort', stop)
    end.abort()
  }
}
