/** What the examples need: an etcd, a Docker Engine, and the driver on a socket of this process's own, beside whatever else serves Docker on this machine. */
import {execFile, spawn, type ChildProcess} from 'node:child_process'
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {CALICOCTL, checkBuild} from './cli.js'
import {startEngine, type TestEngine} from './docker.js'
import {startEtcd, type TestEtcd} from './etcd.js'

const EXAMPLES = resolve(import.meta.dirname, '../../examples')
const START_LIMIT_MS = 20_000
const SCRIPT_LIMIT_MS = 120_000
/** Of the tests' node; the names of its endpoints begin with it. */
export const NODE = 'example-host'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface ExampleWorld {
  readonly etcd: TestEtcd
  readonly engine: TestEngine
  /** The driver's name for Docker. */
  readonly driver: string
  /** Runs PROGRAM ARGS, with calicoctl, this world's etcd, Engine and driver in its environment. A path is taken from examples/. */
  run(program: string, ...args: readonly string[]): Promise<Outcome>
  /** The names of what is stored of KIND, without warnings. */
  names(kind: string): Promise<string[]>
  /** The stored object. */
  stored<T>(kind: string, name: string): Promise<T>
  stop(): Promise<void>
}

export async function startExampleWorld(): Promise<ExampleWorld> {
  checkBuild()
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-example-'))
  const driver = `calico-${process.pid}`
  const undo: (() => unknown)[] = [() => rmSync(folder, {recursive: true, force: true})]
  const stop = async (): Promise<void> => {
    while (undo.length > 0) await undo.pop()?.()
  }
  try {
    const etcd = await startEtcd()
    undo.push(() => etcd.stop())
    const engine = await startEngine()
    undo.push(() => engine.stop())
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'bin/calicoctl'), `#!/bin/sh\nexec ${process.execPath} ${CALICOCTL} "$@"\n`)
    chmodSync(join(folder, 'bin/calicoctl'), 0o755)
    const env = {
      PATH: `${folder}/bin:${process.env.PATH ?? ''}`,
      HOME: folder,
      ETCD_ENDPOINTS: etcd.endpoints.join(','),
      DOCKER_HOST: engine.address,
      DRIVER: driver,
      CALICO_NODENAME: NODE,
      PATIENCE: '0',
    }
    mkdirSync('/run/docker/plugins', {recursive: true})
    const server = spawn(process.execPath, [CALICOCTL, 'libnetwork', 'serve', '--node', NODE, '--socket', `/run/docker/plugins/${driver}.sock`], {env, stdio: ['ignore', 'ignore', 'pipe']})
    undo.push(() => end(server))
    await serving(server)
    const run = (program: string, ...args: readonly string[]): Promise<Outcome> =>
      new Promise((settle) => {
        const file = program.includes('/') ? join(EXAMPLES, program) : program
        execFile(file, args, {env, cwd: folder, timeout: SCRIPT_LIMIT_MS, maxBuffer: 1 << 22}, (error, stdout, stderr) => {
          settle({code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr})
        })
      })
    const calicoctl = async (...args: string[]): Promise<string> => {
      const {code, stdout, stderr} = await run('calicoctl', ...args)
      if (code !== 0) throw new Error(`calicoctl ${args.join(' ')} ended with ${code}: ${stderr}`)
      return stdout
    }
    return {
      etcd,
      engine,
      driver,
      run,
      names: async (kind) => (await calicoctl('get', kind, '-o', 'name')).split('\n').filter((line) => line !== '').map((line) => line.replace(/^.*\//, '')),
      stored: async <T>(kind: string, name: string) => JSON.parse(await calicoctl('get', kind, name, '-o', 'json')) as T,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Resolves when the driver says that it serves. */
function serving(server: ChildProcess): Promise<void> {
  return new Promise((settle, fail) => {
    let output = ''
    const timer = setTimeout(() => fail(new Error(`the driver does not start: ${output}`)), START_LIMIT_MS)
    server.stderr?.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-4_000)
      if (!/Serving/i.test(output)) return
      clearTimeout(timer)
      settle()
    })
    server.once('exit', () => {
      clearTimeout(timer)
      fail(new Error(`the driver ended: ${output}`))
    })
  })
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return
  const ended = new Promise((settle) => server.once('exit', settle))
  server.kill('SIGTERM')
  const timer = setTimeout(() => server.kill('SIGKILL'), 10_000)
  await ended
  clearTimeout(timer)
}
