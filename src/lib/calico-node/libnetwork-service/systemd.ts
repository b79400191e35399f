/** What this host's systemd does with the driver's unit. Paths are below ROOT, which only tests set. */
import {chmodSync, existsSync, lstatSync, unlinkSync} from 'node:fs'
import {dirname} from 'node:path'
import {CalicoError} from '../../errors.js'
import {makeFolder} from '../../files/folder.js'
import {fileReason, readTextFile} from '../../files/read.js'
import {replaceFile} from '../../files/replace.js'
import {runCommand} from '../../host/command.js'
import {environmentDifferences, variables} from '../same-container.js'
import {DRIVER_UNIT} from './plan.js'
import {DRIVER_ENVIRONMENT_FILE, DRIVER_UNIT_FILE, PACKAGED_UNIT_FILE} from './unit.js'

export interface Place {
  /** What stands before every path; '' is this host's. */
  readonly root: string
}

const HOST: Place = {root: ''}

/** A start waits for the driver's socket, a stop for its last answers. */
const START_LIMIT_MS = 40_000
const STOP_LIMIT_MS = 30_000

/** Whether systemd is this host's first process. */
export const systemdRuns = ({root}: Place = HOST): boolean => existsSync(`${root}/run/systemd/system`)

/** Whether the driver's unit has been written, or that of the package has been given its variables. */
export const isUnitInstalled = ({root}: Place = HOST): boolean =>
  existsSync(root + DRIVER_UNIT_FILE) || (existsSync(root + PACKAGED_UNIT_FILE) && existsSync(root + DRIVER_ENVIRONMENT_FILE))

/** The files of the driver's unit that {@link removeUnit} removes. */
export const ownUnitFiles = ({root}: Place = HOST): string[] => [DRIVER_UNIT_FILE, DRIVER_ENVIRONMENT_FILE].filter((path) => existsSync(root + path))

export interface UnitState {
  /** `active`, `activating`, `failed`, `inactive`, … */
  readonly active: string
  /** `running`, `auto-restart`, `dead`, … */
  readonly sub: string
  readonly enabled: boolean
  /** Its file has changed since systemd read it. */
  readonly outdated: boolean
  /** Since when it has been active; undefined if it is not. */
  readonly since: Date | undefined
  /** How often systemd started it again after it had ended. */
  readonly restarts: number
}

const PROPERTIES = ['ActiveState', 'SubState', 'UnitFileState', 'NeedDaemonReload', 'ActiveEnterTimestampMonotonic', 'NRestarts']

/** What systemd says of the unit. @throws CalicoError `failed` */
export async function unitState(): Promise<UnitState> {
  const text = await runCommand('systemctl', ['show', DRIVER_UNIT, ...PROPERTIES.map((name) => `--property=${name}`)])
  return readUnitState(text, {now: Date.now(), monotonicMs: Number(process.hrtime.bigint() / 1_000_000n)})
}

/** The answer of `systemctl show`. Its times are in microseconds of the kernel's monotonic clock, which says MONOTONICMS at NOW. Pure. */
export function readUnitState(text: string, {now, monotonicMs}: {now: number; monotonicMs: number}): UnitState {
  const values = new Map(text.split('\n').map((line) => [line.slice(0, Math.max(0, line.indexOf('='))), line.slice(line.indexOf('=') + 1)]))
  const active = values.get('ActiveState') ?? 'unknown'
  const count = (name: string): number => {
    const number = Number(values.get(name) ?? 0)
    return Number.isSafeInteger(number) && number > 0 ? number : 0
  }
  const entered = count('ActiveEnterTimestampMonotonic')
  return {
    active,
    sub: values.get('SubState') ?? 'unknown',
    enabled: values.get('UnitFileState') === 'enabled',
    outdated: values.get('NeedDaemonReload') === 'yes',
    since: active === 'active' && entered > 0 ? new Date(now - monotonicMs + entered / 1000) : undefined,
    restarts: count('NRestarts'),
  }
}

/** Whether it runs, or systemd is about to run it. */
export const isUp = ({active}: UnitState): boolean => ['active', 'activating', 'reloading'].includes(active)

export interface UnitFiles {
  readonly unit: string
  readonly environment: string
}

export interface Installation {
  /** Files that were written. */
  readonly written: readonly string[]
  /** What of its variables is not as it was before: phrases for people. */
  readonly differences: readonly string[]
  /** It was started, anew if it ran before. */
  readonly started: boolean
}

