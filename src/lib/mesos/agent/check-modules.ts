/** What is wrong with modules.json, with the library and with the plugin that it names (mesos-docker §2.2, §5.5, §5.6). */
import {IPAM_COMMAND, ISOLATOR, ISOLATOR_COMMAND, COMMANDS, HOOK, LIBRARY_NAME, meantName, OLD_MODULES, OLD_PARAMETERS} from './names.js'
import type {HostFiles} from './files.js'
import {type Finding, finding, unreadable} from './findings.js'
import {readModulesFlag} from './modules-flag.js'
import {isNetModules, type Library, modulesCalled, type PlacedModule, parameterOf, readModules} from './modules-file.js'
import {type AgentSetup, placeOf} from './setup.js'
import {LIBRARY_PATHS, STYLE_FACTS, variableOf} from './styles.js'
import {libraryVersionProblem} from './versions.js'

/** What the agent's modules are, and what is wrong with them. */
export interface CheckedModules {
  readonly findings: readonly Finding[]
  /** The names of all modules; undefined if they cannot be known. */
  readonly names: ReadonlySet<string> | undefined
  /** The program that the isolator calls; undefined if it is not known. */
  readonly plugin: string | undefined
}

const nothing = (...findings: Finding[]): CheckedModules => ({findings, names: undefined, plugin: undefined})

export function checkModules(setup: AgentSetup): CheckedModules {
  const flag = setup.flag('modules')
  const place = placeOf(flag)
  const folder = placeOf(setup.flag('modules_dir'))
  if (place === undefined) {
    if (folder !== undefined) return nothing() // DC/OS of today: what lies there is not net-modules'
    if (setup.mayHide('modules')) return nothing()
    return nothing(finding('modules-flag-missing', placeToSay(setup), `The agent's flag modules (${variableOf('modules')}) is not set`))
  }
  const both = folder === undefined ? [] : [finding('modules-folder', folder.path, 'The flags modules and modules_dir are both set')]
  if (place.value === undefined) return nothing(...both)
  const value = readModulesFlag(place.value)
  if (value.form === 'wrong') return nothing(...both, finding('modules-flag-form', place.path, `The flag modules is '${place.value}'`))
  if (value.form === 'inline') return withBefore(both, checkText(setup, place.path, value.text))
  const file = setup.files.read(value.path)
  if (file.state === 'missing') return nothing(...both, finding('modules-file-missing', value.path, `The file is missing, but ${place.path} refers to it`))
  if (file.state === 'unreadable') return nothing(...both, unreadable(value.path, file.why))
  return withBefore(both, checkText(setup, value.path, file.text))
}

const withBefore = (before: readonly Finding[], checked: CheckedModules): CheckedModules => ({...checked, findings: [...before, ...checked.findings]})

const placeToSay = ({style}: AgentSetup): string => {
  const {flags, environment} = STYLE_FACTS[style]
  return flags === undefined ? environment : `${flags}/modules`
}

