/** Passwords that were put where none belong: whatever is wrong with them, no message repeats them. */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {calicoctl} from '../support/warm.js'

const S = 's3cretPW9'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-secrets-'))
})
afterAll(() => rmSync(folder, {recursive: true}))

/** What `calicoctl ARGS --debug` prints, which must fail. */
async function refusal(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const {code, stdout, stderr} = await calicoctl([...args, '--debug'], {env})
  expect(code).not.toBe(0)
  expect(stdout).toBe('')
  return stderr
}

describe.each([`rw:${S}@host:1`, `http://rw:${S}@h:1`, `http://rw:${S}%40h:1`, `http://rw:x@${S}@h:1`, `rw:${S}%40h:1`, `http://rw:${S}`, `rw:${S}`, `ftp://rw:${S}@h:1`, `http://a:1,http://rw:${S}/@h:1`])('%s', (value) => {
  test('as --datastore and in variables', async () => {
    const texts = await Promise.all([
      refusal(['profile', 'show', '--datastore', value]),
      refusal(['config', 'view'], {CALICO_DATASTORE: value}),
      refusal(['profile', 'show'], {ETCD_ENDPOINTS: value}),
      refusal(['profile', 'show'], {ETCD_AUTHORITY: value}),
    ])
    for (const text of texts) {
      expect(text).toMatch(/^Error: /)
      expect(text).not.toContain(S)
    }
  })
  test('on a line that is refused, which is repeated corrected', async () => {
    const text = await refusal(['profil', 'show', '--datastore', value])
    expect(text).toContain('Did you mean: calicoctl profile show')
    expect(text).not.toContain(S)
  })
})

test('as the value of an option that there is not', async () => {
  expect(await refusal(['profile', 'show', '--etcd-password', S])).not.toContain(S)
  expect(await refusal(['profile', 'show', `--etcd-password=${S}`])).not.toContain(S)
})

test('a key instead of the path of its file', async () => {
  const text = await refusal(['profile', 'show'], {ETCD_ENDPOINTS: 'https://127.0.0.1:1', ETCD_CA_CERT_FILE: '/etc/hostname', ETCD_CERT_FILE: '/etc/hostname', ETCD_KEY_FILE: `-----BEGIN PRIVATE KEY-----\n${S}`})
  expect(text).toContain('the path of a file')
  expect(text).not.toContain(S)
})

test.each([
  ['a password that begins with *', `etcdPassword: *${S}`],
  ['a quotation mark that is not closed', `etcdPassword: "${S}`],
  ['a missing blank', `etcdUsername: a\n  etcdPassword:${S}`],
  ['a password in a URL', `etcdEndpoints: http://rw:${S}@h:1`],
])('the configuration file: %s', async (_, line) => {
  const path = join(folder, 'calicoctl.cfg')
  writeFileSync(path, `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  ${line}\n`, {mode: 0o600})
  const text = await refusal(['profile', 'show', '--config', path])
  expect(text).toContain(path)
  expect(text).not.toContain(S)
})
