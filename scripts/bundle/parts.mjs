/**
 * How the chunks of ours reach each other's modules. Each exports `shared`: path of a module → a function that evaluates it, once, and gives its exports. A
 * part shares all its modules, core those that parts import.
 */
import {readdirSync} from 'node:fs'
import {join} from 'node:path'
import {chunkOf, PARTS} from './chunks.mjs'

/** The entry of the part NAME: all its modules. @param {string} root @param {string} name */
export const partEntry = (root, name) => (PARTS[name] ? `export const shared = ${loaders(modulesOf(root, name))}` : '')

/** The module `bundle:shared` of core. @param {Iterable<string>} paths */
export const sharedEntry = (paths) => `export const shared = ${loaders([...paths].sort())}`

/** An expression for the exports of FILE, a module of another chunk (or one of CORE_PACKAGES). @param {string} file */
export const fromOtherChunk = (file) => `require('chunk:${chunkOf(file)}').shared[${JSON.stringify(file)}]()`

/** @param {readonly string[]} files */
const loaders = (files) => `{${files.map((file) => `${JSON.stringify(file)}: () => require(${JSON.stringify(file.startsWith('src/') ? `./${file}` : file)})`).join(',\n')}}`

/** @param {string} root @param {string} name */
function modulesOf(root, name) {
  const files = readdirSync(join(root, 'src'), {recursive: true, encoding: 'utf8'}).map((file) => `src/${file}`)
  return files.filter((file) => file.endsWith('.ts') && chunkOf(file) === name).sort()
}
