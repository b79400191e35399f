/** The private folder in which an archive comes about, and the archive (cli-v0.20 §4.10, decisions.md 35). */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {CalicoError} from '../errors.js'
import {makeFolder, PRIVATE_FOLDER} from '../files/folder.js'
import {runCommand} from '../host/command.js'

const PACKING_LIMIT_MS = 120_000

/** The folder in the archive that holds all. */
const CONTENT = 'diagnostics'

export interface Workspace {
  /** The folder itself; only its owner can look into it. */
  readonly folder: string
  /** Writes the file PATH, relative to the archive's folder. */
  write(path: string, content: string | Uint8Array): void
  /** Packs everything that was written; the archive's path. What was written is deleted then. @throws CalicoError if it cannot be packed */
  pack(now: Date): Promise<string>
  /** Deletes everything. */
  discard(): void
}

/** All that it does throws CalicoError `failed` where the file system does not let it. */
export function createWorkspace(): Workspace {
  return withFailure('The temporary folder cannot be created', create)
}

function create(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'calico-diags-')) // mode 0700
  const content = join(folder, CONTENT)
  makeFolder(content, {mode: PRIVATE_FOLDER})
  return {
    folder,
    write(path, text) {
      withFailure(`${path} cannot be written into ${content}`, () => {
        const file = join(content, path)
        makeFolder(dirname(file), {mode: PRIVATE_FOLDER})
        writeFileSync(file, text, {mode: 0o600, flag: 'wx'})
      })
    },
    async pack(now) {
      const archive = join(folder, archiveName(now))
      withFailure(`${archive} cannot be written`, () => writeFileSync(archive, '', {mode: 0o600, flag: 'wx'})) // tar keeps the mode of a file that is there
      try {
        await runCommand('tar', ['--create', '--gzip', `--file=${archive}`, '--force-local', '--owner=0', '--group=0', `--directory=${folder}`, CONTENT], {timeoutMs: PACKING_LIMIT_MS})
      } catch (error) {
        throw new CalicoError('failed', 'The collected files could not be packed', {details: [String(error)], hint: `They are in ${content}, without secrets.`, cause: error})
      }
      rmSync(content, {recursive: true, force: true})
      return archive
    },
    discard: () => rmSync(folder, {recursive: true, force: true}),
  }
}

function withFailure<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new CalicoError('failed', what, {details: [error instanceof Error ? error.message : String(error)], hint: 'To use another folder for temporary files, set TMPDIR.', cause: error})
  }
}

/** As v0.20 called it: `diags-DDMMYY_HHMMSS.tar.gz`, in local time. */
export function archiveName(now: Date): string {
  const two = (number: number): string => String(number % 100).padStart(2, '0')
  const date = [now.getDate(), now.getMonth() + 1, now.getFullYear()].map(two).join('')
  return `diags-${date}_${[now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join('')}.tar.gz`
}
