/** What each command does as a line of a batch, of one with --atomic, and of one with --dry-run: it works, or it is refused by name before anything is done. */
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {placedIds} from '../../src/lib/cli/batch/places.js'
import {calicoctl, type Result} from '../support/cli.js'

let folder: string
let env: Record<string, string>
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-places-'))
  const object = (kind: string, name: string, spec: object): string => `${JSON.stringify({apiVersion: 'projectcalico.org/v3', kind, metadata: {name}, spec})}\n`
  for (const name of ['made', 'applied', 'replaced', 'deleted']) writeFileSync(join(folder, `${name}.json`), object('Profile', name, {}))
  writeFileSync(join(folder, 'old.json'), JSON.stringify({action: 'get', node: {key: '/calico', dir: true, nodes: []}}))
  writeFileSync(join(folder, 'probes.yaml'), 'apiVersion: calicoctl/v1\nkind: PolicyTest\nprobes: []\n')
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

type Mode = 'plain' | 'atomic' | 'dry-run'
const MODES: readonly Mode[] = ['plain', 'atomic', 'dry-run']

/** How a line fares: it works (0), or the whole batch is refused for it, by name. */
type Fate = 'works' | 'refused'

const everywhere = (fate: Fate): Record<Mode, Fate> => ({plain: fate, atomic: fate, 'dry-run': fate})
const WORKS = everywhere('works')
const NEVER = everywhere('refused')
const PLAIN = {plain: 'works', atomic: 'refused', 'dry-run': 'refused'} as const
/** On this host: rehearsed by its own --dry-run. */
const HOST = {plain: 'works', atomic: 'refused', 'dry-run': 'works'} as const

