/** What a command says and does when the datastore misbehaves (operator-demand §6.2): each row by the built command, those of signals and of many at once as processes. */
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {calicoctl as inOwnProcess, startCalicoctl, type Result} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'
import {freePorts} from '../support/ports.js'
import {startProxy, type Proxy} from '../support/proxy.js'
import {startSilentServer} from '../support/silent-server.js'
import {createCertificates, type TestCertificates} from '../support/tls.js'
import {calicoctl} from '../support/warm.js'

const PROFILES = '/calico/resources/v3/projectcalico.org/profiles'
const CLUSTER = '/calico/resources/v3/projectcalico.org/clusterinformations/default'

let etcd: TestEtcd
beforeAll(async () => {
  etcd = await startEtcd()
})
afterAll(() => etcd.stop())

const on = (endpoints: string | readonly string[]) => ({ETCD_ENDPOINTS: [endpoints].flat().join(',')})
const run = (args: string, env: Record<string, string> = on(etcd.endpoints)): Promise<Result> => calicoctl(args.split(' '), {env})
const stored = async (key: string): Promise<string> => (await etcd.ctl('get', key, '--print-value-only')).trimEnd()
const revision = async (): Promise<number> => {
  const answer = JSON.parse(await etcd.ctl('get', 'nothing', '-w', 'json')) as {header: {revision: number}}
  return answer.header.revision
}

beforeEach(async () => {
  await etcd.ctl('del', '--prefix', '/')
  expect((await run('profile add web')).code).toBe(0)
})

describe('no answer', () => {
  test('nothing listens: 6, with the endpoint and the origin of the setting', async () => {
    const [port = 0] = await freePorts(1)
    const {code, stdout, stderr} = await run('profile show', on(`http://127.0.0.1:${port}`))
    expect({code, stdout}).toEqual({code: 6, stdout: ''})
    expect(stderr).toContain(`http://127.0.0.1:${port}`)
    expect(stderr).toContain('ETCD_ENDPOINTS')
    expect(stderr).not.toMatch(/Usage:|at .*\.js/)
  })

  test('a host that does not exist: 6', async () => {
    const {code, stderr} = await run('profile add x', on('http://no-such-host.invalid:2379'))
    expect(code).toBe(6)
    expect(stderr).toContain('no-such-host.invalid')
  })

  test('a server that never answers: 6, within --timeout', async () => {
    const server = await startSilentServer()
    // Ends while the same with a longer limit, begun before, still waits: however busy the machine is.
    const patient = startCalicoctl(['profile', 'show', '--timeout', '90s'], {env: on(server.endpoint), timeoutMs: 100_000})
    const {code, stderr} = await run('profile show --timeout 1s', on(server.endpoint))
    expect(patient.process.exitCode).toBeNull()
    patient.process.kill('SIGKILL')
    await patient.result
    await server.stop()
    expect(code).toBe(6)
    expect(stderr).toContain('did not answer in time')
  })

  test.each(['get tier', 'get profile -o json', 'get ipamblock', 'get kinds'])('nothing answers before anything was shown: %s gives the reason, not that the time is too short for all of it', async (line) => {
    const server = await startSilentServer()
    const {code, stdout, stderr} = await run(`${line} --timeout 500ms`, on(server.endpoint))
    await server.stop()
    expect({code, stdout}).toEqual({code: 6, stdout: ''})
    expect(stderr).toMatch(/^Error: The etcd endpoint \S+ \(from ETCD_ENDPOINTS\) did not answer in time\.\n/)
  })

  test('an etcd that answered, but not all of it in time: the time is too short', async () => {
    const profiles = Array.from({length: 1001}, (_, index) => ({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name: `x${index}`}, spec: {}}))
    expect((await calicoctl(['apply', '-f', '-', '-q'], {env: on(etcd.endpoints), stdin: JSON.stringify(profiles)})).code).toBe(0)
    const proxy = await startProxy(etcd.endpoints[0] ?? '')
    void proxy.hold('profiles/x') // the second page
    const {code, stderr} = await run('get profile --timeout 1s', on(proxy.endpoint))
    await proxy.stop()
    expect({code, stderr}).toEqual({code: 6, stderr: 'Error: The time given with --timeout (1 s) expired before everything was shown.\nUse a larger --timeout, or request less.\n'})
  })

  test('Ctrl-C while nothing answers: 130, nothing was changed', async () => {
    const server = await startSilentServer()
    const connected = server.connected()
    const running = startCalicoctl(['profile', 'add', 'x'], {env: on(server.endpoint)})
    await connected
    running.process.kill('SIGINT')
    const {code, stderr} = await running.result
    await server.stop()
    expect(code).toBe(130)
    expect(stderr).toContain('nothing was changed')
  })
})

