/** Whether this host has a Docker Engine at all: a host on bare metal has none, and one that is only down must not be taken for none. */
import {lstatSync, statSync} from 'node:fs'
import {join} from 'node:path'

const SOCKETS = ['/var/run/docker.sock', '/run/docker.sock']
/** The Engine's program under its names, and that of its users, which comes with it. */
const PROGRAMS = ['dockerd', 'dockerd-current', 'docker']
/** Looked through besides PATH, which is short for a service. */
const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/snap/bin']
const UNITS = ['/etc/systemd/system', '/run/systemd/system', '/usr/local/lib/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'].flatMap((folder) => ['docker.service', 'docker.socket'].map((unit) => join(folder, unit)))

/**
 * Whether no Docker Engine is installed on this host, so that no container can run in one. Not so where DOCKER_HOST names one, where there is a socket, a
 * program or a unit of one, where that cannot be seen, and in the container of calicoctl, which does not see the host's.
 */
export function hasNoEngine(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  if ((env.DOCKER_HOST ?? '') !== '' || (env.CALICO_CTL_CONTAINER ?? '') !== '') return false
  const folders = [...new Set([...(env.PATH ?? '').split(':').filter((folder) => folder.startsWith('/')), ...FOLDERS])]
  return !SOCKETS.some(mayExist) && ![...folders.flatMap((folder) => PROGRAMS.map((name) => join(folder, name))), ...UNITS].some(mayBeFile)
}

/** Whether there is anything at PATH, or that cannot be seen. */
function mayExist(path: string): boolean {
  try {
    return lstatSync(path, {throwIfNoEntry: false}) !== undefined
  } catch (error) {
    return !isNoFolder(error)
  }
}

function mayBeFile(path: string): boolean {
  try {
    return statSync(path, {throwIfNoEntry: false})?.isFile() ?? false
  } catch (error) {
    return !isNoFolder(error)
  }
}

const isNoFolder = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOTDIR'

/** What a command says that would have asked the Engine. */
export const NO_ENGINE_NOTE = 'No Docker Engine is installed on this host (no socket, program or unit of it was found), so none was asked.'
