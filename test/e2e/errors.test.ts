/** What an error says: what failed, on which object, why, and what to do next (issue 12 §2). By the built command, on the embedded store. */
import {spawnSync} from 'node:child_process'
import {closeSync, mkdtempSync, openSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {CALICOCTL, type Result} from '../support/cli.js'
import {codesOnPage, commandOf} from '../support/help-pages.js'
import {freePorts} from '../support/ports.js'
import {calicoctl} from '../support/warm.js'

let folder: string
const path = (name: string): string => join(folder, name)
/** Runs LINE on this file's store, unless it says itself where its datastore is, or ENV does. */
const run = (line: string, env: Record<string, string> = {}, stdin = ''): Promise<Result> => {
  const store = /^--(config|datastore)/.test(line) || 'ETCD_ENDPOINTS' in env ? [] : ['--datastore', `embedded:${path('store.json')}`]
  return calicoctl([...store, ...line.split(' ')], {env: {CALICOCTL_JOURNAL: 'off', ...env}, cwd: folder, stdin})
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-errors-'))
  writeFileSync(path('lines'), ['profile add web', 'profile web rule add inbound deny tcp from cidr 10.9.0.0/16', 'pool add 10.44.0.0/26', 'pool add 10.45.0.0/24', 'ipam assign 10.45.0.0/24 --count 30 --handle many --node h1', 'ipam assign 10.44.0.0/26 --count 64 --handle full --node h1'].join('\n'))
  writeFileSync(path('calicoctl.cfg'), 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdEndpoint: http://127.0.0.1:1\n')
  await run('create -f -', {}, 'apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: h1}\nspec: {}\n')
  expect(await run('batch lines')).toMatchObject({code: 0})
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

test.each([
  ['profile web rule remove inbound allow tcp', 4, /^Error: Rule not found\. Profile web has no inbound rule: allow tcp\.\n {2}Its inbound rules:\n {4}\d .*\n {4}\d .*\n.*calicoctl profile web rule show\n$/],
  ['profile web rule remove inbound --at=99', 1, /^Error: Position 99 is out of range: the valid inbound positions in profile web are 1 to 2\.\n.*calicoctl profile web rule show\n$/],
  ['profile web rule add inbound allow to tag a from tag b', 1, /Error: "from" must come before "to": from tag A to tag B\.\n/],
  ['profile web tag remove nosuch', 4, /^Error: Tag nosuch is not on profile web\.\n.*calicoctl profile web tag show\n$/],
  ['endpoint e1 profile append', 1, /^Error: No profile specified\. Give the names of the profiles to append\.\n$/],
  ['pool add 10.46.0.0', 1, /^Error: 10\.46\.0\.0\/32 is a single address.*Give a network with its prefix length/],
  ['pool add 10.46.0.0/30', 1, /is too small.*Give a larger network, or smaller blocks with --block-size 30/],
  ['pool add 10.45.0.0/25', 1, /overlaps the pool 10\.45\.0\.0\/24 .*\nTo see the pools: calicoctl pool show\n$/],
  ['ipam assign 10.44.0.0/26 --node h1 --handle k', 8, /^Error: No address was assigned: no address is free in pool 10\.44\.0\.0\/26\.\nTo see how many/],
  ['ipam configure --max-blocks-per-host=4', 1, /requires strict affinity\.\n.*--strict-affinity=true --max-blocks-per-host=4/],
  ['pool remove 10.45.0.0/24', 8, /are in use \(30\); nothing was changed\.\n {2}node h1: 30 addresses\n {2}For example:\n(?: {2}10\.45\.0\.\d+: .*\n){5} {2}and 25 more\n/],
  ['get profile nosuch', 4, /^Error: There is no profile\/nosuch\.\nTo see those that exist: calicoctl get profile\n$/],
  ['pool show -o jsn', 1, /^Error: --output: 'jsn' is not valid\. Did you mean json\? Valid values: table, /],
  ['--request-timeout 1s profile show', 1, /Error: Unknown option --request-timeout\.\nDid you mean: --timeout\n/],
  ['policy test - -f -', 1, /^Error: -: stdin can be given only once\.\n$/],
  ['profile show --request-timeout 1s', 1, /Error: Unknown option --request-timeout\.\nDid you mean: --timeout\n/],
  ['container add a 10.44.0.1 --wait', 1, /Error: --wait is not an option of container add\.\n/],
  ['endpoint profile', 1, /Error: <ENDPOINT_ID> is missing\.\n/],
  // A verb that only one command's summary begins with.
  ['connect web-1 ipv4', 1, /Error: Unknown command 'connect'\.\nDid you mean: calicoctl container add web-1 ipv4\n/],
  ['profile rule add inbound allow', 1, /Error: <PROFILE> is missing\.\nTry: calicoctl profile rule add --help\n$/],
  ['profile web rule add inbound allow from tag a from tag b', 1, /Error: "from" may be given only once\.\n/],
  ['profile web rule add inbound allow tcp to port 80', 1, /Error: "port" is not a keyword: write "to ports 80"\.\n/],
  ['ipam assign --count 99999999999', 1, /^Error: --count: '99999999999' is not a number from 1 to 999999999\.\n/],
  ['profile rule show', 1, /Error: <PROFILE> is missing\.\nTry: calicoctl profile rule show --help\n$/],
  ['profile web rule remove inbound --at=1 allow', 1, /Error: --at and the words of a rule cannot be combined: give one of them\.\n/],
  ['--config calicoctl.cfg config view', 1, /unknown key spec\.etcdEndpoint; did you mean spec\.etcdEndpoints\?/],
  ['--datastore embedded:/proc/none/store profile add a', 1, /Error: The embedded store \/proc\/none\/store cannot be created: .*\nTo use another file: --datastore embedded:PATH\n$/],
])('%s', async (line, code, stderr) => {
  expect(await run(line)).toMatchObject({code, stdout: '', stderr: expect.stringMatching(stderr) as unknown})
  const command = commandOf(line.split(' '))
  if (command) expect(codesOnPage(command)).toContain(code)
})

test('- is stdin for a backup too: policy test -f -', async () => {
  writeFileSync(path('none.yaml'), 'apiVersion: calicoctl/v1\nkind: PolicyTest\nprobes: ["192.0.2.1 -> 192.0.2.2 tcp/80"]\n')
  expect((await run('datastore save b.gz')).code).toBe(0)
  const input = openSync(path('b.gz'), 'r')
  const {status, stderr} = spawnSync(process.execPath, [CALICOCTL, 'policy', 'test', 'none.yaml', '-f', '-'], {cwd: folder, stdio: [input, 'pipe', 'pipe'], encoding: 'utf8'})
  closeSync(input)
  expect({status, stderr}).toEqual({status: 0, stderr: '1 probe: all as expected\n'})
})

test('no etcd: the next step of somebody who has none', async () => {
  const [port = 0] = await freePorts(1)
  const {code, stderr} = await run('profile show', {ETCD_ENDPOINTS: `http://127.0.0.1:${port}`})
  expect({code, stderr}).toEqual({code: 6, stderr: expect.stringContaining('Check the endpoint in ETCD_ENDPOINTS.') as unknown})
})

test('a locked store names what unlocks it', async () => {
  await run('datastore lock')
  expect(await run('profile add db')).toMatchObject({code: 8, stderr: expect.stringMatching(/^Error: The datastore is locked \(.*\)\. Nothing was changed\.\n.*calicoctl datastore unlock\n$/) as unknown})
  await run('datastore unlock')
})

test('rule add: the usage names its options, the grammar of rules stands before the flags, and arguments are called as in the usage', async () => {
  const page = (await run('profile rule add --help')).stdout
  expect(page).toMatch(/USAGE\n[^]*\[<MATCH>\][^]*\[options\]\n/)
  expect(page.indexOf('\nMATCH\n')).toBeGreaterThan(0)
  expect(page.indexOf('\nMATCH\n')).toBeLessThan(page.indexOf('\nFLAGS\n'))
  expect(page).toMatch(/^ {2}inbound \| outbound {2}/m)
  expect(page).not.toContain('DIRECTION')
})

test('ipam check: a list of its findings, exit code 10, and its own options in the usage', async () => {
  const page = (await run('ipam check --help')).stdout
  expect(page).toMatch(/^ {2}- leaked-address: /m)
  expect(page).toMatch(/^ {2}10 {2,}Problems were found/m)
  expect(page).toMatch(/ipam check \[--docker\] \[--repair\]/)
})
