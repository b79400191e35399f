/** Images: whether one is here, and pulling it, with its progress. */
import {CalicoError} from '../errors.js'
import {fieldsOf, imageOf} from './answers.js'
import {askEngine, engineAddress, EngineError, type EngineOptions, strange} from './engine.js'
import {lineSplitter} from './lines.js'

/** How far a pull is. Bytes are those that are known so far. */
export interface PullProgress {
  readonly layers: number
  readonly layersDone: number
  readonly bytes: number
  readonly totalBytes: number
}

/** One line of the Engine's answer to a pull. */
export interface PullMessage {
  readonly status?: string
  readonly id?: string
  readonly progressDetail?: {readonly current?: number; readonly total?: number}
  readonly error?: string
  readonly errorDetail?: {readonly message?: string}
}

/** Reads a pull's messages one by one: how far it is, or why it failed. */
export function pullReader(): {read: (message: PullMessage) => {progress: PullProgress} | {failed: string} | undefined} {
  const layers = new Map<string, {current: number; total: number; done: boolean}>()
  return {
    read({status = '', id, progressDetail, error, errorDetail}) {
      const failed = errorDetail?.message ?? error
      if (failed !== undefined) return {failed}
      if (id === undefined || status.startsWith('Pulling from ')) return undefined
      const before = layers.get(id) ?? {current: 0, total: 0, done: false}
      const downloading = status === 'Downloading'
      const total = downloading ? Math.max(before.total, progressDetail?.total ?? 0) : before.total
      const current = downloading ? (progressDetail?.current ?? before.current) : /^(Download complete|Pull complete|Extracting|Verifying)/.test(status) ? total : before.current
      layers.set(id, {current, total, done: before.done || status === 'Pull complete' || status === 'Already exists'})
      const all = [...layers.values()]
      const sum = (pick: (layer: {current: number; total: number}) => number): number => all.reduce((result, layer) => result + pick(layer), 0)
      return {progress: {layers: all.length, layersDone: all.filter(({done}) => done).length, bytes: sum((layer) => layer.current), totalBytes: sum((layer) => layer.total)}}
    },
  }
}

const TIME_LIMIT_MS = 10_000
/** The Engine asks the registry before it answers. */
const REGISTRY_LIMIT_MS = 120_000

/** What an image makes of its containers. */
export interface ImageDetails {
  /** `sha256:` and 64 hex digits. */
  readonly id: string
  /** The variables that they have by themselves: `NAME=value`. */
  readonly environment: readonly string[]
  /** The program that they run, with its arguments; empty if the image names none. */
  readonly command: readonly string[]
}

/** The image IMAGE; undefined if it is not on this host. */
export async function imageDetails(image: string, {env}: EngineOptions = {}): Promise<ImageDetails | undefined> {
  try {
    const address = engineAddress(env)
    return imageOf(await askEngine(address, TIME_LIMIT_MS, (docker) => docker.getImage(image).inspect())) ?? strange(address)
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined
    throw error
  }
}

/** Whether IMAGE is on this host. */
export const hasImage = async (image: string, options: EngineOptions = {}): Promise<boolean> => (await imageDetails(image, options)) !== undefined

/**
 * Pulls IMAGE (`latest` if it names no tag). STOP gives up: what has been pulled is kept by the Engine for the next time.
 * @throws CalicoError `failed` with the Engine's reason
 */
export async function pullImage(image: string, onProgress: (progress: PullProgress) => void, {env, stop}: EngineOptions & {stop?: AbortSignal} = {}): Promise<void> {
  const address = engineAddress(env)
  const name = /[:@][^/]*$/.test(image) ? image : `${image}:latest`
  let stream: NodeJS.ReadableStream
  try {
    stream = await askEngine<NodeJS.ReadableStream>(address, REGISTRY_LIMIT_MS, (docker) => docker.pull(name))
  } catch (error) {
    throw error instanceof EngineError ? cannotPull(image, error.message, error) : error
  }
  const reader = pullReader()
  let failed: string | undefined
  const splitter = lineSplitter((line) => {
    const outcome = line === '' ? undefined : reader.read(pullMessage(line))
    if (outcome && 'failed' in outcome) failed = outcome.failed
    else if (outcome) onProgress(outcome.progress)
  })
  await new Promise<void>((resolve) => {
    const end = (): void => {
      ;(stream as NodeJS.ReadableStream & {destroy?: () => void}).destroy?.()
      resolve()
    }
    stream.on('data', (data: Buffer) => splitter.push(data))
    for (const event of ['end', 'close', 'error', 'aborted']) stream.once(event, end)
    stop?.addEventListener('abort', end, {once: true})
  })
  splitter.end()
  if (failed !== undefined) throw cannotPull(image, failed)
  if (!(await hasImage(image, {...(env ? {env} : {})}))) throw cannotPull(image, 'The Docker Engine ended the pull before it was complete')
}

/** LINE as a message; what is not as the Engine sends it is left out. */
export function pullMessage(line: string): PullMessage {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return {}
  }
  const {status, id, progressDetail, error, errorDetail} = fieldsOf(value)
  const {current, total} = fieldsOf(progressDetail)
  const {message} = fieldsOf(errorDetail)
  return {
    ...(typeof status === 'string' && {status}),
    ...(typeof id === 'string' && {id}),
    progressDetail: {...(typeof current === 'number' && {current}), ...(typeof total === 'number' && {total})},
    ...(typeof error === 'string' && {error}),
    errorDetail: typeof message === 'string' ? {message} : {},
  }
}

const cannotPull = (image: string, why: string, cause?: unknown): CalicoError =>
  new CalicoError('failed', `The image ${image} could not be pulled: ${why}`, {
    hint: 'Check the name and the connection to the registry. Or load the image with docker load and start the node with --no-pull.',
    cause,
  })