function checkText(setup: AgentSetup, path: string, text: string): CheckedModules {
  const read = readModules(text)
  if ('problem' in read) return nothing(finding(read.fault === 'json' ? 'modules-json-invalid' : 'modules-json-shape', path, capital(read.problem)))
  const {document: {libraries}, comments} = read
  const names = libraries.flatMap(({modules = []}) => modules.map(({name}) => name))
  const isolators = modulesCalled(libraries, ISOLATOR)
  const isolator = isolators[0]
  return {
    names: new Set(names),
    plugin: isolator && parameterOf(isolator.module, ISOLATOR_COMMAND),
    findings: [
      ...(comments.length === 0 ? [] : [finding('modules-json-comment', path, `Line ${comments.join(', ')} has a comment`)]),
      ...checkNames(path, names),
      ...libraries.filter(isNetModules).flatMap((library) => checkLibrary(setup, path, library)),
      ...isolators.flatMap((each) => checkParameters(path, each)),
      ...(isolator ? checkCommands(setup.files, path, isolator) : []),
    ],
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function checkNames(path: string, names: readonly string[]): Finding[] {
  const has = (name: string): boolean => names.includes(name)
  const unknown = names.filter((name) => name !== ISOLATOR && name !== HOOK && !OLD_MODULES.includes(name))
  const slips = unknown.flatMap((name) => {
    const meant = meantName(name)
    return meant === undefined || has(meant) ? [] : [{name, meant}]
  })
  const excused = new Set([...slips.map(({meant}) => meant), ...names.filter((name) => OLD_MODULES.includes(name)).map((name) => (name.endsWith('Hook') ? HOOK : ISOLATOR))])
  return [
    ...slips.map(({name, meant}) => finding('module-name', path, `The module is named ${name}`, {remedy: `Did you mean ${meant}?`})),
    ...names.filter((name) => OLD_MODULES.includes(name)).map((name) => finding('old-generation', path, `The module ${name} is from the generation before net-modules`)),
    ...[ISOLATOR, HOOK].filter((name) => !has(name) && !excused.has(name)).map((name) => finding('module-missing', path, `The module ${name} is missing`)),
    ...[ISOLATOR, HOOK].filter((name) => names.indexOf(name) !== names.lastIndexOf(name)).map((name) => finding('module-twice', path, `The module ${name} is listed twice`)),
  ]
}

function checkLibrary(setup: AgentSetup, path: string, {file}: Library): Finding[] {
  if (file === undefined) return [] // found by the linker
  const {style, files} = setup
  const kind = files.kind(file)
  const expected = STYLE_FACTS[style].library
  if (kind.type !== 'file') {
    const there = LIBRARY_PATHS.find((each) => each !== file && files.kind(each).type === 'file')
    const what = kind.type === 'missing' ? `The library ${file} is missing` : `The library ${file} is not a file that can be read`
    return [finding('library-missing', path, what, there === undefined ? {} : {remedy: `There is one at ${there}: calicoctl mesos config --style ${style} --library ${there}`})]
  }
  const name = file.slice(file.lastIndexOf('/') + 1)
  const unusual = LIBRARY_PATHS.includes(file) && file !== expected && !isOlderGuide(style, file)
  const version = libraryVersionProblem(files, kind.target)
  return [
    ...(unusual ? [finding('library-path', path, `The library is ${file}; in the style ${style} it is ${expected}`)] : []),
    ...(name.startsWith(LIBRARY_NAME) ? [] : [finding('library-path', path, `The library is named ${name}, not ${LIBRARY_NAME}.so`)]),
    ...version.map(({id, what}) => finding(id, path, what)),
  ]
}

/** The path of the guides of 2015, for packages and by hand. */
const isOlderGuide = (style: string, file: string): boolean => style !== 'dcos' && !file.startsWith('/opt/mesosphere/')

function checkParameters(path: string, {module}: PlacedModule): Finding[] {
  const old = (module.parameters ?? []).map(({key}) => key).filter((key) => OLD_PARAMETERS.includes(key))
  return [
    ...old.map((key) => finding('old-generation', path, `The parameter ${key} is from the generation before net-modules`)),
    ...COMMANDS.filter((key) => (parameterOf(module, key) ?? '').trim() === '').map((key) => finding('command-missing', path, `${ISOLATOR} has no parameter ${key}`)),
  ]
}

function checkCommands(files: HostFiles, path: string, {module}: PlacedModule): Finding[] {
  const programs = COMMANDS.flatMap((key) => {
    const program = programOf(parameterOf(module, key) ?? '')
    return program === '' ? [] : [{key, program}]
  })
  const [first, second] = [parameterOf(module, ISOLATOR_COMMAND)?.trim(), parameterOf(module, IPAM_COMMAND)?.trim()]
  const differ = first && second && first !== second ? [finding('commands-differ', path, `${ISOLATOR_COMMAND} is ${first} and ${IPAM_COMMAND} is ${second}`)] : []
  const unique = programs.filter(({program}, at) => programs.findIndex((other) => other.program === program) === at)
  return [...differ, ...unique.flatMap(({key, program}) => checkPlugin(files, path, key, program))]
}

/** The program of a command: what follows the first blank are its arguments. */
export const programOf = (command: string): string => command.trim().split(/\s+/, 1)[0] ?? ''

const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46])

function checkPlugin(files: HostFiles, path: string, key: string, program: string): Finding[] {
  if (!program.startsWith('/')) return [finding('plugin-missing', path, `${key} is '${program}', which is not an absolute path`, {remedy: 'Use the absolute path of the program.'})]
  const {type, executable} = files.kind(program)
  const at = (remedy: string): {remedy: string} => ({remedy: remedy.replace('PATH', program)})
  if (type === 'missing') return [finding('plugin-missing', path, `${key} is ${program}, which is missing`, at('Link it: ln -s "$(command -v calico_mesos)" PATH; or use another one: calicoctl mesos config --plugin FILE'))]
  if (type !== 'file') return [finding('plugin-missing', path, `${key} is ${program}, which is not a file that can be read`)]
  if (!executable) return [finding('plugin-not-executable', path, `${key} is ${program}, which is not executable`, at('Make it executable: chmod 755 PATH'))]
  const old = program.slice(program.lastIndexOf('/') + 1).startsWith('calico_mesos') && files.head(program, ELF.length)?.equals(ELF) === true
  return old ? [finding('plugin-old', path, `${program} is a binary, as the plugins up to v0.1.6 are; calicoctl's is a script`)] : []
}
