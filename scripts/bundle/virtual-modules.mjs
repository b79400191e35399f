/** Modules of the bundle that have no file: what the build has found out (runtime/bundle-modules.d.ts has their types). */
import {chunkOf} from './chunks.mjs'
import {fromOtherChunk} from './parts.mjs'

/** @typedef {import('../../src/lib/datastore/etcd/unary/protobuf.js').Protocol} Protocol */

/**
 * @param {object} facts
 * @param {Protocol} facts.protocol etcd's protocol
 * @param {Record<string, import('@oclif/core').Command.Cached>} facts.commands the manifest
 * @param {import('@oclif/core').Interfaces.PJSON} facts.pjson
 * @returns {Record<string, string>} the modules' sources by name
 */
export function virtualModules({protocol, commands, pjson}) {
  const {name, version, description, engines, oclif, bugs} = pjson
  const loaders = Object.keys(commands).map((id) => `${JSON.stringify(id)}: ${commandLoader(`src/commands/${id.replaceAll(':', '/')}`)}`)
  const {common, rest} = shareCommon(commands)
  const readers = Object.entries(rest).map(([id, command]) => `${JSON.stringify(id)}: () => restored(${parsed(command)})`)
  return {
    'bundle:protocol': `export const protocol = ${parsed(protocol)}`,
    'bundle:manifest': `export const pjson = ${parsed({name, version, description, engines, oclif, bugs})}; ${restored(common)}; export const read = {${readers.join(',\n')}}`,
    'bundle:commands': `export const loaders = {${loaders.join(',\n')}}`,
  }
}

/**
 * COMMANDS, in which the flags and arguments that several commands have alike are numbers, those of COMMON, which has them as JSON: most of a manifest is
 * the global options once for each command.
 * @param {Record<string, import('@oclif/core').Command.Cached>} commands
 */
function shareCommon(commands) {
  const texts = Object.values(commands).flatMap(({flags, args}) => [...Object.values(flags), ...Object.values(args)].map((one) => JSON.stringify(one)))
  const common = [...new Set(texts.filter((text, index) => texts.indexOf(text) < index))]
  const numbers = new Map(common.map((text, index) => [text, index]))
  const shared = (/** @type {object} */ table) => Object.fromEntries(Object.entries(table).map(([name, one]) => [name, numbers.get(JSON.stringify(one)) ?? one]))
  const rest = Object.fromEntries(Object.entries(commands).map(([id, command]) => [id, {...command, flags: shared(command.flags), args: shared(command.args)}]))
  return {common, rest}
}

/** The function `restored`, which makes a command of one that {@link shareCommon} has made smaller. @param {readonly string[]} common */
const restored = (common) => `const common = [${common.map((text) => JSON.stringify(text)).join(',')}]
function restored(command) {
  for (const table of [command.flags, command.args]) for (const name in table) if (typeof table[name] === 'number') table[name] = JSON.parse(common[table[name]])
  return command
}`

/** A function that loads the command in the module FILE, from whatever chunk it is in. @param {string} file without its ending */
const commandLoader = (file) => (chunkOf(`${file}.ts`) === 'core' ? `() => import('./${file}.js')` : `async () => ${fromOtherChunk(`${file}.ts`)}`)

/** An expression for VALUE; V8 parses JSON faster than JavaScript. @param {unknown} value */
const parsed = (value) => `JSON.parse(${JSON.stringify(JSON.stringify(value))})`
