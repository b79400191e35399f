/** Containers of a Docker Engine and an etcd of the suite's own, and what calicoctl stores and makes for them. */
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, expect} from '@jest/globals'
import type {Result} from './cli.js'
import {startEngine, type TestEngine} from './docker.js'
import {startEtcd, type TestEtcd} from './etcd.js'
import {hostInterfaces} from './namespaces.js'
import {heldToSchema} from './schemas.js'
import {until} from './until.js'
import {calicoctl} from './warm.js'

export const NODE = 'rack1-host1'
export const RESOURCES = '/calico/resources/v3/projectcalico.org/'
export const ENDPOINTS = `${RESOURCES}workloadendpoints/`
export const IPAM = '/calico/ipam/v2/'

type Environment = Readonly<Record<string, string | undefined>>

export interface StoredEndpoint {
  metadata: {name: string; uid: string; annotations?: Record<string, string>; labels: Record<string, string>}
  spec: {interfaceName: string; mac: string; ipNetworks?: string[]; profiles?: string[]; endpoint: string; workload: string; orchestrator: string; node: string}
}

export interface Containers {
  readonly engine: TestEngine
  readonly etcd: TestEtcd
  /** A folder of the suite's own. */
  readonly folder: string
  /** Those of the test, which end with it. */
  names: string[]
  /** For calicoctl: the suite's Engine and etcd, and MORE. */
  readonly env: (more?: Environment) => Environment
  readonly run: (line: string, more?: Environment) => Promise<Result>
  /** Runs LINES, each of which must end in 0; the result of the last one. */
  readonly given: (...lines: string[]) => Promise<Result>
  /** Starts a container, without a network unless OPTIONS say otherwise. Its name. */
  readonly container: (...options: string[]) => Promise<string>
  readonly inside: (name: string, ...command: string[]) => Promise<string>
  readonly idOf: (name: string) => Promise<string>
  readonly keys: (prefix: string) => Promise<string[]>
  readonly endpoints: () => Promise<StoredEndpoint[]>
  /** How many addresses are assigned. */
  readonly assigned: () => Promise<number>
  readonly calicoInterfaces: () => string[]
  /** Interfaces whose container is gone go with it, a moment later. */
  readonly untilNoInterfaces: () => Promise<void>
  /** Nothing of any container is left in the store or on the host, and IPAM is consistent. */
  readonly expectNothingLeft: () => Promise<void>
}

/** Starts an Engine and an etcd for the suite; each test finds both empty. */
export function containersOfEngine(): Containers {
  let engine: TestEngine
  let etcd: TestEtcd
  let folder: string
  let counter = 0

  beforeAll(async () => {
    engine = await startEngine()
    etcd = await startEtcd()
    folder = mkdtempSync(join(tmpdir(), 'calicoctl-containers-'))
  }, 300_000)
  afterAll(async () => {
    await etcd.stop()
    await engine.stop()
    rmSync(folder, {recursive: true, force: true})
  }, 300_000)
  beforeEach(async () => {
    on.names = []
    await etcd.ctl('del', '--prefix', '/')
  })
  afterEach(async () => {
    if (on.names.length > 0) await engine.docker('rm', '-f', ...on.names)
    await untilNoInterfaces()
  }, 300_000)

  const env: Containers['env'] = (more = {}) => ({ETCD_ENDPOINTS: etcd.endpoints.join(','), DOCKER_HOST: engine.address, HOSTNAME: NODE, ...more})
  const run: Containers['run'] = (line, more) => calicoctl(line.split(' '), {env: env(more)}).then((result) => heldToSchema(line, result))
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
  const keys: Containers['keys'] = async (prefix) => lines(await etcd.ctl('get', '--prefix', '--keys-only', prefix))
  const values = async (prefix: string): Promise<string[]> => lines(await etcd.ctl('get', '--prefix', '--print-value-only', prefix))
  const assigned: Containers['assigned'] = async () =>
    (await values(`${IPAM}assignment/`)).reduce((sum, text) => sum + (JSON.parse(text) as {allocations: (number | null)[]}).allocations.filter((index) => index !== null).length, 0)
  const calicoInterfaces = (): string[] => hostInterfaces().filter((name) => name.startsWith('cali'))
  const untilNoInterfaces = (): Promise<void> => until('the interfaces are gone', () => calicoInterfaces().length === 0)

  const on: Containers = {
    get engine() {
      return engine
    },
    get etcd() {
      return etcd
    },
    get folder() {
      return folder
    },
    names: [],
    env,
    run,
    async given(...all) {
      const results: Result[] = []
      for (const line of all) {
        const result = await run(line)
        if (result.code !== 0) throw new Error(`${line}: ${result.code ?? ''} ${result.stdout} ${result.stderr}`)
        results.push(result)
      }
      const last = results.at(-1)
      if (!last) throw new Error('no line was given')
      return last
    },
    async container(...options) {
      const name = `test-${process.pid}-${++counter}`
      await engine.docker('run', '-d', '--name', name, ...(options.some((option) => option.startsWith('--net')) ? options : ['--net=none', ...options]), 'busybox', 'sleep', '1d')
      on.names.push(name)
      return name
    },
    inside: (name, ...command) => engine.inside(name, ...command),
    idOf: async (name) => (await engine.inspect(name)).id,
    keys,
    endpoints: async () => (await values(ENDPOINTS)).map((text) => JSON.parse(text) as StoredEndpoint),
    assigned,
    calicoInterfaces,
    untilNoInterfaces,
    async expectNothingLeft() {
      expect({endpoints: await keys(ENDPOINTS), handles: await keys(`${IPAM}handle/`), assigned: await assigned(), interfaces: calicoInterfaces()}).toEqual({
        endpoints: [],
        handles: [],
        assigned: 0,
        interfaces: [],
      })
      expect(await run('ipam check')).toMatchObject({code: 0})
    },
  }
  return on
}
