/**
 * npm run mutate -- [--sample N] [--seed S] [FOLDER …]: N mutants (40) of the source in the folders (src/lib/ipam, client, rules, libnetwork), chosen by the seed (1), each
 * with the pure tests that reach its file or run commands, the nearest ones first; those of both datastores run on the embedded one. Prints those that survive, and the score. The
 * source files stay as they are.
 */
import {spawnSync} from 'node:child_process'
import {mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {parseArgs} from 'node:util'
import config from '../jest.config.js'
import {jestCommand} from './jest.mjs'
import {mutantsOf} from './mutation/mutants.mjs'
import {groupOf} from './test-groups.mjs'

const ROOT = resolve(import.meta.dirname, '..')
/** A mutant that makes a test run so long is found. */
const LIMIT_MS = 300_000

const {values, positionals} = parseArgs({options: {sample: {type: 'string', default: '40'}, seed: {type: 'string', default: '1'}}, allowPositionals: true})
for (const name of /** @type {const} */ (['sample', 'seed'])) {
  if (!/^[1-9][0-9]{0,6}$/.test(values[name])) {
    console.error(`--${name} takes a whole number above 0, not ${JSON.stringify(values[name])}`)
    process.exit(1)
  }
}
const folders = positionals.length > 0 ? positionals : ['src/lib/ipam', 'src/lib/client', 'src/lib/rules', 'src/lib/libnetwork']
const files = folders.flatMap((folder) => readdirSync(join(ROOT, folder), {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.ts')).map((name) => join(ROOT, folder, name)))
const all = files.flatMap((file) => mutantsOf(readFileSync(file, 'utf8')).map((mutant) => ({file, ...mutant})))
const random = chance(Number(values.seed))
const sample = Array.from({length: Math.min(Number(values.sample), all.length)}, () => all.splice(Math.floor(random() * all.length), 1)[0]).filter((mutant) => mutant !== undefined)

/** What starts servers only for the part of a suite that runs on etcd. */
const tests = readdirSync(join(ROOT, 'test/lib'), {recursive: true, encoding: 'utf8'})
  .filter((name) => name.endsWith('.test.ts') && groupOf('test/lib/', readFileSync(join(ROOT, 'test/lib', name), 'utf8').replace("/support/stores.js'", '')) === 'pure')
  .map((name) => join(ROOT, 'test/lib', name))
const NOT_ETCD = '^(?!etcd )'
/** Loads commands by their names: jest does not see what its tests reach. */
const BY_NAME = join(ROOT, 'test/support/in-process.ts')

const path = join(ROOT, '.cache', `mutation-${process.pid}.config.mjs`)
mkdirSync(join(ROOT, '.cache'), {recursive: true})
writeFileSync(path, `export default ${JSON.stringify({...config, rootDir: ROOT, transform: {'^.+\\.ts$': join(ROOT, 'scripts/mutation/transform.mjs')}, testSequencer: join(ROOT, 'scripts/mutation/nearest-first.mjs'), testMatch: tests})}\n`)
let found = 0
for (const {file, from, to, text, line, what} of sample) {
  const [program, ...args] = jestCommand(['--config', path, '--runInBand', '--bail', '--silent', '--passWithNoTests', '--testNamePattern', NOT_ETCD, '--findRelatedTests', file, BY_NAME])
  const {status} = spawnSync(program, args, {cwd: ROOT, stdio: 'ignore', timeout: LIMIT_MS, env: {...process.env, MUTANT: JSON.stringify({file, from, to, text})}})
  if (status !== 0) found++
  console.log(`${status === 0 ? 'SURVIVES' : 'found   '} ${file.slice(ROOT.length + 1)}:${line} ${what}`)
}
rmSync(path)
console.log(`${found} of ${sample.length} mutants were found (of ${all.length + sample.length} that there are, seed ${values.seed})`)

/**
 * Numbers from 0 to 1, the same for the same SEED.
 * @param {number} seed
 */
function chance(seed) {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 0x1_0000_0000
  }
}