/**
 * Makes the unit be as FILES say, enabled and running. What is so already is left alone; a unit of which nothing changes is not started anew. Where the
 * package of this very installation has brought the unit, none is written, and one that was written before it came is removed: it would outlive the package.
 * @throws CalicoError `failed` if a file cannot be written, or systemd refuses; the start's failure too
 */
export async function installUnit({unit, environment}: UnitFiles, place: Place = HOST): Promise<Installation> {
  const before = environmentBefore(place)
  const packaged = textOf(place.root + PACKAGED_UNIT_FILE) === unit
  const unitWritten = packaged ? removeFile(place.root + DRIVER_UNIT_FILE) : await writeFileOnce(place.root + DRIVER_UNIT_FILE, unit, 0o644)
  const environmentWritten = await writeFileOnce(place.root + DRIVER_ENVIRONMENT_FILE, environment, 0o600)
  const written = [...(unitWritten && !packaged ? [DRIVER_UNIT_FILE] : []), ...(environmentWritten ? [DRIVER_ENVIRONMENT_FILE] : [])]
  const differences = before === undefined ? [] : environmentDifferences(variablesIn(before), variablesIn(environment))
  const state = await unitState()
  if (unitWritten || state.outdated) await runCommand('systemctl', ['daemon-reload'], {timeoutMs: START_LIMIT_MS})
  if (!state.enabled) await runCommand('systemctl', ['enable', DRIVER_UNIT], {timeoutMs: START_LIMIT_MS})
  if (!unitWritten && written.length === 0 && !state.outdated && state.active === 'active') return {written, differences, started: false}
  await runCommand('systemctl', ['restart', DRIVER_UNIT], {timeoutMs: START_LIMIT_MS})
  return {written, differences, started: true}
}

/** The file of variables as it is; undefined if there is none that can be read. */
const environmentBefore = ({root}: Place): string | undefined => textOf(root + DRIVER_ENVIRONMENT_FILE)

/** The text of the regular file at PATH; undefined if there is none that can be read. */
function textOf(path: string): string | undefined {
  try {
    return isRegular(path) ? readTextFile(path) : undefined
  } catch {
    return undefined
  }
}

/** Values as they are written: both files were written by this program. */
const variablesIn = (text: string): Map<string, string> => variables(text.split('\n').filter((line) => /^\w+=/.test(line)))

export async function stopUnit(): Promise<void> {
  await runCommand('systemctl', ['stop', DRIVER_UNIT], {timeoutMs: STOP_LIMIT_MS})
}

/** Takes the unit out of systemd, stopped, with its files. */
export async function removeUnit(place: Place = HOST): Promise<void> {
  await runCommand('systemctl', ['disable', '--now', DRIVER_UNIT], {timeoutMs: STOP_LIMIT_MS})
  for (const path of ownUnitFiles(place)) removeFile(place.root + path)
  await runCommand('systemctl', ['daemon-reload'], {timeoutMs: START_LIMIT_MS})
}

/** The last lines that the unit wrote to the journal; none if it cannot be read. */
export async function unitLog(lines: number): Promise<string[]> {
  try {
    const text = await runCommand('journalctl', [`--unit=${DRIVER_UNIT}`, `--lines=${lines}`, '--no-pager', '--output=cat'])
    return text.split('\n').filter((line) => line !== '')
  } catch (error) {
    if (error instanceof CalicoError) return []
    throw error
  }
}

/** Writes TEXT to PATH with MODE, at once and whole; false if it is so already. */
async function writeFileOnce(path: string, text: string, mode: number): Promise<boolean> {
  try {
    if (isRegular(path) && readTextFile(path) === text) {
      if ((lstatSync(path).mode & 0o777) !== mode) chmodSync(path, mode)
      return false
    }
    makeFolder(dirname(path))
    await replaceFile(path, text, {mode})
    return true
  } catch (error) {
    throw new CalicoError('failed', `${path} cannot be written: ${fileReason(error, {written: true})}`, {cause: error})
  }
}

/** Removes the file at PATH; false if there is none. */
function removeFile(path: string): boolean {
  if (!existsSync(path)) return false
  unlinkSync(path)
  return true
}

const isRegular = (path: string): boolean => lstatSync(path, {throwIfNoEntry: false})?.isFile() ?? false
