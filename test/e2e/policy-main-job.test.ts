/** The main job of policy as a whole, typed as in a shell, on the stars of examples/stars with endpoints in the store; and what --flows tells of every kind of change. */
import {execFile} from 'node:child_process'
import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** The last step of examples/stars/stars.sh. */
const STARS = `calicoctl batch --atomic <<'END'
pool add 192.168.0.0/16
profile add client
profile add frontend
profile add backend
profile add management-ui
profile management-ui rule add inbound allow tcp to ports 9001
profile client rule add inbound allow tcp from tag management-ui to ports 9000
profile frontend rule add inbound allow tcp from tag management-ui to ports 9000
profile backend rule add inbound allow tcp from tag management-ui to ports 9000
profile frontend rule add inbound allow tcp from tag client to ports 9000
profile backend rule add inbound allow tcp from tag frontend to ports 9000
END`

const object = (kind: string, name: string, spec: object, metadata: object = {}): object => ({apiVersion: 'projectcalico.org/v3', kind, metadata: {name, ...metadata}, spec})
const workload = (name: string, node: string, ip: string, profile: string): object =>
  object('WorkloadEndpoint', `${node}-docker-${name}-e${name}`, {node, orchestrator: 'docker', workload: name, endpoint: `e${name}`, interfaceName: `cali${name}`, ipNetworks: [`${ip}/32`], profiles: [profile]}, {namespace: 'default', annotations: {'calicoctl/container': name}})

const OBJECTS = [
  ...['h1', 'h2'].map((name, index) => object('Node', name, {bgp: {ipv4Address: `10.98.0.${index + 1}/24`}})),
  workload('c1', 'h1', '192.168.1.1', 'client'),
  workload('c2', 'h2', '192.168.2.1', 'client'),
  workload('f1', 'h1', '192.168.1.2', 'frontend'),
  workload('b1', 'h2', '192.168.2.2', 'backend'),
  workload('ui', 'h1', '192.168.1.3', 'management-ui'),
]

let etcd: TestEtcd | undefined
let folder: string

beforeAll(() => {
  checkBuild()
})

const shell = (line: string): Promise<Outcome> =>
  new Promise((settle) => {
    const env = {PATH: `${folder}/bin:${process.env.PATH ?? ''}`, HOME: folder, HOSTNAME: 'h1', CALICOCTL_JOURNAL: join(folder, 'journal.jsonl'), ...(etcd ? {ETCD_ENDPOINTS: etcd.endpoints.join(',')} : {CALICO_DATASTORE: `embedded:${folder}/store.json`})}
    execFile('bash', ['-c', line], {cwd: folder, env}, (error, stdout, stderr) => settle({code: error === null ? 0 : Number(error.code), stdout, stderr}))
  })
const done = async (line: string): Promise<Outcome> => {
  const outcome = await shell(line)
  expect({line, ...outcome}).toMatchObject({line, code: 0})
  return outcome
}
interface Flow {
  readonly change: string
  readonly from: string
  readonly to: string
  readonly flow: string
}
const flowsIn = async (line: string): Promise<readonly Flow[]> => (JSON.parse((await done(line)).stdout) as {flows: readonly Flow[]}).flows

