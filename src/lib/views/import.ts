/** `import`: where the old store is, and how the plan is shown. */
import {fileReason, readRegularFile, readTextFile} from '../files/read.js'
import {CalicoError} from '../errors.js'
import type {Converted} from '../import-v1/convert.js'
import {fetchOldStore, LARGEST_DUMP} from '../import-v1/fetch.js'
import {labelOf} from '../import-v1/gather.js'
import {mergeStores, type OldStore, readDump, treesIn} from '../import-v1/old-store.js'
import type {Planned} from '../import-v1/write.js'
import {parseEndpoints} from '../settings/endpoints.js'
import {readPem} from '../settings/settings.js'
import type {EtcdSettings, Pem, Setting} from '../settings/types.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'

const STDIN = '-'

/** What a line says of where the old store is. */
export interface ImportSource {
  readonly 'etcd-v2'?: string | undefined
  readonly 'etcd-v2-ca'?: string | undefined
  readonly 'etcd-v2-cert'?: string | undefined
  readonly 'etcd-v2-key'?: string | undefined
  readonly from?: readonly string[] | undefined
}

/** What is wrong with SOURCE as a line; one sentence each. */
export function sourceProblems(source: ImportSource): string[] {
  const {'etcd-v2': url, 'etcd-v2-ca': ca, 'etcd-v2-cert': cert, 'etcd-v2-key': key, from} = source
  const problems: string[] = []
  if (url === undefined && from === undefined) problems.push('no old datastore is given: use --etcd-v2 URL or --from FILE')
  if (url !== undefined && from !== undefined) problems.push('give either --etcd-v2 or --from')
  if ((from ?? []).filter((path) => path === STDIN).length > 1) problems.push('--from -: stdin can be given only once')
  const tls = Object.entries({'--etcd-v2-ca': ca, '--etcd-v2-cert': cert, '--etcd-v2-key': key}).filter(([, value]) => value !== undefined)
  if (tls.length > 0 && (url === undefined || url.startsWith('http://'))) problems.push(`${tls.map(([name]) => name).join(', ')}: only for --etcd-v2 with https`)
  if ((cert === undefined) !== (key === undefined)) problems.push('--etcd-v2-cert and --etcd-v2-key must be given together')
  return problems
}

/** The settings for the etcd that SOURCE names; what is wrong with them goes to PROBLEM. */
export function oldEtcd(source: ImportSource, problem: (text: string) => void): EtcdSettings | undefined {
  const {'etcd-v2': url, 'etcd-v2-ca': ca, 'etcd-v2-cert': cert, 'etcd-v2-key': key} = source
  if (url === undefined) return undefined
  const pem = (what: string, option: string, file: string | undefined): Setting<Pem> | undefined =>
    file === undefined ? undefined : readPem(what, {value: {file}, origin: option}, readTextFile, problem)
  const endpoints = {value: parseEndpoints({value: url, origin: '--etcd-v2'}, problem), origin: '--etcd-v2'}
  const pems = {ca: pem('CA certificate', '--etcd-v2-ca', ca), cert: pem('client certificate', '--etcd-v2-cert', cert), key: pem('client key', '--etcd-v2-key', key)}
  return {type: 'etcd', endpoints, ...(pems.ca && {ca: pems.ca}), ...(pems.cert && {cert: pems.cert}), ...(pems.key && {key: pems.key})}
}

export interface ReadOptions {
  /** The time for each request, in milliseconds. */
  readonly limitMs: number
  /** All of stdin, at most LARGEST bytes. */
  readonly stdin: (largest: number) => Promise<string>
}

/** The old store that SOURCE, whose ETCD is read already, names, and what it lacks, for a note. @throws CalicoError if it cannot be read */
export async function readOldStore({from = []}: ImportSource, etcd: EtcdSettings | undefined, {limitMs, stdin}: ReadOptions): Promise<{readonly store: OldStore; readonly lacks: string | undefined}> {
  const {store, name} = etcd ? await fetchOldStore(etcd, limitMs) : await readDumps(from, stdin)
  const trees = treesIn(store, name)
  const missing = [
    ...(trees.has('v1') ? [] : ['/calico/v1 (profiles, pools, endpoints, Felix)']),
    ...(trees.has('bgp/v1') ? [] : ['/calico/bgp/v1 (BGP, addresses of nodes)']),
    ...(trees.has('ipam/v2') ? [] : ['/calico/ipam/v2 (assigned addresses)']),
  ]
  return {store, lacks: missing.length === 0 ? undefined : `${name} has no data of ${missing.join(' or ')}.`}
}

async function readDumps(paths: readonly string[], stdin: ReadOptions['stdin']): Promise<{store: OldStore; name: string}> {
  const stores: OldStore[] = []
  for (const path of paths) stores.push(path === STDIN ? readDump(Buffer.from(await stdin(LARGEST_DUMP)), 'stdin') : readFile(path))
  return {store: mergeStores(stores), name: paths.map((path) => (path === STDIN ? 'stdin' : path)).join(' and ')}
}

function readFile(path: string): OldStore {
  let bytes: Buffer
  try {
    bytes = readRegularFile(path, {largest: LARGEST_DUMP}).bytes
  } catch (error) {
    throw new CalicoError('invalid', `${path} cannot be read: ${fileReason(error)}`, {cause: error})
  }
  return readDump(bytes, path)
}

/** The plan as a document for programs. */
export const planDocument = (planned: readonly Planned[], {lost, unneeded}: Converted, dryRun: boolean): unknown =>
  ownDocument('ImportPlan', {
    dryRun,
    items: planned.map(({item: {kind, name, key, object, from}, change}) => ({kind, name, change, key, from, after: object})),
    lost,
    unneeded,
  })

/** The objects, a row each. */
export const planTable = (planned: readonly Planned[]): Presentation<Planned> => ({
  rows: planned,
  columns: [
    {header: 'Kind', value: ({item}) => item.kind},
    {header: 'Name', value: ({item}) => item.name},
    {header: 'Change', value: ({change}) => change},
  ],
  name: ({item}) => labelOf(item),
  document: (rows) => rows,
  alignment: 'left',
})

/** What cannot come over, two lines each. */
export const lostLines = ({lost}: Converted): string[] => lost.flatMap(({key, why}) => [key, `  ${why}`])
