/** npm test: the tests that need nothing but Node. With arguments: jest with these, e.g. npm test -- test/e2e/pool -t drain */
import {spawnSync} from 'node:child_process'
import {resolve} from 'node:path'
import {jestCommand} from './jest.mjs'
import {testGroups} from './test-groups.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const args = process.argv.slice(2)
const [file, ...rest] = jestCommand(args.length > 0 ? args : ['--maxWorkers=2', '--runTestsByPath', ...testGroups(ROOT).pure])
process.exitCode = spawnSync(file, rest, {cwd: ROOT, stdio: 'inherit', env: {...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`}}).status ?? 1
