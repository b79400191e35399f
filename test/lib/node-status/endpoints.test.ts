/** Felix's files of endpoints: their names, and what they say against the datastore. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect, test} from '@jest/globals'
import fc from 'fast-check'
import {compareEndpoints, parseFileName, programmedEndpoints} from '../../../src/lib/node-status/endpoints.js'
import {ANY_CHARACTER} from '../../support/any-character.js'

test.each([
  ['libnetwork default%2Fw1 e1', {orchestrator: 'libnetwork', workload: 'default/w1', endpoint: 'e1'}],
  ['k8s ns%2Fpod-1 eth0', {orchestrator: 'k8s', workload: 'ns/pod-1', endpoint: 'eth0'}],
  ['a b', undefined],
  ['a b c d', undefined],
  ['a  c', undefined],
  ['a %zz c', undefined],
  ['', undefined],
])('%j', (name, expected) => expect(parseFileName(name)).toEqual(expected))

test('any file name is read or passed over', () => {
  fc.assert(fc.property(fc.string({unit: ANY_CHARACTER}), (name) => void parseFileName(name)))
})

test('what parts are escaped is read back', () => {
  const part = fc.string({minLength: 1, unit: 'grapheme'})
  fc.assert(
    fc.property(part, part, part, (orchestrator, workload, endpoint) => {
      expect(parseFileName([orchestrator, workload, endpoint].map(encodeURIComponent).join(' '))).toEqual({orchestrator, workload, endpoint})
    }),
  )
})

test('a folder with files, and none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-endpoints-'))
  try {
    expect(await programmedEndpoints(folder)).toBeUndefined()
    mkdirSync(join(folder, 'endpoint-status'))
    expect(await programmedEndpoints(folder)).toEqual([])
    for (const name of ['docker default%2Fa e1', '.tmp', 'docker default%2Fb e2']) writeFileSync(join(folder, 'endpoint-status', name), '{}')
    expect((await programmedEndpoints(folder))?.map(({endpoint}) => endpoint).sort()).toEqual(['e1', 'e2'])
  } finally {
    rmSync(folder, {recursive: true})
  }
})

const [one, two, three] = ['1', '2', '3'].map((n) => ({orchestrator: 'docker', workload: `default/w${n}`, endpoint: `e${n}`})) as [Name, Name, Name]
type Name = Parameters<typeof compareEndpoints>[0] extends readonly (infer N)[] | undefined ? N : never

test('files against the datastore', () => {
  expect(compareEndpoints([one, three], [one, two])).toEqual({reported: true, up: 1, down: [two], left: [three]})
  expect(compareEndpoints([one], undefined)).toEqual({reported: true, up: 1, down: undefined, left: []})
  expect(compareEndpoints(undefined, [one])).toEqual({reported: false, up: 0, down: undefined, left: []})
})