describe('refused: TLS and authentication', () => {
  let folder: string
  let good: TestCertificates
  let other: TestCertificates
  let secure: TestEtcd
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'calicoctl-tls-'))
    good = await createCertificates(folder, 'good')
    other = await createCertificates(folder, 'other')
    secure = await startEtcd({tls: {...good, clientAuth: true}})
  })
  afterAll(async () => {
    await secure.stop()
    await rm(folder, {recursive: true})
  })
  const files = (ca: string, {cert, key}: {cert: string; key: string}) => ({...on(secure.endpoints), ETCD_CA_CERT_FILE: ca, ETCD_CERT_FILE: cert, ETCD_KEY_FILE: key})

  test('the right certificates work', async () => {
    expect(await run('profile add web', files(good.ca, good.client))).toMatchObject({code: 0, stdout: 'Created profile web\n'})
  })
  test('an unknown CA: 7', async () => {
    const {code, stderr} = await run('profile show', files(other.ca, good.client))
    expect(code).toBe(7)
    expect(stderr).toMatch(/certificate/i)
  })
  test('an unknown CA although NODE_TLS_REJECT_UNAUTHORIZED says otherwise: the same', async () => {
    const env = files(other.ca, good.client)
    const [with0, without] = await Promise.all([run('profile show', {...env, NODE_TLS_REJECT_UNAUTHORIZED: '0'}), run('profile show', env)])
    expect(with0).toEqual(without)
  })
  test('a client certificate of another CA: 7', async () => {
    expect((await run('profile show', files(good.ca, other.client))).code).toBe(7)
  })
})

describe('refused: user and password', () => {
  let guarded: TestEtcd
  beforeAll(async () => {
    guarded = await startEtcd()
    await guarded.ctl('user', 'add', 'root:secret')
    await guarded.ctl('user', 'add', 'reader:reader-secret')
    await guarded.ctl('role', 'add', 'reading')
    await guarded.ctl('role', 'grant-permission', 'reading', 'read', '/calico/', '/calico0')
    await guarded.ctl('user', 'grant-role', 'reader', 'reading')
    await guarded.ctl('user', 'grant-role', 'root', 'root')
    await guarded.ctl('auth', 'enable')
  })
  afterAll(() => guarded.stop())
  const as = (user: string, password: string) => ({...on(guarded.endpoints), ETCD_USERNAME: user, ETCD_PASSWORD: password})

  test('the right password works', async () => expect((await run('profile add web', as('root', 'secret'))).code).toBe(0))

  test('a wrong password: 7, and it is not shown', async () => {
    const {code, stderr} = await run('profile show --debug', as('root', 'wr0ng-one'))
    expect(code).toBe(7)
    expect(stderr).not.toContain('wr0ng-one')
  })
  test('no permission to write: 7, nothing changed; reading works', async () => {
    expect((await run('profile add other', as('reader', 'reader-secret'))).code).toBe(7)
    expect((await run('profile show -o name', as('reader', 'reader-secret'))).code).toBe(0)
  })
  test('no credentials at all: 7', async () => expect((await run('profile show', on(guarded.endpoints))).code).toBe(7))
})

