import {Plugin, type Command, type Config, type Interfaces} from '@oclif/core'
import {CalicoError} from '../errors.js'

/** What the build knows of the program: the manifest that oclif made of our commands, and how to load each. */
export interface Program {
  /** The installation's folder. */
  readonly root: string
  readonly pjson: Interfaces.PJSON
  readonly commands: Readonly<Record<string, Command.Cached>>
  readonly load: (id: string) => Promise<Command.Class | undefined>
}

/**
 * The one plugin, made of what the build knows. oclif's own loading looks for package.json and a manifest on disk and sorts with
 * localeCompare, which loads ICU's collator: 11 ms of every command (toolchain.md §2.1).
 */
class RootPlugin extends Plugin {
  constructor(
    readonly program: Program,
    commands: Program['commands'],
  ) {
    super({isRoot: true, root: program.root, pjson: program.pjson, name: program.pjson.name})
    const {pjson, root} = program
    Object.assign(this, {
      type: 'core',
      isRoot: true,
      root,
      pjson,
      name: pjson.name,
      alias: pjson.name,
      version: pjson.version,
      valid: true,
      moduleType: 'commonjs',
      hooks: {},
      manifest: {version: pjson.version, commands},
      hasManifest: true,
      commandIDs: Object.keys(commands),
      commands: Object.values(commands).map((command) => ({
        ...command,
        load: () => this.findCommand(command.id, {must: true}),
        pluginAlias: pjson.name,
        pluginType: 'core',
      })),
    })
  }

  override async findCommand(id: string, options: {must: true}): Promise<Command.Class>
  override async findCommand(id: string, options?: {must: boolean}): Promise<Command.Class | undefined>
  override async findCommand(id: string, options?: {must: boolean}): Promise<Command.Class | undefined> {
    const command = await this.program.load(id)
    if (command) {
      command.id = id
      command.plugin = this
    } else if (options?.must) throw new CalicoError('failed', `The command ${id} is missing from this installation`)
    return command
  }
}

/** PROGRAM as oclif's documented `plugins` option, so that it searches for nothing. With ID, of that command alone: to run it, oclif need not know the others. */
export function loadOptions(program: Program, id?: string): Interfaces.LoadOptions {
  const only = id === undefined ? undefined : program.commands[id]
  const plugin = new RootPlugin(program, only === undefined ? program.commands : {[only.id]: only})
  return {root: program.root, pjson: program.pjson, plugins: new Map([[plugin.name, plugin]])}
}

/** All commands of the program that CONFIG was loaded for, whether oclif knows them or not. */
export function allCommands(config: Config): {readonly commands: Program['commands']; readonly load: (id: string) => Promise<Command.Class>} {
  const plugin = [...config.plugins.values()].find((each) => each instanceof RootPlugin)
  if (!plugin) throw new TypeError('the configuration was not made by loadOptions')
  return {commands: plugin.program.commands, load: (id) => plugin.findCommand(id, {must: true})}
}

/** The configuration of all commands of the program that CONFIG was loaded for: for help, which shows them and changes what it shows. */
export function freshOptions(config: Config): Interfaces.LoadOptions {
  const plugin = [...config.plugins.values()].find((each) => each instanceof RootPlugin)
  return plugin ? loadOptions(plugin.program) : config
}
