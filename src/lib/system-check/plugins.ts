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
    if (!facts) return ok(`${PLUGIN_FOLDER} will be created by the driver`)
    if (!facts.isFolder) return wrong(`${PLUGIN_FOLDER} is not a folder`)
    return verdict(
      [...(facts.uid === 0 ? [] : [`${PLUGIN_FOLDER} belongs to the user ${facts.uid}`]), ...((facts.mode & 0o022) === 0 ? [] : [`other users can write to ${PLUGIN_FOLDER}`])],
      `${PLUGIN_FOLDER} belongs to root`,
    )
  },
  remedy: `A user who can write there can replace the driver: chown root ${PLUGIN_FOLDER}; chmod go-w ${PLUGIN_FOLDER}`,
}
