import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {expect, test} from '@jest/globals'
import {placedIds} from '../../../../src/lib/cli/batch/places.js'

const COMMANDS = join(import.meta.dirname, '../../../../src/commands')

test('every command is in exactly one class', () => {
  const files = readdirSync(COMMANDS, {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'))
  expect(placedIds().sort()).toEqual(files.map((file) => file.slice(0, -'.ts'.length).replaceAll('/', ':')).sort())
})
