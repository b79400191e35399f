/**
 * What src/lib/journal uses of the host that it runs on, in memory: processes with an identity each, files, lock files, timers, and programs that are started.
 * A process may be killed at each operation, before it or after it; from then on nothing that it does has an effect, and nothing that it waits for comes.
 */
import {CalicoError} from '../../../src/lib/errors.js'
import type {Identity} from '../../../src/lib/files/lock-file.js'
import type {Process} from '../simulation.js'
import {signals, sleep as virtualSleep} from '../virtual-time.js'
import {newHost, processes} from './host.js'

/** The files of a host, by path, with its folders. */
export interface Disk {
  readonly files: Map<string, string>
  readonly folders: Set<string>
}

/** A process of a host. */
export interface Running extends Process {
  readonly disk: Disk
  readonly identity: Identity
  /** Its work is done. */
  ended: boolean
  /** Another process ends it, as SIGTERM does. */
  terminate(): void
  /** Whether it is killed where it writes WHAT. */
  readonly dies: (what: string) => boolean
}

export interface Machines {
  /** A process on the host of DISK, which uses the store as PROCESS does. */
  add(process: Process & Pick<Running, 'terminate'>, disk: Disk, dies: Running['dies']): Running
}

const table = new Map<string, Running>()
let pause: () => number = () => 1
let start: (words: readonly string[], parent: Running) => Promise<{readonly code: number; readonly output: string}> = () => Promise.reject(new TypeError('the world starts no programs'))

/** Hosts without processes. PAUSE: how long writing a file takes, milliseconds. START: runs a program with these words until it ends, with its exit code and what it printed; never, if it is killed. */
export function newMachines(options: {pause: () => number; start: typeof start}): Machines {
  newHost(options.pause)
  table.clear()
  pause = options.pause
  start = options.start
  signals.kill = (pid) => table.get(String(pid))?.terminate()
  signals.whole = true
  let pids = 1_000
  return {
    add(process, disk, dies) {
      const running: Running = {
        get alive() {
          return process.alive
        },
        store: () => process.store(),
        kill: () => process.kill(),
        terminate: () => process.terminate(),
        disk,
        identity: {pid: String(pids++), started: String(Date.now()), namespace: '1'},
        ended: false,
        dies,
      }
      table.set(running.identity.pid, running)
      return running
    },
  }
}

export const newDisk = (): Disk => ({files: new Map(), folders: new Set(['/', ''])})

