/** Modules of the bundle that have no file: what the build has found out (runtime/bundle-modules.d.ts has their types). */
import {chunkOf} from './chunks.mjs'
import {fromOtherChunk} from './parts.mjs'

/** @typedef {import('./runtime/messages.js').Protocol} Protocol */

/**
 * @param {object} facts
 * @param {Protocol} facts.protocol etcd's protocol
 * @param {Record<string, import('@oclif/core').Command.Cached>} facts.commands the manifest
 * @param {import('@oclif/core').Interfaces.PJSON} facts.pjson
 * @returns {Record<string, string>} the modules' sources by name
 */
export function virtualModules({protocol, commands, pjson}) {
  const {name, version, description, engines, oclif} = pjson
  const loaders = Object.keys(commands).map((id) => `${JSON.stringify(id)}: ${commandLoader(`src/commands/${id.replaceAll(':', '/')}`)}`)
  const readers = Object.entries(commands).map(([id, command]) => `${JSON.stringify(id)}: () => ${parsed(command)}`)
  return {
    'bundle:protocol': `export const protocol = ${parsed(protocol)}`,
    'bundle:manifest': `export const pjson = ${parsed({name, version, description, engines, oclif})}; export const read = {${readers.join(',\n')}}`,
    'bundle:commands': `export const loaders = {${loaders.join(',\n')}}`,
  }
}

/** A function that loads the command in the module FILE, from whatever chunk it is in. @param {string} file without its ending */
const commandLoader = (file) => (chunkOf(`${file}.ts`) === 'core' ? `() => import('./${file}.js')` : `async () => ${fromOtherChunk(`${file}.ts`)}`)

/** An expression for VALUE; V8 parses JSON faster than JavaScript. @param {unknown} value */
const parsed = (value) => `JSON.parse(${JSON.stringify(JSON.stringify(value))})`
