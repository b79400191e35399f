/** What the build does to modules on their way into a chunk, as esbuild plugins. */
import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {dirname, relative, resolve} from 'node:path'
import {ABSENT, chunkOf, CHUNKS, CORE_PACKAGES, EDITS, LAZY, LAZY_BUILTINS, LAZY_INSIDE, REPLACED} from './chunks.mjs'
import {fromOtherChunk} from './parts.mjs'

/** @typedef {import('esbuild').Plugin} Plugin */

/** @param {readonly string[]} names */
const anyOf = (names) => new RegExp(`^(${names.map((name) => name.replaceAll(/[/.]/g, '\\$&')).join('|')})$`)

/** Serves MODULES, sources by name. @param {Record<string, string>} modules @param {string} root @returns {Plugin} */
export const virtual = (modules, root) => ({
  name: 'virtual modules',
  setup(build) {
    build.onResolve({filter: /^bundle:/}, ({path}) => ({path, namespace: 'virtual'}))
    build.onLoad({filter: /.*/, namespace: 'virtual'}, ({path}) => ({contents: modules[path] ?? '', loader: 'js', resolveDir: root}))
  },
})

/**
 * Leaves a package that is in another chunk than CHUNK to that one. The name `chunk:…` is resolved by bin/chunks.js.
 * @param {string} chunk
 * @param {ReadonlyMap<string, readonly string[]>} esmExports of each package that is an ES module, the names of its exports: a chunk is CommonJS, and `import`
 *   of CommonJS would take the whole of it for the default export
 * @param {Set<string>} wanted takes the names of the chunks that CHUNK needs
 * @returns {Plugin}
 */
export const otherChunks = (chunk, esmExports, wanted) => ({
  name: 'other chunks',
  setup(build) {
    for (const [name, {packages}] of Object.entries(CHUNKS)) {
      if (name === chunk) continue
      for (const [id, property] of Object.entries(packages)) {
        const names = esmExports.get(id)
        const exported = `require('chunk:${name}')${property && `.${property}`}`
        const contents = names
          ? `const chunk = ${exported}\n${names.map((key) => (key === 'default' ? 'export default chunk.default' : `export const ${key} = chunk.${key}`)).join('\n')}`
          : `module.exports = ${exported}`
        build.onResolve({filter: anyOf([id])}, () => {
          wanted.add(name)
          return {path: id, namespace: 'other-chunk'}
        })
        build.onLoad({filter: anyOf([id]), namespace: 'other-chunk'}, () => ({contents, loader: 'js'}))
      }
    }
    build.onResolve({filter: /^chunk:/}, ({path}) => ({path, external: true}))
    build.onResolve({filter: anyOf(ABSENT)}, ({path}) => ({path, external: true}))
  },
})

/**
 * Leaves a module of ours that is in another chunk than CHUNK to that one (parts.mjs).
 * @param {string} chunk
 * @param {string} root
 * @param {Set<string>} shared takes the modules and packages of core that CHUNK needs
 * @returns {Plugin}
 */
export const otherParts = (chunk, root, shared) => ({
  name: 'other parts',
  setup(build) {
    const sources = resolve(root, 'src')
    build.onResolve({filter: /^\.{1,2}\/.*\.js$/}, ({path, resolveDir, importer, kind}) => {
      const file = relative(root, resolve(resolveDir, path)).replace(/\.js$/, '.ts')
      if (!file.startsWith('src/') || chunkOf(file) === chunk) return undefined
      if (chunk === 'core' && importer.startsWith(sources) && kind === 'import-statement') {
        return {errors: [{text: `core may reach ${file}, which is in the chunk ${chunkOf(file)}, by import() only`}]}
      }
      if (chunkOf(file) === 'core') shared.add(file)
      return {path: file, namespace: 'other-part'}
    })
    if (chunk !== 'core') {
      build.onResolve({filter: anyOf(CORE_PACKAGES)}, ({path}) => {
        shared.add(path)
        return {path, namespace: 'other-part'}
      })
    }
    build.onLoad({filter: /.*/, namespace: 'other-part'}, ({path}) => ({contents: `module.exports = ${fromOtherChunk(path)}`, loader: 'js'}))
  },
})

