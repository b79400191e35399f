/** A change as a whole, typed as in a shell: made together, exported, planned, applied, looked back at, taken back; on both stores. */
import {execFile} from 'node:child_process'
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild} from '../support/cli.js'
import {startEtcd, type TestEtcd} from '../support/etcd.js'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const BATCH = `calicoctl batch --atomic <<'END'
pool add 192.168.0.0/16 --nat-outgoing
profile add frontend
profile add backend
profile backend rule add inbound allow tcp from tag frontend to ports 9000
END`

describe.each(['etcd', 'embedded'] as const)('on %s', (kind) => {
  let etcd: TestEtcd | undefined
  let folder: string
  beforeAll(async () => {
    checkBuild()
    folder = mkdtempSync(join(tmpdir(), 'calicoctl-whole-'))
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'bin/calicoctl'), `#!/bin/sh\nexec ${process.execPath} ${CALICOCTL} "$@"\n`)
    chmodSync(join(folder, 'bin/calicoctl'), 0o755)
    if (kind === 'etcd') etcd = await startEtcd()
  })
  afterAll(async () => {
    await etcd?.stop()
    rmSync(folder, {recursive: true, force: true})
  })

  const shell = (line: string): Promise<Outcome> =>
    new Promise((settle) => {
      const env = {PATH: `${folder}/bin:${process.env.PATH ?? ''}`, HOME: folder, HOSTNAME: 'h1', CALICOCTL_JOURNAL: join(folder, 'journal.jsonl'), ...(etcd ? {ETCD_ENDPOINTS: etcd.endpoints.join(',')} : {CALICO_DATASTORE: `embedded:${folder}/store.json`})}
      execFile('bash', ['-c', line], {cwd: folder, env}, (error, stdout, stderr) => settle({code: error === null ? 0 : Number(error.code), stdout, stderr}))
    })
  const done = async (line: string): Promise<Outcome> => {
    const outcome = await shell(line)
    expect({line, ...outcome}).toMatchObject({line, code: 0})
    return outcome
  }

  test('the main job', async () => {
    await done(BATCH)
    await done('calicoctl export > cluster.yaml')
    expect(await done('calicoctl diff -f cluster.yaml')).toMatchObject({stdout: '', stderr: ''})
    await done("sed -i 's/9000/9001/' cluster.yaml")
    expect(await shell('calicoctl diff -f cluster.yaml')).toMatchObject({code: 1, stdout: expect.stringMatching(/^-.*9000\n\+.*9001$/m) as unknown})
    expect((await done('calicoctl plan -f cluster.yaml --out change.plan')).stdout).toMatch(/^-.*9000\n\+.*9001$/m)
    expect((await done('calicoctl profile backend rule show')).stdout).toContain('9000')
    expect((await done('calicoctl apply --plan change.plan')).stderr).toContain('profile/backend updated (ingress changed)\n')
    expect((await done('calicoctl profile backend rule show')).stdout).toContain('9001')
    expect((await done('calicoctl history profile backend')).stdout).toContain('apply --plan change.plan')
    expect((await done('calicoctl undo')).stderr).toContain('profile/backend updated (ingress changed)\n')
    expect((await done('calicoctl profile backend rule show')).stdout).toContain('9000')
    // The second line shows that the first was made: by the time of the next command it may have been taken back.
    expect((await done("printf 'profile frontend tag add web\\nprofile frontend tag show\\n' > changes.txt && calicoctl batch --confirm-within 2s changes.txt")).stdout).toContain('web')
    const tags = async (): Promise<string> => (await done('calicoctl profile frontend tag show')).stdout
    for (const deadline = Date.now() + 60_000; (await tags()).includes('web'); ) if (Date.now() > deadline) throw new Error('the change was not taken back')
    await done('calicoctl batch --confirm-within 60s changes.txt && calicoctl confirm')
    expect(await tags()).toContain('web')
    await done('calicoctl datastore save backup.gz && calicoctl profile add later && calicoctl datastore restore backup.gz --replace')
    expect((await done('calicoctl profile show -o name')).stdout).toBe('backend\nfrontend\n')
  })
})
