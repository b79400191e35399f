/** The life of a container that we run ourselves: created, started, followed, asked, stopped and removed. */
import type Dockerode from 'dockerode'
import {CalicoError} from '../errors.js'
import {containerStateOf, fieldsOf} from './answers.js'
import {askEngine, engineAddress, EngineError, type EngineOptions, strange} from './engine.js'
import {lineSplitter} from './lines.js'

/** A container of ours as it is now. */
export interface ContainerState {
  readonly id: string
  readonly running: boolean
  /** The Engine waits before it starts the container anew. */
  readonly restarting: boolean
  readonly restartCount: number
  readonly exitCode: number
  readonly restartPolicy: string
}

export interface ContainerSpec {
  readonly name: string
  readonly image: string
  /** `NAME=value` */
  readonly environment: readonly string[]
  /** `source:target[:ro]` */
  readonly binds: readonly string[]
  readonly restartPolicy: string
  /** Whose processes it sees; its own, if absent. */
  readonly pidMode?: 'host'
}

/** How a program that was run in a container has ended. */
export interface ExecResult {
  readonly exitCode: number | undefined
  readonly output: string
  /** There is no such program in the container. */
  readonly missing?: boolean
}

/** All methods throw CalicoError as those of Engine do. */
export interface Lifecycle {
  readonly address: string
  /** Makes sure that the Engine answers. */
  ping(): Promise<void>
  /** Undefined if there is no such container. */
  state(name: string): Promise<ContainerState | undefined>
  /** A privileged container in the host's network. The id. @throws CalicoError `not-found` if its image is not here */
  create(spec: ContainerSpec): Promise<string>
  start(id: string): Promise<void>
  /** Does nothing if it does not run. */
  stop(id: string): Promise<void>
  /** Does nothing if it is gone. */
  remove(id: string): Promise<void>
  /** The last lines of its log. */
  tail(id: string, lines: number): Promise<string[]>
  /** Gives every line of its log, from its first one or only new ones, to ONLINE; ends when the container or the Engine does, or with STOP. */
  follow(id: string, options: {from: 'start' | 'now'; onLine: (line: string) => void; stop: AbortSignal}): Promise<void>
  /** Runs a program in it. Undefined as exit code: it did not end in time. */
  exec(id: string, command: readonly string[]): Promise<ExecResult>
}

const TIME_LIMIT_MS = 10_000
/** The Engine gives a container 10 s to end before it kills it. */
const STOP_LIMIT_MS = 25_000

export function containerLifecycle({env = process.env, timeLimitMs = TIME_LIMIT_MS}: EngineOptions = {}): Lifecycle {
  const address = engineAddress(env)
  const ask = <T>(question: (docker: Dockerode, abortSignal: AbortSignal) => Promise<T>, limit = timeLimitMs): Promise<T> => askEngine(address, limit, question)
  return {
    address,
    async ping() {
      await ask((docker) => docker.ping())
    },
    state: (name) =>
      unless(404, async () => containerStateOf(await ask((docker, abortSignal) => docker.getContainer(name).inspect({abortSignal}))) ?? strange(address)),
    async create({name, image, environment, binds, restartPolicy, pidMode}) {
      try {
        const created = await ask((docker) =>
          docker.createContainer({
            name,
            Image: image,
            Env: [...environment],
            HostConfig: {Privileged: true, NetworkMode: 'host', Binds: [...binds], RestartPolicy: {Name: restartPolicy}, ...(pidMode === undefined ? {} : {PidMode: pidMode})},
          }),
        )
        const {id} = fieldsOf(created)
        return typeof id === 'string' ? id : strange(address)
      } catch (error) {
        if (error instanceof EngineError && error.status === 404) throw new CalicoError('not-found', `The image ${image} is not on this host`, {hint: 'To pull it, omit --no-pull.', cause: error})
        throw error
      }
    },
    async start(id) {
      try {
        await unless(304, () => ask((docker) => docker.getContainer(id).start(), STOP_LIMIT_MS))
      } catch (error) {
        if (error instanceof EngineError && isProgramMissing(error.message)) throw new CalicoError('failed', 'The image does not contain the program that it should start', {details: [error.message], cause: error})
        throw error
      }
    },
    async stop(id) {
      await unless(404, () => unless(304, () => ask((docker) => docker.getContainer(id).stop(), STOP_LIMIT_MS)))
    },
    async remove(id) {
      await unless(404, () => ask((docker) => docker.getContainer(id).remove({force: true, v: true}), STOP_LIMIT_MS))
    },
    async tail(id, lines) {
      return framedLines(await ask((docker, abortSignal) => docker.getContainer(id).logs({stdout: true, stderr: true, tail: lines, abortSignal}))).slice(-lines)
    },
    async follow(id, {from, onLine, stop}) {
      // Not by a time: the Engine dates a container's start later than its first lines.
      const stream = await ask((docker) => docker.getContainer(id).logs({follow: true, stdout: true, stderr: true, ...(from === 'now' ? {tail: 0} : {})}))
      await readMultiplexed(address, stream, onLine, stop)
    },
    async exec(id, command) {
      try {
        const exec = await ask((docker, abortSignal) => docker.getContainer(id).exec({Cmd: [...command], AttachStdout: true, AttachStderr: true, abortSignal}))
        const stream = await ask((_, abortSignal) => exec.start({abortSignal}))
        const lines: string[] = []
        await readMultiplexed(address, stream, (line) => lines.push(line), AbortSignal.timeout(timeLimitMs))
        const {ExitCode} = fieldsOf(await ask((_, abortSignal) => exec.inspect({abortSignal})))
        const output = lines.join('\n')
        return {exitCode: typeof ExitCode === 'number' ? ExitCode : undefined, output, ...((ExitCode === 126 || ExitCode === 127) && isProgramMissing(output) ? {missing: true} : {})}
      } catch (error) {
        // Some Engines say it in their answer, others in the program's output.
        if (error instanceof EngineError && isProgramMissing(error.message)) return {exitCode: 127, output: error.message, missing: true}
        throw error
      }
    },
  }
}

