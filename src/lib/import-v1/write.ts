/** Writing what was converted: in one guarded transaction, or, where it does not fit, in several, what others rest on first. Nothing that exists is changed. */
import {commit, type Seen} from '../client/commit.js'
import {portions} from '../client/portions.js'
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {KeyValue} from '../datastore/datastore.js'
import {CalicoError} from '../errors.js'
import {kindPrefix} from '../model/keys.js'
import {type Item, ITEM_KINDS, labelOf} from './gather.js'
import {type Around, type Judgement, judge} from './judge.js'

/** An item and what becomes of it. */
export interface Planned {
  readonly item: Item
  readonly change: 'created' | 'unchanged'
}

const KEYS_PER_READ = 100
const LISTS = [{list: kindPrefix('IPPool')}, {list: kindPrefix('BGPPeer')}]

const aroundOf = ([pools = [], peers = []]: readonly (readonly KeyValue[])[]): Around => ({pools, peers})

/**
 * What is to be done of ITEMS, in the order in which it is written.
 * @throws CalicoError `conflict` with all objects that exist and differ
 */
export async function planImport(session: Session, items: readonly Item[]): Promise<readonly Planned[]> {
  const {results} = await read(session, LISTS)
  const around = aroundOf(results)
  const ordered = [...items].sort((a, b) => ITEM_KINDS.indexOf(a.kind) - ITEM_KINDS.indexOf(b.kind))
  const judged: {readonly item: Item; readonly judgement: Judgement}[] = []
  for (let from = 0; from < ordered.length; from += KEYS_PER_READ) {
    const some = ordered.slice(from, from + KEYS_PER_READ)
    const {results: stored} = await read(session, some.map(({key}) => ({get: key})))
    for (const [at, item] of some.entries()) judged.push({item, judgement: judge(item, stored[at]?.[0], around)})
  }
  return settled(judged)
}

/** @throws CalicoError `conflict` */
function settled(judged: readonly {readonly item: Item; readonly judgement: Judgement}[]): Planned[] {
  const problems: string[] = []
  const planned: Planned[] = []
  for (const {item, judgement} of judged) {
    if (typeof judgement === 'object') problems.push(`${labelOf(item)}: ${judgement.differs}`)
    else planned.push({item, change: judgement})
  }
  if (problems.length === 0) return planned
  throw new CalicoError('conflict', `${problems.length === 1 ? 'An object' : `${problems.length} objects`} already in the datastore ${problems.length === 1 ? 'differs' : 'differ'} from the old datastore; nothing was changed`, {
    details: problems,
    hint: 'Import into an empty datastore, or change or delete these objects first.',
  })
}

/**
 * Writes what of PLANNED is not there yet.
 * @param progress receives how many transactions it takes, where that is more than one
 * @throws CalicoError `conflict` if someone has made one of the objects differently meanwhile; `unknown` if it failed between two transactions
 */
export async function writeImport(session: Session, planned: readonly Planned[], progress: (text: string) => void): Promise<void> {
  const missing = planned.filter(({change}) => change === 'created').map(({item}) => item)
  const chunks = portions(missing, ({key, value}) => Buffer.byteLength(key) + Buffer.byteLength(value))
  if (chunks.length > 1 && !session.dryRun) progress(`${missing.length} objects are written in ${chunks.length} transactions, dependencies first.`)
  let done = 0
  for (const chunk of chunks) {
    if (chunks.length > 1) session.writes.remaining = `${missing.length - done} of ${missing.length} objects have not been written yet. To write them, run the same command again`
    try {
      await writeChunk(session, chunk)
    } catch (error) {
      if (done === 0 || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${done} of ${missing.length} objects were written, the others were not: ${error.message}`, {details: error.details, hint: 'The written objects are kept. To write the rest, run the same command again.', cause: error})
    }
    done += chunk.length
  }
  session.writes.remaining = undefined
}

async function writeChunk(session: Session, items: readonly Item[]): Promise<void> {
  await commit(session, [...LISTS, ...items.map(({key}) => ({get: key}))], (seen: Seen) => {
    const [pools = [], peers = [], ...stored] = seen.results
    const planned = settled(items.map((item, at) => ({item, judgement: judge(item, stored[at]?.[0], {pools, peers})})))
    const writes = planned.filter(({change}) => change === 'created').map(({item}) => ({key: item.key, read: undefined, value: item.value}))
    const kinds = (['IPPool', 'BGPPeer'] as const).filter((kind) => writes.some(({key}) => key.startsWith(kindPrefix(kind))))
    return {
      writes,
      guards: kinds.map((kind) => ({prefix: kindPrefix(kind), unchangedSince: seen.revision})),
      what: `the import of ${writes.length === 1 ? 'an object' : `${writes.length} objects`}`,
      outcome: undefined,
    }
  })
}