describe.each(['etcd', 'embedded'] as const)('on %s', (kind) => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'calicoctl-policy-job-'))
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'bin/calicoctl'), `#!/bin/sh\nexec ${process.execPath} ${CALICOCTL} "$@"\n`)
    chmodSync(join(folder, 'bin/calicoctl'), 0o755)
    symlinkSync(resolve(import.meta.dirname, '../../examples'), join(folder, 'examples'))
    writeFileSync(join(folder, 'objects.json'), JSON.stringify(OBJECTS))
    etcd = kind === 'etcd' ? await startEtcd() : undefined
    await done(STARS)
    await done('calicoctl apply -f objects.json')
  })
  afterAll(async () => {
    await etcd?.stop()
    rmSync(folder, {recursive: true, force: true})
  })

  test('the main job', async () => {
    expect((await done('calicoctl policy explain client backend tcp/9000')).stdout).toMatch(/deny/)
    await done('calicoctl policy explain client backend tcp/9000 --assert deny')
    const dry = await done('calicoctl profile backend rule add inbound allow tcp from tag client to ports 9000 --dry-run --flows')
    expect(dry.stdout).toMatch(/^\+.*action: Allow$/m)
    expect(dry.stdout).toMatch(/\n\+ client → backend tcp\/9000 \(2 endpoints to 1 endpoint\)\n$/)
    await done('calicoctl policy explain client backend tcp/9000 --assert deny')
    expect((await done('calicoctl policy matrix')).stdout).toMatch(/frontend \(1\) +\| backend \(1\) +\| tcp\/9000/)
    const {cells, groups} = JSON.parse((await done('calicoctl policy matrix --protocol tcp -o json')).stdout) as {groups: readonly {id: string; name: string}[]; cells: readonly {from: string; to: string; flows: readonly string[]}[]}
    const group = (name: string): string | undefined => groups.find((one) => one.name === name)?.id
    expect(cells.find(({from, to}) => from === group('frontend') && to === group('backend'))).toMatchObject({flows: ['tcp/9000']})
    expect(await done('calicoctl policy picture -o policy.html')).toMatchObject({stdout: '', stderr: 'Wrote policy.html: 5 groups in 5 boxes, 6 arrows\n'})
    expect(readFileSync(join(folder, 'policy.html'), 'utf8')).toContain('aria-label="frontend → backend: tcp/9000"')
    await done('calicoctl policy test examples/stars/policy-test.yaml')
    expect(await done('calicoctl lint')).toMatchObject({code: 0})
  })

  test('each command tells of the flows once, and makes the change', async () => {
    const opened = '+ client → backend tcp/9000 (2 endpoints to 1 endpoint)\n'
    const closed = '- client → backend tcp/9000 (2 endpoints to 1 endpoint)\n'
    expect((await done('calicoctl profile backend rule add inbound allow tcp from tag client to ports 9000 --flows')).stdout).toBe(opened)
    await done('calicoctl policy explain client backend tcp/9000 --assert allow')
    expect((await done('calicoctl undo --flows')).stdout).toBe(closed)
    expect((await done('calicoctl undo --dry-run --flows')).stdout).toMatch(/\n\+ client → backend tcp\/9000 \(2 endpoints to 1 endpoint\)\n$/)
    expect((await done('calicoctl profile client tag add red --flows')).stdout).toBe('Tag red added to profile client\nno flow changes\n')
    expect((await done('calicoctl profile backend rule add inbound allow tcp from tag red to ports 9000')).code).toBe(0)
    // Who loses the tag loses what it opened.
    expect((await done('calicoctl profile client tag remove red --flows')).stdout).toBe(`Tag red removed from profile client\n${closed}`)
    expect((await done('calicoctl profile client tag remove red --flows || true')).stdout).not.toContain('flow')
    expect((await done('calicoctl profile backend rule remove inbound allow tcp from tag red to ports 9000 --flows')).stdout).toBe('no flow changes\n')
    // Addresses outside, and the processes of hosts, are groups too.
    expect((await done('calicoctl profile backend rule add inbound allow tcp from cidr 10.0.0.0/8 to ports 22 --dry-run --flows')).stdout).toMatch(/\n\+ 10\.0\.0\.0\/8 → backend tcp\/22 \(to 1 endpoint\)\n\+ hosts → backend tcp\/22 \(1 host to 1 endpoint\)\n$/)
    const moved = (await done('calicoctl endpoint eb1 profile set frontend --flows --dry-run')).stdout
    expect(moved).toContain('\n+ client → frontend (was backend) tcp/9000 (2 endpoints to 1 endpoint)\n')
    expect(moved).toContain('\n+ frontend (was backend) → frontend all (1 endpoint to 1 endpoint)\n')
  })

  test('batches, files and plans, as text and as JSON', async () => {
    const row = {change: '+', from: 'client', to: 'backend', flow: 'tcp/9000', fromEndpoints: 2, toEndpoints: 1}
    writeFileSync(join(folder, 'lines'), 'profile backend rule add inbound allow tcp from tag client to ports 9000\nprofile backend rule add inbound allow tcp from tag client to ports 9002\n')
    const both = /\+ client → backend tcp\/9000,9002 \(2 endpoints to 1 endpoint\)\n$/
    expect((await done('calicoctl batch lines --dry-run --flows')).stdout).toMatch(both)
    expect(await flowsIn('calicoctl batch lines --dry-run --flows -o json')).toEqual([{...row, flow: 'tcp/9000,9002'}])
    expect((await done('calicoctl batch lines --flows')).stdout).toMatch(both)
    expect((await done('calicoctl undo --flows')).stdout).toMatch(/^- client/)
    expect(await flowsIn('calicoctl batch lines --atomic --flows -o json')).toEqual([{...row, flow: 'tcp/9000,9002'}])
    await done('calicoctl undo')
    expect((await shell("printf 'profile add x --flows\\n' | calicoctl batch")).stderr).toContain('Give --flows to batch itself')

    await done("calicoctl export Profile > now.yaml && sed 's/has(frontend)/has(client)/' now.yaml > then.yaml")
    const lines = (await shell('calicoctl diff -f then.yaml --flows')).stdout
    expect(lines).toMatch(/\+ client → backend tcp\/9000 \(2 endpoints to 1 endpoint\)\n/)
    expect(lines).toMatch(/- frontend → backend tcp\/9000 \(1 endpoint to 1 endpoint\)\n/)
    expect((await shell('calicoctl diff -f then.yaml --flows')).code).toBe(1)
    expect((await done('calicoctl plan -f then.yaml --out change.plan --flows')).stdout).toMatch(/\+ client → backend tcp\/9000/)
    const piped = await done('calicoctl plan -f then.yaml --out - --flows')
    expect(JSON.parse(piped.stdout)).toMatchObject({kind: 'Plan'})
    expect(piped.stderr).toContain('+ client → backend tcp/9000')
    expect(await flowsIn('calicoctl apply -f then.yaml --dry-run --flows -o json')).toContainEqual(row)
    expect((await done('calicoctl apply --plan change.plan --flows')).stdout).toMatch(/^\+ client → backend tcp\/9000/)
    expect((await done('calicoctl apply -f then.yaml --flows')).stdout).toBe('no flow changes\n')
    expect(await flowsIn('calicoctl replace -f now.yaml --flows -o json')).toContainEqual({...row, change: '-'})
    const names = await done('calicoctl apply -f then.yaml --flows -o name')
    expect(names).toMatchObject({stdout: 'profile/backend\nprofile/frontend\n', stderr: expect.stringContaining('+ client → backend tcp/9000') as unknown})
    await done('calicoctl undo')
    expect((await done('calicoctl delete WorkloadEndpoint h2-docker-b1-eb1 --flows --dry-run')).stdout).toMatch(/- frontend → backend tcp\/9000/)
    expect((await done('calicoctl label Profile client team=red --flows')).stdout).toBe('no flow changes\n')
  })
})
