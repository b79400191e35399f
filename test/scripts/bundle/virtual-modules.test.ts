import {expect, test} from '@jest/globals'
import type {Command, Interfaces} from '@oclif/core'
import {virtualModules} from '../../../scripts/bundle/virtual-modules.mjs'

test('what commands have alike is there once, and each command is what it was', async () => {
  const quiet = {name: 'quiet', type: 'boolean', description: 'No notes. "quoted" \\ and so on'}
  const command = (id: string, own: object) => ({id, flags: {own, quiet}, args: {profile: {name: 'profile'}}, strict: true})
  const commands = {'a:b': command('a:b', {name: 'own', number: 1}), c: command('c', {name: 'own', number: 2}), d: {id: 'd', flags: {}, args: {}}} as unknown as Record<string, Command.Cached>
  const {'bundle:manifest': source = ''} = virtualModules({protocol: {} as never, commands, pjson: {} as Interfaces.PJSON})
  expect(source.split('No notes.')).toHaveLength(2)
  const {read} = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {read: Record<string, () => unknown>}
  for (const [id, original] of Object.entries(commands)) {
    expect(read[id]?.()).toEqual(original)
    expect(JSON.stringify(read[id]?.())).toBe(JSON.stringify(original))
  }
})
