/** A recorded host: a folder with the files that a test gives it. */
import {mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {gzipSync} from 'node:zlib'
import type {Sources} from '../../../src/lib/system-check/check.js'
import {filesBelow} from '../../../src/lib/system-check/files.js'

const folders: string[] = []

/** Sources whose files are FILES (text by path; a path ending in .gz is packed) and LINKS; all else fails. */
export function recordedHost(files: Record<string, string>, links: Record<string, string> = {}): Sources {
  const root = mkdtempSync(join(tmpdir(), 'calicoctl-host-'))
  folders.push(root)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(root + path), {recursive: true})
    writeFileSync(root + path, path.endsWith('.gz') ? gzipSync(text) : text)
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(root + path), {recursive: true})
    symlinkSync(target, root + path)
  }
  const none = (): never => {
    throw new Error('not recorded')
  }
  return {files: filesBelow(root), nodeName: {env: {}, file: undefined, system: 'host-1'}, endpoints: ['http://127.0.0.1:2379'], members: none, datastore: none, engine: none, interfaces: none}
}

export function removeRecordedHosts(): void {
  for (const folder of folders.splice(0)) rmSync(folder, {recursive: true, force: true})
}