describe('not the store that was meant', () => {
  test('keys, but no ClusterInformation: 6 for reading and writing, nothing changed; --init takes it', async () => {
    await etcd.ctl('del', CLUSTER)
    const before = await revision()
    expect((await run('profile show')).code).toBe(6)
    const {code, stderr} = await run('profile add other')
    expect(code).toBe(6)
    expect(stderr).toContain('--init')
    expect(await revision()).toBe(before)
    expect((await run('profile add other --init')).code).toBe(0)
  })

  test('an empty store: reading shows nothing, with a warning', async () => {
    await etcd.ctl('del', '--prefix', '/')
    const {code, stdout, stderr} = await run('profile show -o name')
    expect({code, stdout}).toEqual({code: 0, stdout: ''})
    expect(stderr).toContain('Warning')
  })

  test('another cluster than expected: 6', async () => {
    const {code, stderr} = await run('profile add other --expect-cluster 0123')
    expect(code).toBe(6)
    expect(stderr).toContain('0123')
    const {spec} = JSON.parse(await stored(CLUSTER)) as {spec: {clusterGUID: string}}
    expect((await run(`profile add other --expect-cluster ${spec.clusterGUID}`)).code).toBe(0)
  })

  test('a locked store: 8 for writing, reading works', async () => {
    await etcd.ctl('put', CLUSTER, (await stored(CLUSTER)).replace('"datastoreReady":true', '"datastoreReady":false'))
    const before = await revision()
    expect((await run('profile add other')).code).toBe(8)
    expect(await revision()).toBe(before)
    expect(await run('profile show -o name')).toMatchObject({code: 0, stdout: 'web\n'})
  })
})

describe('values of others', () => {
  test('a value that does not parse: told by key, passed over in lists, never overwritten', async () => {
    await etcd.ctl('put', `${PROFILES}/broken`, '{"kind":')
    const list = await run('profile show -o name')
    expect(list).toMatchObject({code: 0, stdout: 'web\n'})
    expect(list.stderr).toContain(`${PROFILES}/broken`)
    for (const command of ['profile add broken', 'profile broken rule add inbound allow', 'profile broken tag add x']) expect((await run(command)).code).toBe(1)
    expect(await stored(`${PROFILES}/broken`)).toBe('{"kind":')
  })

  test('fields that we do not know survive an edit, to the last digit', async () => {
    const value = JSON.parse(await stored(`${PROFILES}/web`)) as {metadata: object; spec: object}
    const text = JSON.stringify({...value, spec: {...value.spec, newField: {deep: ['x']}}, newStatus: 1}).replace('"newStatus":1', '"newStatus":1782326400123456791')
    await etcd.ctl('put', `${PROFILES}/web`, text)
    expect((await run('profile web rule add inbound deny')).code).toBe(0)
    const after = await stored(`${PROFILES}/web`)
    expect(after).toContain('"newField":{"deep":["x"]}')
    expect(after).toContain('"newStatus":1782326400123456791')
    expect(after).toContain('"Deny"')
  })

  test('names in the store cannot steer a terminal', async () => {
    await etcd.ctl('put', `${PROFILES}/\u001b[31m`, JSON.stringify({kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name: '\u001b[31m'}, spec: {}}))
    const {stdout, stderr} = await run('profile show')
    expect(stdout + stderr).not.toContain('\u001b')
  })
})

describe('a write whose answer is lost', () => {
  let proxy: Proxy
  beforeEach(async () => {
    proxy = await startProxy(etcd.endpoints[0] ?? '')
  })
  afterEach(() => proxy.stop())

  test('it was made, and the connection comes back: 0, one effect, sent once', async () => {
    const before = await revision()
    proxy.before('SCTP', () => {
      proxy.set('swallow-replies')
      setTimeout(() => {
        proxy.set('pass')
        proxy.reset()
      }, 300)
    })
    const {code, stderr} = await run('profile web rule add inbound allow protocol sctp', on(proxy.endpoint))
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('profile/web updated') as unknown})
    expect(await revision()).toBe(before + 1)
  })

  test('it never reached the store: made by a second try, one effect', async () => {
    const before = await revision()
    proxy.before('SCTP', () => {
      proxy.set('black-hole')
      setTimeout(() => {
        proxy.set('pass')
        proxy.reset()
      }, 300)
    })
    expect((await run('profile web rule add inbound allow protocol sctp', on(proxy.endpoint))).code).toBe(0)
    expect(await revision()).toBe(before + 1)
  })

  test('the store stays away: 9, it says what is unknown', async () => {
    proxy.before('SCTP', () => proxy.set('swallow-replies'))
    const {code, stdout, stderr} = await run('profile web rule add inbound allow protocol sctp --timeout 2s', on(proxy.endpoint))
    expect({code, stdout}).toEqual({code: 9, stdout: ''})
    expect(stderr).toContain('profile/web')
    expect(stderr).toContain('may or may not')
  })

  test('Ctrl-C while the answer is awaited: 130, and it says that the outcome is unknown', async () => {
    const asked = new Promise<void>((resolve) => proxy.before('SCTP', () => {
      proxy.set('swallow-replies')
      resolve()
    }))
    const running = startCalicoctl('profile web rule add inbound allow protocol sctp'.split(' '), {env: on(proxy.endpoint)})
    await asked
    running.process.kill('SIGINT')
    await new Promise((resolve) => setTimeout(resolve, 200))
    running.process.kill('SIGINT')
    const {code, stderr} = await running.result
    expect(code).toBe(130)
    expect(stderr).toMatch(/profile\/web.*may or may not have been made/)
  })

  test('SIGTERM with an answer that comes late: 143, and it says that the change was made', async () => {
    const asked = new Promise<void>((resolve) => proxy.before('SCTP', () => {
      proxy.delay(700)
      resolve()
    }))
    const running = startCalicoctl('profile web rule add inbound allow protocol sctp'.split(' '), {env: on(proxy.endpoint)})
    await asked
    running.process.kill('SIGTERM')
    const {code, stderr} = await running.result
    expect(code).toBe(143)
    expect(stderr).toMatch(/change of profile\/web was made/)
    expect(await stored(`${PROFILES}/web`)).toContain('SCTP')
  })
})

