import {homedir} from 'node:os'
import {workingFolder} from '../files/folder.js'
import {othersMayRead, readTextFile} from '../files/read.js'

/** The options of a command line that say which datastore it means. */
export interface SettingsFlags {
  /** `--datastore etcd | embedded[:PATH] | URL,URL` */
  readonly datastore?: string | undefined
  /** `--config PATH` */
  readonly config?: string | undefined
  /** `--expect-cluster GUID` */
  readonly expectCluster?: string | undefined
}

/** All that the effective settings depend on. */
export interface SettingsInputs {
  readonly flags: SettingsFlags
  readonly env: Readonly<Record<string, string | undefined>>
  /** The text of a file. Throws as node:fs does: an Error with a `code`. */
  readonly readFile: (path: string) => string
  /** Whether others than its owner and group may read a file; no one is asked where this is missing. */
  readonly othersMayRead?: (path: string) => boolean
  /** What a relative path of the embedded store is relative to. */
  readonly directory: () => string
  /** Where the embedded store lies when XDG_STATE_HOME is not set. */
  readonly home: () => string
  /** Whether the user's own configuration file counts: for commands that a person runs. */
  readonly ownConfig?: boolean
}

/** The inputs of this process. */
export const settingsInputs = (flags: SettingsFlags, {ownConfig = false}: {ownConfig?: boolean} = {}): SettingsInputs => ({
  flags,
  ownConfig,
  env: process.env,
  readFile: readTextFile,
  othersMayRead,
  directory: workingFolder,
  home: homedir,
})