/** Whether TEXT, what the Engine's runtime says of a program that it could not run, means that the container has no such program. */
export const isProgramMissing = (text: string): boolean => /exec: \\*"[^"]{0,4096}": (?:executable file not found|stat [^\n]{0,4096}: no such file or directory)/.test(text)

/** What WORK gives; undefined if the Engine answers with STATUS. */
async function unless<T>(status: number, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof EngineError && error.status === status) return undefined
    throw error
  }
}

const HEADER_LENGTH = 8

/** The lines in FRAMES, a log as the Engine gives it: pieces of stdout and stderr, each behind a header that ends with its length. */
export function framedLines(frames: Buffer): string[] {
  const lines: string[] = []
  const splitters = new Map<number, ReturnType<typeof lineSplitter>>()
  for (let at = 0; at + HEADER_LENGTH <= frames.length; ) {
    const end = at + HEADER_LENGTH + frames.readUInt32BE(at + 4)
    const stream = frames.readUInt8(at)
    const splitter = splitters.get(stream) ?? lineSplitter((line) => lines.push(line))
    splitters.set(stream, splitter)
    splitter.push(frames.subarray(at + HEADER_LENGTH, end))
    at = end
  }
  for (const splitter of splitters.values()) splitter.end()
  return lines
}

/** Reads STREAM, stdout and stderr in frames, to its end or until STOP. An end of the connection is an end. */
async function readMultiplexed(address: string, stream: NodeJS.ReadableStream, onLine: (line: string) => void, stop: AbortSignal): Promise<void> {
  const {PassThrough} = await import('node:stream')
  const streams = {stdout: new PassThrough(), stderr: new PassThrough()}
  const splitters = Object.values(streams).map((each) => {
    const splitter = lineSplitter(onLine)
    each.on('data', (data: Buffer) => splitter.push(data))
    return splitter
  })
  await askEngine(address, TIME_LIMIT_MS, (docker) => {
    docker.modem.demuxStream(stream, streams.stdout, streams.stderr)
    return Promise.resolve()
  })
  await new Promise<void>((resolve) => {
    const end = (): void => {
      stop.removeEventListener('abort', end)
      ;(stream as NodeJS.ReadableStream & {destroy?: () => void}).destroy?.()
      resolve()
    }
    for (const event of ['end', 'close', 'error', 'aborted']) stream.once(event, end)
    if (stop.aborted) end()
    else stop.addEventListener('abort', end, {once: true})
  })
  // What was in the frames is in the streams, which give it on in their own time.
  await new Promise((resolve) => setImmediate(resolve))
  splitters.forEach((splitter) => splitter.end())
}