/** A line for each command that touches the datastore, in an order in which they work; those of one line are tried in the same batch. */
const LINES: readonly (readonly [id: string, line: string, fate: Record<Mode, Fate>])[] = [
  ['undo', 'undo', HOST],
  ['profile:add', 'profile add web', WORKS],
  ['pool:add', 'pool add 10.1.0.0/16', WORKS],
  ['pool:range:add', 'pool range add 10.8.0.0 10.8.0.255', WORKS],
  ['pool:set', 'pool set 10.1.0.0/16 --nat-outgoing', WORKS],
  ['pool:show', 'pool show', WORKS],
  ['ipam:configure', 'ipam configure --strict-affinity false', WORKS],
  ['ipam:assign', 'ipam assign 10.1.0.9 --node h1', WORKS],
  ['ipam:info', 'ipam info 10.1.0.9', WORKS],
  ['ipam:show', 'ipam show', WORKS],
  ['ipam:check', 'ipam check', WORKS],
  ['ipam:release', 'ipam release 10.1.0.9', WORKS],
  ['ipam:split', 'ipam split 2 --cidr 10.8.0.0/24', WORKS],
  ['pool:move', 'pool move 10.1.0.0/16 10.2.0.0/16', WORKS],
  ['pool:remove', 'pool remove 10.2.0.0/16', WORKS],
  ['pool:remove', 'pool remove 10.1.0.0/16 --drain --wait 5s', PLAIN],
  ['apply', 'apply -f applied.json', WORKS],
  ['create', 'create -f made.json', WORKS],
  ['replace', 'replace -f applied.json', WORKS],
  ['delete', 'delete -f made.json', WORKS],
  ['diff', 'diff -f applied.json', WORKS],
  ['export', 'export', WORKS],
  ['validate', 'validate -f applied.json', WORKS],
  ['label', 'label profile web a=b', WORKS],
  ['patch', 'patch profile web -p {"metadata":{"labels":{"c":"d"}}}', WORKS],
  ['get', 'get profile', WORKS],
  ['get', 'get -w profile', NEVER],
  ['lint', 'lint --level error', WORKS],
  ['lint:codes', 'lint codes', WORKS],
  ['schema', 'schema ProfileList', WORKS],
  ['policy:explain', 'policy explain 10.0.0.1 10.0.0.2', WORKS],
  ['policy:matrix', 'policy matrix', WORKS],
  ['policy:test', 'policy test probes.yaml', WORKS],
  ['policy:picture', 'policy picture -o policy.svg', PLAIN],
  ['profile:rule:add', 'profile web rule add inbound allow tcp to ports 80', WORKS],
  ['profile:rule:show', 'profile web rule show', WORKS],
  ['profile:rule:json', 'profile web rule json', WORKS],
  ['profile:rule:remove', 'profile web rule remove inbound allow tcp to ports 80', WORKS],
  ['profile:tag:add', 'profile web tag add t', WORKS],
  ['profile:tag:show', 'profile web tag show', WORKS],
  ['profile:tag:remove', 'profile web tag remove t', WORKS],
  ['profile:show', 'profile show', WORKS],
  ['profile:remove', 'profile remove web', WORKS],
  ['bgp:default-node-as', 'bgp default-node-as 64513', WORKS],
  ['bgp:node-mesh', 'bgp node-mesh off', WORKS],
  ['bgp:peer:add', 'bgp peer add 10.0.0.1 as 64512', WORKS],
  ['bgp:peer:show', 'bgp peer show', WORKS],
  ['bgp:peer:remove', 'bgp peer remove 10.0.0.1', WORKS],
  ['node:bgp:peer:add', 'node bgp peer add 10.0.0.2 as 64512 --node h1', WORKS],
  ['node:bgp:peer:show', 'node bgp peer show --node h1', WORKS],
  ['node:bgp:peer:remove', 'node bgp peer remove 10.0.0.2 --node h1', WORKS],
  ['node:show', 'node show', WORKS],
  ['config:felix', 'config felix loglevel debug', WORKS],
  ['config:bgp', 'config bgp loglevel debug', WORKS],
  ['config:node:bgp', 'config node bgp loglevel debug --node h1', WORKS],
  ['config:grants', 'config grants', WORKS],
  ['config:view', 'config view', WORKS],
  ['completion', 'completion bash', WORKS],
  ['endpoint:show', 'endpoint show', WORKS],
  ['datastore:status', 'datastore status', WORKS],
  ['version', 'version', WORKS],
  ['help', 'help profile', WORKS],
  ['history', 'history', PLAIN],
  ['plan', 'plan -f made.json --out change.plan', HOST],
  ['confirm', 'confirm --list', PLAIN],
  ['datastore:save', 'datastore save b.gz', PLAIN],
  ['datastore:restore', 'datastore restore b.gz --replace', PLAIN],
  ['datastore:lock', 'datastore lock', PLAIN],
  ['datastore:unlock', 'datastore unlock', PLAIN],
  ['datastore:migrate:lock', 'datastore migrate lock', PLAIN],
  ['datastore:migrate:unlock', 'datastore migrate unlock', PLAIN],
  ['edit', 'edit profile web', NEVER],
  ['batch', 'batch x', NEVER],
  ['libnetwork:serve', 'libnetwork serve', NEVER],
]

/** What needs a container engine, an interface or an endpoint, or is hidden; what those do in a batch is in batch.test.ts, or decided by the same table. */
const ELSEWHERE = [
  '__complete', '__confirm', 'checksystem', 'container:add', 'container:endpoint:show', 'container:ip:add', 'container:ip:remove', 'container:profile:append', 'container:profile:remove',
  'container:profile:set', 'container:profile:show', 'container:remove', 'diags', 'endpoint:gc', 'endpoint:profile:append', 'endpoint:profile:remove', 'endpoint:profile:set', 'endpoint:profile:show',
  'endpoint:remove', 'import', 'mesos:check', 'mesos:config', 'mesos:gc', 'node', 'node:remove', 'node:stop', 'profile:rule:update', 'status',
]

test('every command is in the table', () => {
  expect([...new Set([...LINES.map(([id]) => id), ...ELSEWHERE])].sort()).toEqual(placedIds().sort())
})

