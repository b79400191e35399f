/** A disk of 64 KB, for what happens when it is full. */
import {execFileSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmdirSync, statfsSync, truncateSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

export interface SmallDisk {
  readonly folder: string
  /** Leaves room for BYTES and no more, in a file `filler`. */
  fill(bytes: number): void
  remove(): void
}

/** Undefined where this process may not mount one; with CI=true that is an error, so that nothing is skipped silently. */
export function smallDisk(): SmallDisk | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', folder], {stdio: 'pipe'})
  } catch (error) {
    rmdirSync(folder)
    if (process.env.CI === 'true') throw error
    console.warn('No small disk can be mounted here; what happens on a full one is not tested.')
    return undefined
  }
  return {
    folder,
    fill(bytes) {
      const filler = join(folder, 'filler')
      writeFileSync(filler, '')
      const {bsize, bavail} = statfsSync(folder)
      const size = bavail * bsize - Math.ceil(bytes / bsize) * bsize
      writeFileSync(filler, Buffer.alloc(size, 'x'))
      if (readFileSync(filler).length !== size) truncateSync(filler, size)
    },
    remove() {
      execFileSync('umount', [folder])
      rmdirSync(folder)
    },
  }
}
