/** Completion from the key press to the store: a real bash, the built command, and a store in which somebody left traps. */
import {execFileSync} from 'node:child_process'
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, calicoctl} from '../support/cli.js'

const TRAP = '$(touch pwned)'
let folder: string
let env: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-completion-'))
  const store = join(folder, 'store.json')
  env = {CALICO_DATASTORE: `embedded:${store}`}
  for (const name of ['web', 'Web_2', 'trap']) expect((await calicoctl(['profile', 'add', name], {env})).code).toBe(0)
  // the name and the tag of the third profile become code, as an attacker with access to the store could have it
  const text = readFileSync(store, 'utf8')
  const trapped = text.replaceAll(/\\"trap\\":\\"\\"/g, JSON.stringify(JSON.stringify(TRAP)).slice(1, -1) + ':\\"\\"')
  expect(trapped).not.toBe(text)
  writeFileSync(store, trapped)
  writeFileSync(join(folder, 'calicoctl'), `#!/bin/sh\nexec '${process.execPath}' '${CALICOCTL}' "$@"\n`)
  chmodSync(join(folder, 'calicoctl'), 0o755)
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** What bash offers after LINE. */
function offered(line: string): string[] {
  const script = `
    source <(calicoctl completion bash)
    COMP_LINE=$1 COMP_POINT=\${#1}
    _calicoctl
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const output = execFileSync('bash', ['--norc', '-c', script, 'bash', line], {
    cwd: folder,
    env: {PATH: `${folder}:${process.env.PATH ?? ''}`, HOME: folder, ...env},
    encoding: 'utf8',
  })
  return output.split('\n').filter((word) => word !== '')
}

describe('completion in bash', () => {
  test('of words and of names', () => {
    expect(offered('calicoctl profile web rule add ')).toEqual(['inbound', 'outbound'])
    expect(offered('calicoctl profile remove W')).toEqual(['Web_2'])
  })

  test('a trap in the store is neither offered nor sprung', async () => {
    expect((await calicoctl(['profile', 'trap', 'tag', 'show'], {env})).stdout).toContain(TRAP)
    expect(offered('calicoctl profile web tag remove ')).toEqual(['Web_2', 'web'])
    expect(offered('calicoctl profile web rule add inbound allow from tag ')).toEqual(['Web_2', 'web'])
    expect(existsSync(join(folder, 'pwned'))).toBe(false)
  })
})