/** Puts files of ours in the place of packages, except in the chunk that holds the package itself. @param {string} chunk @returns {Plugin} */
export const replacements = (chunk) => ({
  name: 'replacements',
  setup(build) {
    for (const [id, path] of Object.entries(REPLACED)) {
      if (chunk !== id) build.onResolve({filter: anyOf([id])}, () => ({path}))
    }
  },
})

/** Notes which edits were made in SEEN. @throws Error if a package has changed. @param {Set<string>} seen @returns {Plugin} */
export const edits = (seen) => ({
  name: 'edits',
  setup(build) {
    for (const {file, find, replace} of EDITS) {
      build.onLoad({namespace: 'file', filter: new RegExp(`/node_modules/${file.replaceAll(/[/.]/g, '\\$&')}$`)}, ({path}) => {
        const parts = readFileSync(path, 'utf8').split(find)
        if (parts.length === 1) throw new Error(`${path}: ${find} is not there. The package has changed: look at scripts/bundle/chunks.mjs.`)
        seen.add(file)
        return {contents: parts.join(replace), loader: 'js'}
      })
    }
  },
})

/** Makes modules that are seldom used load at their first use: LAZY, LAZY_BUILTINS and LAZY_INSIDE. @type {Plugin} */
export const lazy = {
  name: 'lazy modules',
  setup(build) {
    build.onResolve({filter: anyOf([...LAZY_BUILTINS, ...LAZY_BUILTINS.map((name) => `node:${name}`)])}, ({path, namespace, kind}) =>
      namespace !== 'lazy' && kind === 'require-call' ? {path: `node:${path.replace(/^node:/, '')}`, namespace: 'lazy'} : undefined,
    )
    const inside = new RegExp(`/node_modules/(${LAZY_INSIDE.join('|')})/`)
    /** @param {import('esbuild').OnResolveArgs} args */
    const resolveLazily = async ({path, namespace, kind, resolveDir, importer, pluginData}) => {
      if (namespace === 'lazy' || kind !== 'require-call' || pluginData === 'resolving' || path.endsWith('.json')) return undefined
      if (path.startsWith('.') && !inside.test(importer)) return undefined
      const found = await build.resolve(path, {kind, resolveDir, importer, pluginData: 'resolving'})
      return found.errors.length > 0 ? undefined : {path: found.path, namespace: 'lazy', pluginData: {compiled: path.startsWith('.')}}
    }
    build.onResolve({filter: anyOf(LAZY)}, resolveLazily)
    build.onResolve({filter: /^\./}, resolveLazily)
    build.onLoad({filter: /.*/, namespace: 'lazy'}, ({path, pluginData}) => ({
      contents: pluginData?.compiled ? lazyNamespace(path) : lazyModule(path),
      loader: 'js',
      resolveDir: dirname(path),
    }))
  },
}

/** A module that stands for PATH, of any kind, and loads it when it is first looked at. @param {string} path */
const lazyModule = (path) => `
let loaded
const load = () => loaded ??= require(${JSON.stringify(path)})
module.exports = new Proxy(function () {}, {
  get: (_, key) => key === '__esModule' ? ${isCompiled(path)} : load()[key],
  has: (_, key) => key in load(),
  apply: (_, self, args) => Reflect.apply(load(), self, args),
  construct: (_, args) => Reflect.construct(load(), args),
})`

/** Whether a package in CommonJS says that it was compiled from an ES module, which all that require it ask at once. @param {string} path */
const isCompiled = (path) => !path.startsWith('node:') && Boolean(createRequire(import.meta.url)(path).__esModule)

/** The same for a module that was compiled from an ES module: what it exports is looked at by name, and that it is one needs no look. @param {string} path */
const lazyNamespace = (path) => `
let loaded
const load = () => loaded ??= require(${JSON.stringify(path)})
module.exports = new Proxy({}, {
  get: (_, key) => key === '__esModule' ? true : load()[key],
  has: (_, key) => key in load(),
  ownKeys: () => Reflect.ownKeys(load()),
  getOwnPropertyDescriptor: (_, key) => ({...Reflect.getOwnPropertyDescriptor(load(), key), configurable: true}),
})`
