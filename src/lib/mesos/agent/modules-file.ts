/** `modules.json`, in which a Mesos agent is informed of its module libraries (mesos-docker §2.2): reading, and adding net-modules to it. Pure. */
import {CalicoError} from '../../errors.js'
import {stringifyJson, tryParseJson} from '../../json/index.js'
import {isObject} from '../../json/is-object.js'
import {COMMANDS, HOOK, ISOLATOR, LIBRARY_NAME} from './names.js'

/** A module of a library. What else is said of it is kept. */
export interface Module {
  readonly name: string
  readonly parameters?: readonly Parameter[]
}

export interface Parameter {
  readonly key: string
  readonly value: string
}

/** A library has a file, or a name that the system's linker finds. */
export interface Library {
  readonly file?: string
  readonly name?: string
  readonly modules?: readonly Module[]
}

interface ModulesFile {
  readonly libraries: readonly Library[]
}

/** A file of modules that can be read. COMMENTS are the numbers of its lines that have one, which JSON has not, and Mesos does not read. */
interface ReadModules {
  readonly document: ModulesFile
  readonly comments: readonly number[]
}

/** What TEXT says, or what is wrong with it: a sentence without a full stop, with the line where that is known. */
export function readModules(text: string): ReadModules | {readonly fault: 'json' | 'shape'; readonly problem: string} {
  const {json, comments} = withoutComments(text)
  const parsed = tryParseJson(json)
  if (parsed.error) return {fault: 'json', problem: placed(json, parsed.error.message)}
  const problem = shapeProblem(parsed.value)
  return problem === undefined ? {document: parsed.value as ModulesFile, comments} : {fault: 'shape', problem}
}

/** TEXT with blanks for its comments (`#` and `//` to the end of a line, outside of strings), so that every character keeps its place. */
function withoutComments(text: string): {readonly json: string; readonly comments: readonly number[]} {
  const comments: number[] = []
  let [line, counted] = [1, 0]
  // A string that does not end goes on to the end of its line: to look for its end behind every quote would take the square of its length.
  const json = text.replaceAll(/"(?:[^"\\\n]|\\.)*"?|(?:#|\/\/)[^\n]*/g, (part: string, at: number) => {
    if (part.startsWith('"')) return part
    line += lineOf(text.slice(counted, at), at) - 1
    counted = at
    comments.push(line)
    return part.replaceAll(/[^\r]/g, ' ')
  })
  return {json, comments}
}

const lineOf = (text: string, at: number): number => text.slice(0, at).split('\n').length

/** PROBLEM of a JSON parser with the line that its position in TEXT is in. */
function placed(text: string, problem: string): string {
  const position = / at position (\d+)/.exec(problem)?.[1]
  const at = position === undefined ? (problem.includes('end of JSON') ? text.trimEnd().length : undefined) : Number(position)
  const plain = problem.replace(/ at position \d+( \(line \d+ column \d+\))?$/, '')
  return at === undefined ? plain : `line ${lineOf(text, at)}: ${plain}`
}

function shapeProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not a JSON object'
  const {libraries} = value
  if (!Array.isArray(libraries)) return '"libraries" is missing, or is not a list'
  return firstProblem(libraries, (library, at) => libraryProblem(library, `libraries[${at}]`))
}

function firstProblem(list: readonly unknown[], judge: (item: unknown, at: number) => string | undefined): string | undefined {
  for (const [at, item] of list.entries()) {
    const problem = judge(item, at)
    if (problem !== undefined) return problem
  }
  return undefined
}

function libraryProblem(library: unknown, path: string): string | undefined {
  if (!isObject(library)) return `${path} is not an object`
  const {file, name, modules} = library
  if (file !== undefined && typeof file !== 'string') return `${path}.file is not a string`
  if (name !== undefined && typeof name !== 'string') return `${path}.name is not a string`
  if (file === undefined && name === undefined) return `${path} has neither "file" nor "name"`
  if (modules === undefined) return undefined
  if (!Array.isArray(modules)) return `${path}.modules is not a list`
  return firstProblem(modules, (module, at) => moduleProblem(module, `${path}.modules[${at}]`))
}

function moduleProblem(module: unknown, path: string): string | undefined {
  if (!isObject(module) || typeof module.name !== 'string') return `${path} has no name`
  const {parameters} = module
  if (parameters === undefined) return undefined
  if (!Array.isArray(parameters)) return `${path}.parameters is not a list`
  return firstProblem(parameters, (parameter, at) =>
    isObject(parameter) && typeof parameter.key === 'string' && typeof parameter.value === 'string' ? undefined : `${path}.parameters[${at}] has no "key" and "value" that are strings`,
  )
}

