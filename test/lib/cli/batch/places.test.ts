import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from '@jest/globals'
import {checkedFurther, placedIds, placeOf, whyNotStaged} from '../../../../src/lib/cli/batch/places.js'

const COMMANDS = join(import.meta.dirname, '../../../../src/commands')

test('every command is in exactly one class', () => {
  const files = readdirSync(COMMANDS, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'))
  expect(placedIds().sort()).toEqual(files.map((file) => file.slice(0, -'.ts'.length).replaceAll('/', ':')).sort())
})

test('what is in no class may do least', () => expect([placeOf('frobnicate'), placeOf('apply'), placeOf('batch'), placeOf('schema')]).toEqual(['host', 'store', 'endless', 'neither']))

test('what only reads its files first is checked further', () => expect(['apply', 'plan', 'validate', 'status', 'schema'].map(checkedFurther)).toEqual([true, true, true, false, false]))

test.each<[string, readonly string[], boolean, string | undefined, string | undefined]>([
  ['profile:add', [], true, undefined, undefined],
  ['pool:remove', [], true, undefined, undefined],
  ['pool:remove', ['--drain'], true, 'calicoctl pool remove --drain waits for other clients, and cannot be a line of a batch with --atomic', 'calicoctl pool remove --drain waits for other clients, and cannot be a line of a batch with --dry-run'],
  ['pool:add', ['--drain'], true, undefined, undefined],
  ['datastore:lock', [], true, 'calicoctl datastore lock cannot be a line of a batch with --atomic', 'calicoctl datastore lock cannot be a line of a batch with --dry-run'],
  ['node:remove', [], true, 'calicoctl node remove works on this host, which is not possible in one transaction (--atomic)', undefined],
  ['status', [], false, 'calicoctl status works on this host, which is not possible in one transaction (--atomic)', 'calicoctl status works on this host and has no --dry-run'],
])('%s %j on a stage', (id, argv, canRehearse, atomic, rehearsed) => expect([true, false].map((isAtomic) => whyNotStaged(id, {atomic: isAtomic, canRehearse, argv}))).toEqual([atomic, rehearsed]))
