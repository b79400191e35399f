/**
 * node bench/startup.mjs [ROUNDS]: how long typical command lines take, as ratios to a Node that does nothing; those of the package of the system, which has a Node
 * of its own (npm run package), beside those of npm's. With CALICOCTL_GO, a read and a write of the Go client's: both write one new profile each time.
 */
import {compare, printRatio, printRows} from './measure.mjs'
import {environment, installed, startEtcd} from './setting.mjs'
import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'

const [READ, WRITE, GO_READ, GO_WRITE] = /** @type {const} */ (['read: profile show', 'write: profile add', 'Go calicoctl get', 'Go calicoctl apply'])
const rounds = Number(process.argv[2] ?? 40)
/** One store to write to, and one with two profiles to read from. */
const env = environment(await startEtcd())
const readEnv = environment(await startEtcd())
const node = process.execPath
const ours = [node, installed()]
const go = process.env.CALICOCTL_GO
const folder = mkdtempSync(join(tmpdir(), 'calicoctl-bench-'))
process.on('exit', () => rmSync(folder, {recursive: true, force: true}))
const tree = execFileSync(node, [resolve(import.meta.dirname, '../scripts/package.mjs'), '--arch', 'x64', '--form', 'tree', '--out', folder], {encoding: 'utf8'}).trim().split('\n').at(-1) ?? ''
const packaged = [join(tree, 'usr/bin/calicoctl')]

for (const {store, name} of [{store: env, name: 'first'}, {store: readEnv, name: 'first'}, {store: readEnv, name: 'second'}]) {
  const {status, stderr} = spawnSync(node, [...ours.slice(1), 'profile', 'add', name], {env: store, encoding: 'utf8'}) // the first initialises the store
  if (status !== 0) throw new Error(stderr)
}

const rows = compare(
  [
    {name: 'node -e 0', command: [node, '-e', '0']},
    {name: 'etcdctl version', command: ['etcdctl', 'version']},
    {name: 'etcdctl put', command: ['etcdctl', 'put', '/bench', 'x']},
    {name: 'calicoctl version', command: [...ours, 'version'], limit: 1.3},
    {name: 'calicoctl --help', command: [...ours, '--help'], limit: 1.3},
    {name: 'calicoctl profile add --help', command: [...ours, 'profile', 'add', '--help'], limit: 1.3},
    {name: 'usage error', command: [...ours, 'profile', 'add'], code: 1, limit: 2},
    {name: 'validation error', command: [...ours, 'profile', 'add', 'a/b'], code: 1, limit: 2},
    {name: WRITE, command: [...ours, 'profile', 'add'], more: (run) => [`p${run + 10}`], limit: 3.2},
    {name: READ, command: [...ours, 'profile', 'show'], env: readEnv, limit: 2.6},
    {name: 'package: its node -e 0', command: [join(tree, 'usr/lib/calicoctl/node'), '-e', '0']},
    {name: 'package: calicoctl version', command: [...packaged, 'version']},
    {name: 'package: write: profile add', command: [...packaged, 'profile', 'add'], more: (run) => [`q${run + 10}`]},
    {name: 'package: read: profile show', command: [...packaged, 'profile', 'show'], env: readEnv},
    ...(go === undefined
      ? []
      : [
          {name: GO_READ, command: [go, 'get', 'profiles', '--allow-version-mismatch'], env: readEnv},
          {name: GO_WRITE, command: [go, 'apply', '--allow-version-mismatch', '-f'], more: (/** @type {number} */ run) => [manifest(`go${run + 10}`)]},
          {name: 'Go calicoctl version', command: [go, 'version', '--client']},
        ]),
  ],
  {rounds, env},
)
console.log(`Node ${process.version}, ${rounds} rounds`)
printRows(rows)
if (go !== undefined) {
  printRatio(rows, READ, GO_READ)
  printRatio(rows, WRITE, GO_WRITE, 1)
}
process.exit(0)

/** A file with the profile NAME, for the Go client. @param {string} name */
function manifest(name) {
  const file = join(folder, `${name}.yaml`)
  writeFileSync(file, JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name}, spec: {}}))
  return file
}
