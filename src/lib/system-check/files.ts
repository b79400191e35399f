/** Reading the host's files, below a folder that stands for its root. What is not there or not readable is undefined. */
import {readdirSync, readlinkSync} from 'node:fs'
import {gunzipSync} from 'node:zlib'
import {readRegularFile} from '../files/read.js'

/** /proc/net/tcp of a busy host has some megabytes. */
const LARGEST = 64 * 1024 * 1024

export interface Files {
  readonly root: string
  /** The text of a file; one whose name ends in .gz unpacked. */
  readonly read: (path: string) => string | undefined
  /** The names in a folder; none if there is no such folder. */
  readonly list: (path: string) => readonly string[]
  /** What a symbolic link says. */
  readonly link: (path: string) => string | undefined
}

/** PATHs below ROOT. */
export function filesBelow(root: string): Files {
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch {
      return undefined
    }
  }
  return {
    root,
    read: (path) =>
      attempt(() => {
        const {bytes} = readRegularFile(root + path, {largest: LARGEST})
        return (path.endsWith('.gz') ? gunzipSync(bytes, {maxOutputLength: LARGEST}) : bytes).toString('utf8')
      }),
    list: (path) => attempt(() => readdirSync(root + path)) ?? [],
    link: (path) => attempt(() => readlinkSync(root + path)),
  }
}
