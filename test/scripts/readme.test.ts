/** What README's examples say that no test runs. */
import {readFileSync} from 'node:fs'
import {resolve} from 'node:path'
import {expect, test} from '@jest/globals'

test('the Engine takes the names that README gives to containers: two characters or more', () => {
  const text = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')
  const names = [...text.matchAll(/docker run .*?--name[ =](\S+)/g)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThanOrEqual(5)
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/)
})
