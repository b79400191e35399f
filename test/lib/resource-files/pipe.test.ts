/** A pipe is not waited for. In a file of its own, since it takes a program to make one. */
import {execFileSync} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect, test} from '@jest/globals'
import {loadObjects} from '../../../src/lib/resource-files/load.js'

test('a named pipe is told, and not waited for', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-files-'))
  try {
    execFileSync('mkfifo', [join(folder, 'p.yaml')])
    const named = loadObjects({paths: [join(folder, 'p.yaml')], recursive: false, skipEmpty: false, namespace: undefined, judge: true, nearest: () => undefined, stdin: () => Promise.reject(new Error('asked'))})
    await expect(named).rejects.toMatchObject({details: [`${folder}/p.yaml: it is not a regular file; to read from a pipe, give - and redirect the pipe to stdin`]})
  } finally {
    rmSync(folder, {recursive: true})
  }
})
