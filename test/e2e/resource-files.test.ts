/** Files of objects with the built command. */
import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild} from '../support/cli.js'

let folder: string
beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-resource-files-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const HEAD = 'apiVersion: projectcalico.org/v3\n'
const profile = (name: string, more = ''): string => `${HEAD}kind: Profile\nmetadata: {name: ${name}}\n${more}`

function run(argv: readonly string[], input = ''): {code: number | null; stdout: string; stderr: string} {
  const {status: code, stdout, stderr} = spawnSync(CALICOCTL, argv, {input, cwd: folder, encoding: 'utf8', env: {PATH: process.env.PATH, HOME: folder, CALICO_DATASTORE: `embedded:${folder}/store.json`}})
  return {code, stdout, stderr}
}

describe('validate', () => {
  test('says how many objects are valid, without a datastore', () => {
    writeFileSync(join(folder, 'a.yaml'), profile('a'))
    expect(run(['validate', '-f', 'a.yaml', '-f', '-'], `${profile('b')}---\n${profile('c')}`)).toEqual({code: 0, stdout: '3 objects in 2 files are valid.\n', stderr: ''})
  })
  test('every problem of every file, 1', () => {
    expect(run(['validate', '-ftypo.yaml', '-f-', '-Rfa.yaml'], profile('b', 'spec: {ingress: [{action: Allow, srouce: {}}]}\n'))).toEqual({
      code: 1,
      stdout: '',
      stderr: 'Error: There are 2 problems in the files; nothing was changed:\n  typo.yaml: there is no such file\n  -:4:34: profile/b: spec.ingress[0].srouce: is no field of a Profile in this place. Did you mean source?\n',
    })
  })
  test('what would do harm on the nodes is refused', () => {
    expect(run(['validate', '-f', '-'], profile('b', 'spec: {ingress: [{action: Allow, source: {nets: []}}]}\n'))).toMatchObject({code: 1, stderr: expect.stringContaining('-:4:49: profile/b: spec.ingress[0].source.nets: is empty: the rule matches every address') as unknown})
  })
  test('neither a line without -f nor a pipe that nobody writes to is waited for', () => {
    expect(run(['validate']).code).toBe(1)
    execFileSync('mkfifo', [join(folder, 'fifo.yaml')])
    expect(run(['validate', '-f', 'fifo.yaml'])).toMatchObject({code: 1, stderr: expect.stringContaining('fifo.yaml: it is no regular file') as unknown})
  })
})
