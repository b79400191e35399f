/** `calicoctl-NAME` in PATH as a command, and the user's own configuration file: the built command as a process. */
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {calicoctl, type Result} from '../support/cli.js'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-external-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('calicoctl-NAME', () => {
  const run = (words: string[], stdin?: string): Promise<Result> => calicoctl(words, {env: {PATH: `${folder}:${process.env.PATH ?? ''}`}, ...(stdin === undefined ? {} : {stdin})})
  const program = (name: string, text: string): void => {
    writeFileSync(join(folder, `calicoctl-${name}`), `#!/bin/sh\n${text}\n`)
    chmodSync(join(folder, `calicoctl-${name}`), 0o755)
  }
  test('gets the arguments and streams; its exit code is ours, also that of a signal', async () => {
    program('hello', 'printf "<%s>" "$@"; cat; exit 7')
    expect(await run(['hello', 'a b', '--help', '-q'], 'in')).toMatchObject({code: 7, stdout: '<a b><--help><-q>in'})
    program('dies', 'kill -TERM $$')
    expect((await run(['dies'])).code).toBe(143)
  })
  test('never instead of a command of ours, nor in a batch, nor without the right to be run', async () => {
    program('profile', 'echo mine')
    expect((await run(['profile', 'bogus'])).stdout).not.toContain('mine')
    program('hello', 'echo mine')
    expect(await run(['batch'], 'hello\n')).toMatchObject({code: 1, stdout: ''})
    chmodSync(join(folder, 'calicoctl-hello'), 0o644)
    expect(await run(['hello'])).toMatchObject({code: 1, stdout: ''})
  })
})

describe('the user\'s own calicoctl.cfg', () => {
  const view = async (env: Record<string, string>): Promise<string> => (await calicoctl(['config', 'view'], {env: {XDG_CONFIG_HOME: folder, ...env}})).stdout
  test('comes before that of the host, as one group; not under sudo', async () => {
    mkdirSync(join(folder, 'calicoctl'))
    const path = join(folder, 'calicoctl/calicoctl.cfg')
    writeFileSync(path, 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata: {}\nspec:\n  datastoreType: etcdv3\n  etcdEndpoints: http://192.0.2.77:2379\n')
    expect(await view({})).toMatch(new RegExp(`192\\.0\\.2\\.77[^]*${path}`))
    expect(await view({SUDO_UID: '1000'})).not.toContain('192.0.2.77')
    expect(await view({ETCD_ENDPOINTS: 'http://192.0.2.78:2379'})).not.toContain('192.0.2.77')
  })
})

test('completion --install writes the script of the user\'s shell, and cannot be used in a batch', async () => {
  const env = {XDG_DATA_HOME: join(folder, 'data'), SHELL: '/bin/bash'}
  const path = join(folder, 'data/bash-completion/completions/calicoctl')
  expect(await calicoctl(['batch'], {env, stdin: 'completion bash --install\n'})).toMatchObject({code: 1})
  expect(existsSync(path)).toBe(false)
  expect(await calicoctl(['completion', '--install'], {env})).toMatchObject({code: 0, stdout: `${path}\n`})
  expect(readFileSync(path, 'utf8')).toBe((await calicoctl(['completion', 'bash'], {env})).stdout)
})