let number = 0
function batch(lines: readonly string[], mode: Mode, {file = true, ...more}: {file?: boolean; env?: Record<string, string>; stdin?: string} = {}): Promise<Result> {
  const text = `${lines.map((line) => line.replaceAll('"', '\\"')).join('\n')}\n`
  writeFileSync(join(folder, 'lines.txt'), text)
  return calicoctl(['batch', ...(file ? ['lines.txt'] : []), ...(mode === 'plain' ? [] : [`--${mode}`])], {cwd: folder, env: {...env, ...more.env}, stdin: more.stdin ?? (file ? '' : text), timeoutMs: 60_000})
}
const newStore = (): void => {
  number++
  env = {CALICO_DATASTORE: `embedded:${join(folder, `${number}.json`)}`, XDG_STATE_HOME: join(folder, `state-${number}`), CALICO_NODENAME: 'h1'}
}

test.each(MODES)('%s: what works, works one after another; what does not is refused, all of it by name, before anything is done', async (mode) => {
  newStore()
  const refused = LINES.filter(([, , fate]) => fate[mode] === 'refused')
  const mixed = await batch(['profile add before', ...refused.map(([, line]) => line)], mode)
  expect(mixed).toMatchObject({code: 1, stdout: ''})
  const told = mixed.stderr.split('\n').filter((line) => /^lines\.txt:\d+: Error: /.test(line)).map((line) => Number(line.split(':')[1]))
  expect(told).toEqual(refused.map((_, at) => at + 2))
  expect((await calicoctl(['get', 'profile', '-o', 'name'], {env})).stdout).not.toContain('before')

  expect(await calicoctl(['profile', 'add', 'first'], {env})).toMatchObject({code: 0}) // for undo
  const works = LINES.filter(([, , fate]) => fate[mode] === 'works')
  const {code, stderr} = await batch(works.map(([, line]) => line), mode)
  expect({code, failed: stderr.split('\n').filter((line) => /Error|failed|This is a fault|[1-9]\d* lines? (?:was|were) not tried/.test(line))}).toEqual({code: 0, failed: []})
})

test('a dry run keeps no change that waits from being taken back, and makes no plan', async () => {
  newStore()
  expect(await batch(['confirm'], 'dry-run')).toMatchObject({code: 1, stderr: expect.stringContaining('calicoctl confirm works on this host') as unknown})
  rmSync(join(folder, 'change.plan'), {force: true})
  expect(await batch(['plan -f made.json --out change.plan'], 'dry-run')).toMatchObject({code: 0})
  expect(() => readFileSync(join(folder, 'change.plan'))).toThrow('ENOENT')
})

test('stdin that the lines come from is not an input of a line, whatever the line is', async () => {
  newStore()
  const lines = ['apply -f -', 'create -f -', 'replace -f -', 'delete -f -', 'diff -f -', 'validate -f -', 'plan -f - --out p', 'apply --plan -', 'get -f -', 'policy test -', 'profile web rule update']
  const {code, stderr, stdout} = await batch(['profile add web', ...lines], 'plain', {file: false})
  expect({code, stdout}).toEqual({code: 1, stdout: ''})
  for (const at of lines.keys()) expect(stderr).toContain(`stdin:${at + 2}: Error: `)
  expect(stderr).toContain(`${lines.length} of ${lines.length + 1} lines`)
  expect((await calicoctl(['profile', 'show', '-o', 'name'], {env})).stdout).toBe('')
})

test('from a file, each of them reads it, more than 4 MB, too', async () => {
  newStore()
  const object = `${JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name: 'web'}, spec: {}})}\n${`# ${'x'.repeat(80)}\n`.repeat(60_000)}`
  const {code, stderr} = await batch(['validate -f -', 'plan -f - --out p', 'create -f -', 'diff -f -', 'apply -f -', 'get -f -', 'replace -f -', 'delete -f -'], 'plain', {stdin: object})
  expect({code, failed: stderr.split('\n').filter((line) => line.includes('Error'))}).toEqual({code: 0, failed: []})
})
