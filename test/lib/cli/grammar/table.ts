/** A table of commands as oclif would know them: all of v0.20's with options of ours beside their own, and a few that are ours alone. */
import type {CommandShape, CommandTable, FlagShape} from '../../../../src/lib/cli/grammar/line.js'
import {optionsOf, parsePattern} from '../../../../src/lib/cli/grammar/pattern.js'
import {V020} from '../../../../src/lib/cli/grammar/v020.js'

/** Options that every command of ours has. */
export const GLOBAL_FLAGS: Record<string, FlagShape> = {
  datastore: {type: 'option', helpGroup: 'GLOBAL'},
  timeout: {type: 'option'},
  debug: {type: 'boolean'},
  'no-input': {type: 'boolean'},
  quiet: {type: 'boolean', char: 'q', helpGroup: 'GLOBAL'},
  output: {type: 'option', char: 'o', options: ['table', 'wide', 'json', 'yaml', 'plain', 'name']},
  json: {type: 'boolean'},
}

export const V020_TABLE: CommandTable = Object.fromEntries(
  Object.values(V020).flatMap((usages) =>
    Object.entries(usages).map(([id, usage]): [string, CommandShape] => {
      const own = [...optionsOf(parsePattern(usage))].map(([name, value]) => [name, {type: value === undefined ? 'boolean' : 'option'}] as const)
      return [id, {flags: {...GLOBAL_FLAGS, ...Object.fromEntries(own)}, args: {}}]
    }),
  ),
)

export const TABLE: CommandTable = {
  ...V020_TABLE,
  'profile:add': {flags: {...GLOBAL_FLAGS, 'dry-run': {type: 'boolean'}}, args: {profile: {required: true}}},
  'pool:remove': {flags: {...GLOBAL_FLAGS, force: {type: 'boolean'}}, args: {cidrs: {required: true}}, strict: false},
  node: {flags: {...V020_TABLE.node?.flags, node: {type: 'option'}}, args: {}},
  'node:bgp:peer:show': {flags: {...V020_TABLE['node:bgp:peer:show']?.flags, node: {type: 'option'}}, args: {}},
  get: {flags: {...GLOBAL_FLAGS, field: {type: 'option', multiple: true}, namespace: {type: 'option', char: 'n'}}, args: {kind: {required: true}, name: {}}},
  'config:view': {flags: GLOBAL_FLAGS, args: {}},
  'datastore:export': {flags: GLOBAL_FLAGS, args: {file: {required: true}}},
  'ipam:assign': {flags: {...GLOBAL_FLAGS, node: {type: 'option'}, handle: {type: 'option'}}, args: {count: {}}},
  completion: {flags: {}, args: {shell: {required: true, options: ['bash', 'zsh', 'fish']}}},
  help: {flags: {}, args: {words: {multiple: true}}},
  __complete: {flags: {}, args: {}, strict: false, hidden: true},
}