/** The process that this code runs in. */
function present(): Running {
  const found = processes.getStore()
  if (!found) throw new TypeError('no process is running')
  return found as Running
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** What VALUE is, for a process that is still there then. */
async function ifAlive<T>(process: Running, value: Promise<T>): Promise<T> {
  const got = await value
  return process.alive ? got : never()
}

function writing<T>(what: string, work: (disk: Disk) => T): T {
  const process = present()
  const check = (when: string): void => {
    if (process.alive && process.dies(`${when} ${what}`)) process.kill()
    if (!process.alive) throw new Error('this process was killed')
  }
  check('before')
  const result = work(process.disk)
  check('after')
  return result
}

const fault = (code: string, path: string): Error => Object.assign(new Error(`${code}: ${path}`), {code})

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

// node:timers/promises

export const setTimeout = (milliseconds: number): Promise<unknown> => ifAlive(present(), virtualSleep(milliseconds))

// node:os

export const hostname = (): string => 'simulated'
export const userInfo = (): {username: string} => ({username: 'root'})
export const homedir = (): string => '/root'
export const uptime = (): number => 1_000 + performance.now() / 1_000

// node:fs, node:fs/promises

export const existsSync = (path: string): boolean => present().disk.files.has(path) || present().disk.folders.has(path)

export function readdirSync(path: string): string[] {
  const {files, folders} = present().disk
  if (!folders.has(path)) throw fault('ENOENT', path)
  return [...files.keys()].filter((file) => folderOf(file) === path).map((file) => file.slice(path.length + 1))
}

export function rmdirSync(path: string): void {
  writing(`rmdir ${path}`, ({files, folders}) => {
    if (!folders.has(path)) throw fault('ENOENT', path)
    if ([...files.keys(), ...folders].some((each) => folderOf(each) === path)) throw fault('ENOTEMPTY', path)
    folders.delete(path)
  })
}

export function unlinkSync(path: string): void {
  writing(`unlink ${path}`, ({files}) => {
    if (!files.delete(path)) throw fault('ENOENT', path)
  })
}

export function renameSync(from: string, to: string): void {
  writing(`rename ${from}`, ({files}) => {
    const content = files.get(from)
    if (content === undefined) throw fault('ENOENT', from)
    files.delete(from)
    files.set(to, content)
  })
}

export const unlink = (path: string): Promise<void> => ifAlive(present(), virtualSleep(pause())).then(() => unlinkSync(path))

// node:child_process

export const spawnSync = (): {status: number} => ({status: 1})

interface Output {
  setEncoding(): Output
  on(event: string, told: (text: string) => void): Output
}

export function spawn(_: string, words: readonly string[]): {stdout: Output; stderr: Output; on: (event: string, told: (value: unknown) => void) => void; unref: () => void} {
  const parent = present()
  const ended = start(words.slice(1), parent)
  const tell = (work: (end: Awaited<typeof ended>) => void): void => void ended.then((end) => parent.alive && processes.run(parent, () => work(end)))
  const output = (of: (end: Awaited<typeof ended>) => string): Output => {
    const self: Output = {
      setEncoding: () => self,
      on(event, told) {
        if (event === 'data') tell((end) => told(of(end)))
        return self
      },
    }
    return self
  }
  return {
    stdout: output(({output: text}) => text),
    stderr: output(() => ''),
    on(event, told) {
      if (event === 'close') tell(({code}) => told(code))
    },
    unref: () => undefined,
  }
}

// src/lib/files

export const PRIVATE_FOLDER = 0o700

export const workingFolder = (): string => '/'

export function makeFolder(path: string): void {
  writing(`mkdir ${path}`, ({folders}) => {
    for (let at = path; !folders.has(at); at = folderOf(at)) folders.add(at)
  })
}

export function readTextFile(path: string): string {
  const text = present().disk.files.get(path)
  if (text === undefined) throw fault('ENOENT', path)
  return text
}

export const fileReason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function write(path: string, content: (before: string) => string): void {
  writing(`write ${path}`, ({files, folders}) => {
    if (!folders.has(folderOf(path))) throw fault('ENOENT', path)
    files.set(path, content(files.get(path) ?? ''))
  })
}

export async function replaceFile(path: string, content: string): Promise<void> {
  const process = present()
  await ifAlive(process, virtualSleep(pause()))
  write(path, () => content)
  await ifAlive(process, virtualSleep(pause()))
}

export const appendLines = (path: string, lines: Buffer): void => write(path, (before) => before + lines.toString('utf8'))

export const appendFlushed = (path: string, lines: Buffer): void => appendLines(path, lines)

export const appendFlushing = (path: string, lines: Buffer): Promise<void> => {
  const process = present()
  appendLines(path, lines)
  return ifAlive(process, virtualSleep(pause()).then(() => undefined))
}

export const generations = (path: string): readonly string[] => [path]

export const rotateFile = (): Promise<boolean> => Promise.resolve(false)

export const ownIdentity = (): Identity => present().identity

export function hasEnded({pid, started}: Identity): boolean {
  const found = table.get(pid)
  return found?.identity.started !== started || found.ended || !found.alive
}

export const isElsewhere = (): boolean => false

const text = ({pid, started}: Identity): string => `${pid} ${started}`

/** As the true one: a lock is a file that names its holder, and counts no more once that has gone. */
export async function withLockFile<T>(path: string, {patient, late}: {patient: () => boolean; late: (holder: undefined) => CalicoError}, work: () => Promise<T>): Promise<T> {
  const own = present()
  const {files, folders} = own.disk
  for (;;) {
    if (!folders.has(folderOf(path))) throw new CalicoError('failed', `The lock ${path} cannot be created: there is no such file`)
    const [pid = '', started = ''] = files.get(path)?.split(' ') ?? []
    if (pid === '' || hasEnded({pid, started, namespace: ''})) break
    if (!patient()) throw late(undefined)
    await ifAlive(own, virtualSleep(2 + Math.random() * 18))
  }
  files.set(path, text(own.identity))
  try {
    return await work()
  } finally {
    if (own.alive) files.delete(path)
  }
}
