/** The set-up of a Mesos agent as its files have it: what each flag is, where that is said, and the environment of its plugin. */
import {readVariables, type Variable} from './environment-file.js'
import type {FileText, HostFiles} from './files.js'
import {type Style, STYLE_FACTS, variableOf} from './styles.js'

/** A place that sets a flag. */
export interface FlagPlace {
  readonly path: string
  /** Undefined: a file of that flag. */
  readonly variable: string | undefined
  /** Undefined: only a shell could tell. */
  readonly value: string | undefined
  readonly raw: string
}

export interface Flag {
  readonly name: string
  /** Those that count less first. */
  readonly places: readonly FlagPlace[]
}

export interface AgentSetup {
  readonly style: Style
  /** Nothing of a set-up was found. */
  readonly empty: boolean
  readonly flag: (name: string) => Flag
  /** The agent's environment, the variables whose values are known, and the file of each. */
  readonly environment: ReadonlyMap<string, {readonly value: string; readonly path: string}>
  /** Files that are there and cannot be read, with the reason. */
  readonly unreadable: readonly {readonly path: string; readonly why: string}[]
  /** Whether one of these may say something of FLAG, or of a variable of the environment. */
  readonly mayHide: (flag?: string) => boolean
  /** Files with a carriage return at the end of a line. */
  readonly carriageReturns: readonly string[]
  readonly files: HostFiles
}

/** The value of FLAG that is in force. */
export const valueOf = ({places}: Flag): string | undefined => places.at(-1)?.value

/** The place that counts. */
export const placeOf = ({places}: Flag): FlagPlace | undefined => places.at(-1)

/** Flags that have to do with Calico. Others may hold what is not for everybody: `credential`. */
const LOOKED_AT: readonly string[] = ['modules', 'modules_dir', 'isolation', 'hooks', 'containerizers', 'hostname', 'master', 'port']

const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system']

/** The style of the set-up below FILES; manual where nothing tells. */
export function detectStyle(files: HostFiles): Style {
  const exists = (path: string): boolean => files.kind(path).type !== 'missing'
  if ([STYLE_FACTS.dcos.environment, STYLE_FACTS.dcos.modules].some(exists)) return 'dcos'
  return UNIT_FOLDERS.some((folder) => exists(`${folder}/calico-mesos.service`)) ? 'rpm' : 'manual'
}

/** Reads the set-up below FILES; STYLE undefined: found out. */
export function readSetup(files: HostFiles, style: Style = detectStyle(files)): AgentSetup {
  const {environments, flags: folder, modules} = STYLE_FACTS[style]
  const unreadable: {path: string; why: string}[] = []
  const carriageReturns: string[] = []
  const text = (path: string): string | undefined => {
    const file: FileText = files.read(path)
    if (file.state === 'unreadable' && !unreadable.some((each) => each.path === path)) unreadable.push({path, why: file.why})
    if (file.state !== 'file') return undefined
    if (/\r(\n|$)/.test(file.text)) carriageReturns.push(path)
    return file.text
  }
  const variables: readonly (readonly [path: string, found: ReadonlyMap<string, Variable>])[] = environments.map((path) => [path, readVariables(text(path) ?? '')])
  const why = folder === undefined ? undefined : files.whyNotListed(folder)
  if (folder !== undefined && why !== undefined) unreadable.push({path: folder, why})
  const present = folder === undefined ? [] : files.list(folder)
  const inFiles = present.flatMap((name): [string, string][] => {
    const value = LOOKED_AT.includes(name) ? text(`${folder ?? ''}/${name}`)?.trim() : undefined
    return value === undefined || value === '' ? [] : [[name, value]]
  })
  const flag = (name: string): Flag => ({
    name,
    places: [
      ...variables.flatMap(([path, found]): FlagPlace[] => {
        const variable = found.get(variableOf(name))
        return variable && variable.value !== '' ? [{path, variable: variableOf(name), ...variable}] : []
      }),
      ...inFiles.flatMap(([file, value]): FlagPlace[] => (file === name ? [{path: `${folder ?? ''}/${file}`, variable: undefined, value, raw: value}] : [])),
    ],
  })
  const mayHide = (name?: string): boolean => unreadable.some(({path}) => environments.includes(path) || (name !== undefined && [folder, `${folder ?? ''}/${name}`].includes(path)))
  const environment = new Map(variables.flatMap(([path, found]) => [...found].flatMap(([name, {value}]) => (value === undefined ? [] : [[name, {value, path}] as const]))))
  const empty = present.length === 0 && variables.every(([, found]) => found.size === 0) && files.kind(modules).type === 'missing' && unreadable.length === 0
  return {style, empty, flag, environment, unreadable, mayHide, carriageReturns, files}
}
