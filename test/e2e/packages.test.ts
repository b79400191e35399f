/** The tree of the packages, unpacked: it needs nothing of the machine, not even an environment. What dpkg and rpm do with it: npm run verify:packages. */
import {execFileSync, spawnSync} from 'node:child_process'
import {existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {MAIN_JOB} from '../../scripts/main-job.mjs'
import {OWN_NODE} from '../../scripts/package/node.mjs'
import {checkBuild} from '../support/cli.js'
import {page, PAGES} from '../support/pages.js'

const ROOT = resolve(import.meta.dirname, '../..')
const {version} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {version: string}

let folder: string
let tree: string
/** What was in the tree before anything ran. */
let before: string[]

const filesOf = (path: string): string[] => readdirSync(path, {recursive: true, encoding: 'utf8'}).map((name) => `${name} ${lstatSync(join(path, name)).mtimeMs}`).sort()

beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-packages-'))
  execFileSync(process.execPath, [join(ROOT, 'scripts/package.mjs'), '--arch', 'x64', '--form', 'tree', '--out', folder], {stdio: ['ignore', 'ignore', 'inherit'], env: {...process.env, SOURCE_DATE_EPOCH: '1764000000'}})
  tree = join(folder, `calicoctl-${version}-linux-x64`)
  before = filesOf(tree)
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** Runs PROGRAM of the tree in an environment that has nothing but ENV. */
function run(program: string, args: readonly string[], {env = {}, input = ''}: {env?: Record<string, string>; input?: string} = {}): {code: number | null; stdout: string; stderr: string} {
  const {status, stdout, stderr} = spawnSync(join(tree, 'usr/bin', program), args, {encoding: 'utf8', env, input})
  return {code: status, stdout, stderr}
}

describe('the tree of the packages', () => {
  test('does the main job with its own Node, in an empty environment, and adds no file to itself', () => {
    const env = {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`}
    const outputs = new Map<string, string>()
    for (const line of MAIN_JOB) {
      const {code, stdout, stderr} = run('calicoctl', [...line.split(' '), '--config', join(tree, 'etc/calico/calicoctl.cfg')], {env})
      expect({line, code, stderr}).toEqual({line, code: 0, stderr: line === MAIN_JOB[0] ? expect.stringMatching(/^Warning: Initialising .*\n/) : expect.not.stringMatching(/Warning|Error/)})
      outputs.set(line, stdout)
    }
    expect(outputs.get('profile backend rule show')).toBe('Inbound rules:\n   1 allow from tag backend\n   2 allow tcp from tag frontend to ports 9000\nOutbound rules:\n   1 allow\n')
    expect(outputs.get('pool show')).toContain('| 192.168.0.0/16 | nat-outgoing |')
    expect(filesOf(tree)).toEqual(before)
  })

  test('has the code caches of that Node, and V8 takes them', () => {
    const dist = join(tree, 'usr/lib/calicoctl/dist')
    const chunks = Object.values(JSON.parse(readFileSync(join(dist, 'chunks.json'), 'utf8')) as Record<string, string>)
    expect(readdirSync(dist).filter((name) => name.endsWith('.cache')).sort()).toEqual(chunks.map((name) => `${name}.v${OWN_NODE.x64.version}-x64.cache`).sort())
    const script = `const fs = require('fs'), vm = require('vm'), {unseal} = require('${tree}/usr/lib/calicoctl/bin/seal.js')
      console.log(${JSON.stringify(chunks)}.filter((name) => new vm.Script(fs.readFileSync('${dist}/' + name, 'latin1'), {cachedData: unseal(fs.readFileSync('${dist}/' + name + '.' + process.version + '-x64.cache'))}).cachedDataRejected).join())`
    expect(execFileSync(join(tree, 'usr/lib/calicoctl/node'), ['-e', script], {encoding: 'utf8', env: {}})).toBe('\n')
  })

  test('answers a Mesos agent without an environment, also through a link, and in JSON when Node is missing', () => {
    expect(run('calico_mesos', [], {input: '{}'})).toEqual({code: 1, stdout: '{"error":"Missing command"}', stderr: ''})
    const link = join(folder, 'calico_mesos')
    symlinkSync(join(tree, 'usr/bin/calico_mesos'), link)
    expect(spawnSync(link, {encoding: 'utf8', env: {}, input: '{}'}).stdout).toBe('{"error":"Missing command"}')
    const broken = join(folder, 'broken')
    execFileSync('mkdir', ['-p', join(broken, 'usr/bin')])
    writeFileSync(join(broken, 'usr/bin/calico_mesos'), readFileSync(join(tree, 'usr/bin/calico_mesos')), {mode: 0o755})
    const {status, stdout} = spawnSync(join(broken, 'usr/bin/calico_mesos'), {encoding: 'utf8', env: {}, input: '{}'})
    expect({status, error: (JSON.parse(stdout) as {error: string}).error}).toEqual({status: 1, error: expect.stringContaining('not installed whole')})
  })

  test('brings the pages of README and docs/, with what they link to', () => {
    const doc = join(tree, 'usr/share/doc/calicoctl')
    for (const path of PAGES) expect(readFileSync(join(doc, path), 'utf8')).toBe(page(path))
    const links = PAGES.flatMap((path) => [...page(path).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, to = '']) => join(dirname(path), to)))
    // What is for a checkout.
    expect([...new Set(links.filter((to) => !existsSync(join(doc, to))))].sort()).toEqual(['CONTRIBUTING.md', 'bench/README.md', 'examples/stars/policy-test.yaml'])
  })

  test('takes no notice of what is meant for another Node', () => {
    expect(run('calicoctl', ['version'], {env: {NODE_OPTIONS: '--no-such-option'}})).toEqual({code: 0, stdout: `${version}\n`, stderr: ''})
  })

  test('brings a configuration file that says nothing, and shows an example that is right', () => {
    const config = join(tree, 'etc/calico/calicoctl.cfg')
    expect(readFileSync(config, 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
    const {code, stdout, stderr} = run('calicoctl', ['config', 'view', '--config', config, '-o', 'json'])
    expect({code, stderr}).toEqual({code: 0, stderr: ''})
    expect(stdout).toContain('http://127.0.0.1:2379')
    // What it shows as an example is right.
    const example = join(folder, 'example.cfg')
    writeFileSync(example, readFileSync(config, 'utf8').split('\n').map((line) => line.replace(/^# (?=apiVersion|kind|metadata|spec|\s)/, '')).join('\n').replace(/^ {2}etcd\w+File: .*\n/gm, '').replaceAll('https', 'http'))
    expect(run('calicoctl', ['config', 'view', '--config', example, '-o', 'json']).stdout).toContain('http://10.0.0.2:2379')
  })

  test('brings the unit that calicoctl node --libnetwork would write', () => {
    const unit = readFileSync(join(tree, 'usr/lib/systemd/system/calico-libnetwork.service'), 'utf8')
    expect(unit).toContain('ExecStart=/usr/lib/calicoctl/node /usr/lib/calicoctl/bin/run.js libnetwork serve')
    expect(unit).toContain(`(calicoctl ${version})`)
    expect(existsSync(join(tree, 'etc/systemd'))).toBe(false) // not enabled
  })

  test('completes in zsh from the folder where zsh looks, at the first key', () => {
    const script = `fpath=(${join(tree, 'usr/share/zsh/site-functions')} $fpath); autoload -Uz _calicoctl; words=(calicoctl pool sh); CURRENT=3
      compadd() { shift; print -l -- "$@"; }; _calicoctl`
    const output = execFileSync('zsh', ['-f', '-c', script], {encoding: 'utf8', env: {PATH: `${join(tree, 'usr/bin')}:/usr/bin:/bin`}})
    expect(output).toBe('show\n')
  })
})