/** A module, and the library that it stands in. */
export interface PlacedModule {
  readonly library: Library
  readonly module: Module
}

/** Each module that is called NAME. */
export const modulesCalled = (libraries: readonly Library[], name: string): PlacedModule[] =>
  libraries.flatMap((library) => (library.modules ?? []).filter((module) => module.name === name).map((module) => ({library, module})))

/** The value of parameter KEY; undefined if it has none. The last one counts. */
export const parameterOf = ({parameters = []}: Module, key: string): string | undefined => parameters.findLast((parameter) => parameter.key === key)?.value

/** What a file of modules is to say of net-modules. */
export interface WantedModules {
  /** Undefined: as the file has it, else DEFAULTS. */
  readonly library: string | undefined
  readonly plugin: string | undefined
  readonly defaults: {readonly library: string; readonly plugin: string}
}

/**
 * TEXT (undefined = there is no such file) with the library of net-modules, its two modules and the isolator's two commands. All else that it says is
 * kept, except comments, with which the agent would not start; the same text if nothing is missing.
 * @throws CalicoError `invalid` if TEXT cannot be read: PATH, for the message
 */
export function withNetModules(path: string, text: string | undefined, wanted: WantedModules): string {
  const {document: before, comments} = text === undefined || text.trim() === '' ? {document: {libraries: []}, comments: []} : editable(path, text)
  const after = {...before, libraries: editLibraries(before.libraries, wanted)}
  if (text !== undefined && comments.length === 0 && stringifyJson(after) === stringifyJson(before)) return text
  return `${stringifyJson(after, indentOf(text))}\n`
}

function editable(path: string, text: string): ReadModules {
  const read = readModules(text)
  if ('problem' in read) {
    throw new CalicoError('invalid', `${path} cannot be edited: ${read.problem}`, {hint: 'Correct or remove it, then run the command again.'})
  }
  return read // the whole document: its other members are kept
}

/** Blanks a level, as TEXT has them. */
const indentOf = (text = ''): number => /^\s*\{[ \t\r]*\n( +)/.exec(text)?.[1]?.length ?? 2

/** Whether LIBRARY is that of net-modules. */
export const isNetModules = ({file = '', modules = []}: Library): boolean =>
  modules.some(({name}) => name === ISOLATOR || name === HOOK) || file.slice(file.lastIndexOf('/') + 1).startsWith(LIBRARY_NAME)

function editLibraries(libraries: readonly Library[], {library, plugin, defaults}: WantedModules): Library[] {
  const has = (name: string) => (each: Library): boolean => each.modules?.some((module) => module.name === name) === true
  const at = [has(ISOLATOR), has(HOOK), isNetModules].map((test) => libraries.findIndex(test)).find((found) => found >= 0) ?? -1
  const own: Library = libraries[at] ?? {file: library ?? defaults.library, modules: []}
  const missing = [ISOLATOR, HOOK].filter((name) => !libraries.some(has(name)))
  const edited = {...(library === undefined ? own : withFile(own, library)), modules: [...(own.modules ?? []), ...missing.map((name) => ({name}))]}
  const all = at < 0 ? [...libraries, edited] : libraries.map((other, index) => (index === at ? edited : other))
  return all.map((each) => (each.modules === undefined ? each : {...each, modules: each.modules.map((module) => (module.name === ISOLATOR ? withCommands(module, plugin, defaults.plugin) : module))}))
}

/** LIBRARY at FILE. A name would be another way to find it. */
function withFile(library: Library, file: string): Library {
  if (library.file === file) return library
  const {name: _, ...rest} = library
  return {...rest, file}
}

function withCommands(module: Module, plugin: string | undefined, standard: string): Module {
  const known = COMMANDS.map((key) => parameterOf(module, key)).find((value) => value !== undefined && value.trim() !== '')
  let parameters: readonly Parameter[] = module.parameters ?? []
  for (const key of COMMANDS) {
    const before = parameterOf(module, key)
    const value = plugin ?? (before?.trim() ? before : (known ?? standard))
    if (before === undefined) parameters = [...parameters, {key, value}]
    else if (before !== value) parameters = parameters.map((each) => (each.key === key ? {...each, value} : each))
  }
  return {...module, parameters}
}