describe('many at once', () => {
  test('48 processes that edit one profile lose nothing', async () => {
    const ports = Array.from({length: 48}, (_, i) => 1000 + i)
    const results = await Promise.all(ports.map((port) => inOwnProcess(['profile', 'web', 'rule', 'add', 'inbound', 'allow', 'tcp', 'to', 'ports', String(port), '--timeout', '60s'], {env: on(etcd.endpoints), timeoutMs: 90_000})))
    expect(results.filter(({code}) => code !== 0)).toEqual([])
    const {spec} = JSON.parse(await stored(`${PROFILES}/web`)) as {spec: {ingress: {destination: {ports?: number[]}}[]}}
    expect(spec.ingress.flatMap(({destination}) => destination.ports ?? []).sort((a, b) => a - b)).toEqual(ports)
  })

  test('processes that create the same profile: one creates it, the others find it', async () => {
    const results = await Promise.all(Array.from({length: 12}, () => inOwnProcess(['profile', 'add', 'shared'], {env: on(etcd.endpoints), timeoutMs: 60_000})))
    expect(results.map(({code}) => code)).toEqual(results.map(() => 0))
    expect(results.filter(({stdout}) => stdout === 'Created profile shared\n')).toHaveLength(1)
  })
})

describe('three members', () => {
  let cluster: TestEtcd
  beforeAll(async () => {
    cluster = await startEtcd({members: 3})
  })
  afterAll(() => cluster.stop())

  test('a member that takes connections and never answers: the others serve', async () => {
    expect((await run('profile add web', on(cluster.endpoints))).code).toBe(0)
    const frozen = cluster.members.find((member) => member.endpoint === cluster.endpoints[0])
    frozen?.freeze()
    try {
      for (let i = 0; i < 4; i++) expect((await run(`profile web tag add t${i}`, on(cluster.endpoints))).code).toBe(0)
    } finally {
      frozen?.thaw()
    }
  })

  test('the leader is lost in the middle of edits: none fails, none is lost, none is made twice', async () => {
    expect((await run('profile add busy', on(cluster.endpoints))).code).toBe(0)
    const leader = await cluster.leader()
    const edits = Array.from({length: 16}, (_, i) => inOwnProcess(['profile', 'busy', 'rule', 'add', 'inbound', 'allow', 'tcp', 'to', 'ports', String(2000 + i), '--timeout', '40s'], {env: on(cluster.endpoints), timeoutMs: 60_000}))
    await new Promise((resolve) => setTimeout(resolve, 400))
    await leader.kill()
    const results = await Promise.all(edits)
    await leader.start()
    expect(results.filter(({code}) => code !== 0)).toEqual([])
    const {spec} = JSON.parse((await calicoctl(['get', 'profile', 'busy', '-o', 'json'], {env: on(cluster.endpoints)})).stdout) as {spec: {ingress: {destination: {ports?: number[]}}[]}}
    const ports = spec.ingress.flatMap(({destination}) => destination.ports ?? [])
    expect(ports.sort((a, b) => a - b)).toEqual(Array.from({length: 16}, (_, i) => 2000 + i))
  })

  /** The leader; after one was lost, it is waited for. */
  async function leaderNow(): ReturnType<TestEtcd['leader']> {
    for (;;) {
      const leader = await cluster.leader().catch(() => undefined)
      if (leader) return leader
    }
  }
  /** Kills the leader just before the first request that contains TEXT is passed on; `end` starts it again. */
  async function leaderless(text: string): Promise<{readonly env: Record<string, string>; readonly end: () => Promise<void>}> {
    const leader = await leaderNow()
    let killed: Promise<void> | undefined
    const proxies = await Promise.all(cluster.endpoints.map((endpoint) => startProxy(endpoint)))
    for (const proxy of proxies) proxy.before(text, () => void (killed ??= leader.kill()))
    return {
      env: on(proxies.map(({endpoint}) => endpoint)),
      async end() {
        expect(killed).toBeDefined()
        await killed
        await leader.start()
        await Promise.all(proxies.map((proxy) => proxy.stop()))
      },
    }
  }
  const numbers = (count: number): string[] => Array.from({length: count}, (_, i) => `n${String(i).padStart(4, '0')}`)
  const names = async (): Promise<string[]> => (await run('profile show -o name', on(cluster.endpoints))).stdout.trimEnd().split('\n')
  const patient = (args: readonly string[], env: Record<string, string>, stdin = ''): Promise<Result> => calicoctl([...args, '--timeout', '60s'], {env, stdin, timeoutMs: 120_000})

  describe('the leader is lost in the middle of', () => {
    beforeEach(async () => {
      await cluster.ctl('del', '--prefix', '/')
      expect((await run('profile add n', on(cluster.endpoints))).code).toBe(0)
    })

    test.each([[[], 60], [['--atomic'], 30]] as const)('batch %j: every line is done, once', async (options, count) => {
      const {env, end} = await leaderless(`profiles/${numbers(count)[20] ?? ''}`)
      const {code, stdout} = await patient(['batch', ...options], env, numbers(count).map((name) => `profile add ${name}\nprofile ${name} tag add t\n`).join(''))
      await end()
      expect({code, stdout}).toEqual({code: 0, stdout: numbers(count).map((name) => `Created profile ${name}\nTag t added to profile ${name}\n`).join('')})
      expect(await names()).toEqual(['n', ...numbers(count)])
      expect((await run('profile n0020 tag show -o name', on(cluster.endpoints))).stdout).toBe('n0020\nt\n')
    })

    test('an apply in several transactions: all of it is written, and what differs not is written no second time', async () => {
      const file = numbers(250).map((name) => JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name}, spec: {}})).join('\n---\n')
      const {env, end} = await leaderless('profiles/n0120')
      const {code} = await patient(['apply', '-f', '-'], env, file)
      await end()
      expect(code).toBe(0)
      expect(await names()).toEqual(['n', ...numbers(250)])
      const versions = JSON.parse(await cluster.ctl('get', '--prefix', `${PROFILES}/`, '-w', 'json')) as {kvs: {version: number}[]}
      expect(new Set(versions.kvs.map(({version}) => version))).toEqual(new Set([1]))
    })

    test('a restore: every key is as the backup has it, and the store is unlocked', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'calicoctl-leader-'))
      try {
        const file = join(folder, 'b.gz')
        const content = numbers(250).map((name) => `profile add ${name}\n`).join('')
        expect((await patient(['batch', '--quiet'], on(cluster.endpoints), content)).code).toBe(0)
        expect((await run(`datastore save ${file}`, on(cluster.endpoints))).code).toBe(0)
        const saved = await cluster.ctl('get', '--prefix', '/calico/')
        await cluster.ctl('del', '--prefix', `${PROFILES}/`)
        const {env, end} = await leaderless('profiles/n0120')
        const {code, stderr} = await patient(['datastore', 'restore', file, '--replace'], env)
        await end()
        expect({code, stderr}).toEqual({code: 0, stderr: expect.not.stringContaining('Error') as unknown})
        expect(await cluster.ctl('get', '--prefix', '/calico/')).toBe(saved)
      } finally {
        await rm(folder, {recursive: true})
      }
    })
  })
})
