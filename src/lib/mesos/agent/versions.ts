/** Which Mesos is installed, and whether the library of net-modules is for it, as far as file names tell (mesos-docker §2.1, §5.13). */
import type {HostFiles} from './files.js'
import {LIBRARY_NAME} from './names.js'

/** Where Mesos' own library lies, whose name has the version. */
const FOLDERS = ['/opt/mesosphere/lib', '/usr/lib', '/usr/local/lib']

/** The versions of Mesos that are installed below FILES: `0.28.1`. */
const mesosVersions = (files: HostFiles): string[] => [...new Set(FOLDERS.flatMap((folder) => files.list(folder).flatMap((name) => /^libmesos-(\d+\.\d+\.\d+)\.so/.exec(name)?.[1] ?? [])))]

/** Which versions of Mesos (`0.27`) a version of net-modules is for. */
const PAIRS: Readonly<Record<string, readonly string[]>> = {'0.1': ['0.26'], '0.2': ['0.27', '0.28']}

/** What is wrong with the library FILE for the one Mesos that is installed. */
export function libraryVersionProblem(files: HostFiles, file: string): {readonly id: 'library-version' | 'mesos-cni'; readonly what: string}[] {
  const versions = mesosVersions(files)
  const [version] = versions
  if (version === undefined || versions.length > 1) return []
  const name = file.slice(file.lastIndexOf('/') + 1)
  const found = nameProblem(name, version)
  const cni = Number(version.split('.')[0]) >= 1 ? [{id: 'mesos-cni' as const, what: `Mesos ${version} is installed`}] : []
  return [...(found === undefined ? [] : [{id: 'library-version' as const, what: found}]), ...cni]
}

function nameProblem(name: string, version: string): string | undefined {
  if (!name.startsWith(LIBRARY_NAME)) return undefined
  // `<Mesos version>-<distribution>-<architecture>` on DC/OS; the version of net-modules itself in packages.
  const [, own = '', rest = ''] = /^-(\d+\.\d+\.\d+)(.*)$/.exec(name.slice(LIBRARY_NAME.length)) ?? []
  if (own === '') return undefined
  if (rest.startsWith('-')) return own === version ? undefined : `The library ${name} is for Mesos ${own}; Mesos ${version} is installed`
  const fits = PAIRS[minor(own)]
  return fits === undefined || fits.includes(minor(version)) ? undefined : `The library ${name} is of net-modules ${own}, for Mesos ${fits.join(' and ')}; Mesos ${version} is installed`
}

/** `0.28` of `0.28.1`. */
const minor = (version: string): string => version.split('.').slice(0, 2).join('.')
