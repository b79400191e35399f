/** What `npm run verify` runs side by side, and the PATH that it gives to the tests. */
import {existsSync, mkdtempSync, readdirSync, realpathSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, relative, resolve} from 'node:path'
import {expect, test} from '@jest/globals'
import config from '../../jest.config.js'
import {declaredPath} from '../../scripts/declared-path.mjs'
import SlowestFirst, {inParts, KNOWN} from '../../scripts/slowest-first.mjs'
import {groupOf, testGroups} from '../../scripts/test-groups.mjs'
import {BASE_PROGRAMS, TEST_PROGRAMS} from '../../scripts/test-programs.mjs'

test.each([
  ['test/lib/a.test.ts', "import {x} from '../../src/lib/x.js'", 'pure'],
  ['test/lib/a.test.ts', "import {suite} from '../support/docker.js'", 'pure'],
  ['test/lib/a.test.ts', "import {execFileSync} from 'node:child_process'", 'services'],
  ['test/lib/a.test.ts', "import {onBothStores} from '../../support/stores.js'", 'services'],
  ['test/lib/a.test.ts', "import {faults} from './faults.contract.js'", 'services'],
  ['test/e2e/a.test.ts', "import {x} from '../../src/lib/x.js'", 'services'],
  ['test/e2e/a.test.ts', "import {startEngine, suite} from '../support/docker.js'", 'machine'],
  ['test/lib/a.test.ts', "import {startNamespace} from '../../support/namespaces.js'", 'machine'],
  ['test/e2e/a.test.ts', "import {containersOfEngine} from '../support/containers.js'", 'machine'],
  ['test/e2e/a.test.ts', "import {mesosPlugin} from '../support/mesos-plugin.js'\nimport {mesosContainers} from '../support/mesos-containers.js'", 'machine'],
  ['test/lib/a.test.ts', "import {mesosPlugin} from '../../support/mesos-plugin.js'", 'services'],
  ['test/e2e/a.test.ts', "import {startHost} from '../support/stand-in/host.js'\nimport {whyNoNamespaces} from '../support/namespaces.js'", 'machine'],
])('%s with %j is in the group %s', (path, source, group) => expect(groupOf(path, source)).toBe(group))

test('every test file is in one group', () => {
  const root = resolve(import.meta.dirname, '../..')
  const all = Object.values(testGroups(root)).flat()
  const files = readdirSync(join(root, 'test'), {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.test.ts'))
  expect(all.length).toBe(files.length)
  expect(new Set(all).size).toBe(files.length)
})

test('the slowest files come first, whatever their size, and each of them is there', () => {
  const root = resolve(import.meta.dirname, '../..')
  const files = Object.values(testGroups(root)).flat()
  expect(KNOWN.filter((path) => !files.includes(path))).toEqual([])
  const named = (path: string) => ({path: join(root, path), context: {config: {rootDir: root}}}) as never
  const order = new SlowestFirst().sort(['test/a.test.ts', 'test/e2e/pool.test.ts', 'test/simulation/simulation.test.ts', 'test/fuzz/fuzz.test.ts'].map(named)).map(({path}) => relative(root, path))
  expect(order).toEqual(['test/fuzz/fuzz.test.ts', 'test/simulation/simulation.test.ts', 'test/e2e/pool.test.ts', 'test/a.test.ts'])
  expect(config.testSequencer).toBe('<rootDir>/scripts/slowest-first.mjs')
})

test('files are shared among lanes so that each takes the same time, and none is lost', () => {
  const files = ['test/a.test.ts', 'test/b.test.ts', 'test/simulation/simulation.test.ts', 'test/e2e/docker-faults.test.ts', 'test/e2e/node.test.ts']
  expect(inParts(files, 2)).toEqual([['test/simulation/simulation.test.ts', 'test/a.test.ts', 'test/b.test.ts'], ['test/e2e/docker-faults.test.ts', 'test/e2e/node.test.ts']])
  expect(inParts(files.slice(0, 1), 2)).toEqual([['test/a.test.ts'], []])
})

test('the PATH of the tests holds what is declared, and nothing else of this machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-path-'))
  try {
    const {PATH} = declaredPath(folder)
    if (PATH === undefined) return // no Debian: nothing is enforced
    for (const program of ['node', ...BASE_PROGRAMS, ...TEST_PROGRAMS.map(([name]) => name)]) expect([program, existsSync(join(PATH, program))]).toEqual([program, true])
    expect(realpathSync(join(PATH, 'node'))).toBe(realpathSync(process.execPath))
    for (const program of ['git', 'gcc', 'make']) expect([program, existsSync(join(PATH, program))]).toEqual([program, false])
  } finally {
    rmSync(folder, {recursive: true})
  }
})
