/** A plugin that is asked something by hand: programs of all kinds in its place. */
import {join, resolve} from 'node:path'
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {askPlugin} from '../../../../src/lib/mesos/agent/ask-plugin.js'
import {checkBuild} from '../../../support/cli.js'
import {type TestRoot, testRoot} from '../../../support/mesos-agent.js'

let root: TestRoot
beforeEach(() => {
  root = testRoot()
})
afterEach(() => root.remove())

/** Asks a shell script, which is given ARGS. */
function ask(script: string, {args = '', env = {}, limitMs}: {args?: string; env?: Record<string, string>; limitMs?: number} = {}) {
  root.put('/plugin', `#!/bin/sh\n${script}\n`, 0o755)
  return askPlugin(` ${join(root.folder, 'plugin')}  ${args} `, env, limitMs)
}

test('the plugin itself', async () => {
  checkBuild()
  expect(await askPlugin(join(resolve(import.meta.dirname, '../../../..'), 'bin/calico_mesos'), {CALICO_MESOS_LOG_FILE: '/dev/null'})).toEqual({})
})

test.each([
  ['refuses an empty request', 'cat > /dev/null; echo \'{"error": "Missing command"}\'; exit 1', undefined],
  ['does not read', 'echo \'{"error": "Missing command"}\'', undefined],
  ['sends the request back', 'cat', 'it did not refuse an empty request, but answered {}'],
  ['refuses something else', 'echo \'{"error": "broken"}\'; exit 1', 'its answer is: broken'],
  ['is satisfied', 'echo \'{"error": null}\'', 'it did not refuse an empty request, but answered {"error": null}'],
  ['says nothing', 'exit 1', 'it printed no answer'],
  ['says something else', 'echo hello', 'its answer is not JSON: hello'],
  ['says a word of JSON', 'echo null', 'it did not refuse an empty request, but answered null'],
  ['is killed', 'kill -9 $$', 'it was terminated by SIGKILL'],
])('one that %s', async (_, script, problem) => expect(await ask(script)).toEqual(problem === undefined ? {} : {problem}))

test('it has the arguments and the environment of the agent, and PATH', async () => {
  const script = '[ "$1 $2 $NAME" = "a b c" ] && [ -n "$PATH" ] && [ -z "$HOME" ] && echo \'{"error": "Missing command"}\''
  expect(await ask(script, {args: 'a  b', env: {NAME: 'c'}})).toEqual({})
})

test('what is not there', async () => expect((await askPlugin('/gone/calico_mesos', {})).problem).toMatch(/^it cannot be started: .*ENOENT/))

test('one that does not end, and one that leaves its output to another program', async () => {
  expect(await ask('exec sleep 30', {limitMs: 300})).toEqual({problem: 'it did not end within 0.3 s'})
  expect(await ask('sleep 3 & echo "{}"', {limitMs: 300})).toEqual({problem: 'it did not close its output within 0.3 s'})
})
