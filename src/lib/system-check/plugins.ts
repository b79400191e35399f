/** The folder in which the Docker Engine looks for the sockets of its plugins (mesos-docker §3.2, decisions.md 31). */
import {statSync} from 'node:fs'
import {type Check, ok, verdict, wrong} from './check.js'

export const PLUGIN_FOLDER = '/run/docker/plugins'

export interface FolderFacts {
  readonly isFolder: boolean
  readonly uid: number
  /** Permission bits. */
  readonly mode: number
}

/** Only with --libnetwork. */
export const pluginFolder: Check<FolderFacts | undefined> = {
  name: 'plugin-folder',
  required: true,
  gather({files}) {
    const found = statSync(files.root + PLUGIN_FOLDER, {throwIfNoEntry: false})
    return found && {isFolder: found.isDirectory(), uid: found.uid, mode: found.mode & 0o777}
  },
  judge(facts) {
    if (!facts) return ok(`${PLUGIN_FOLDER} will be made by the driver`)
    if (!facts.isFolder) return wrong(`${PLUGIN_FOLDER} is no folder`)
    return verdict(
      [...(facts.uid === 0 ? [] : [`${PLUGIN_FOLDER} belongs to the user ${facts.uid}`]), ...((facts.mode & 0o022) === 0 ? [] : [`others may write in ${PLUGIN_FOLDER}`])],
      `${PLUGIN_FOLDER} is root's`,
    )
  },
  remedy: `Whoever can write there can put a plugin of his own in the driver's place: chown root ${PLUGIN_FOLDER}; chmod go-w ${PLUGIN_FOLDER}`,
}
