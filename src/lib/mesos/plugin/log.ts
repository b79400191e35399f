/** The plugin's log: a line for each thing, appended at once, one file for a day (mesos-docker §1.10). Nothing depends on it. */
import {closeSync, constants, fstatSync, linkSync, openSync, readdirSync, statSync, unlinkSync, writeSync} from 'node:fs'
import {basename, dirname, join} from 'node:path'
import {makeFolder} from '../../files/folder.js'
import {escapeText} from '../../printable.js'

/** Takes one line. */
export type Log = (text: string) => void

const MODE = 0o640
const BACKUPS = 10
/** Of one line: requests are whatever someone writes. */
const LONGEST_LINE = 20_000

/** A log in FILE; one that says nothing where that cannot be written. */
export function openLog(file: string, now: () => Date = () => new Date()): Log {
  const descriptor = open(file, now())
  if (descriptor === undefined) return () => undefined
  return (text) => {
    const line = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text
    try {
      writeSync(descriptor, `${now().toISOString()} [${process.pid}] ${escapeText(line.replaceAll(/[\r\n\t]+/g, ' '))}\n`)
    } catch {
      // A full disk is no reason to leave a task without its network.
    }
  }
}

function open(file: string, now: Date): number | undefined {
  let descriptor: number | undefined
  try {
    makeFolder(dirname(file))
    rotate(file, now)
    const {O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW, O_NONBLOCK} = constants
    // Neither through a link nor waiting for the reader of a pipe.
    descriptor = openSync(file, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK, MODE)
    if (fstatSync(descriptor).isFile()) return descriptor
  } catch {
    // There is no log then.
  }
  if (descriptor !== undefined) closeSync(descriptor)
  return undefined
}

/** Puts aside the FILE of an earlier day under that day's name, and removes all but the newest of those. */
function rotate(file: string, now: Date): void {
  const written = statSync(file, {throwIfNoEntry: false})
  if (!written?.isFile()) return
  const day = dayOf(written.mtime)
  if (day >= dayOf(now)) return
  try {
    // Fails where another process has just done it.
    linkSync(file, `${file}.${day}`)
    unlinkSync(file)
  } catch {
    return
  }
  const old = readdirSync(dirname(file)).filter((name) => name.startsWith(`${basename(file)}.`) && /\.\d{4}-\d{2}-\d{2}$/.test(name))
  for (const name of old.sort().slice(0, -BACKUPS)) unlinkSync(join(dirname(file), name))
}

const dayOf = (date: Date): string => date.toISOString().slice(0, 10)
