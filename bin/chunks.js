'use strict'
/**
 * Loads the bundle's chunks through V8's code cache: bytecode of the functions that a command calls, which saves compiling them (40 ms).
 *
 * A cache lies beside its chunk, named after the chunk (which has its content's hash in its name: V8 compares only the source's length) and the
 * version of Node. The build makes those of its own Node; for another, the first run makes them. V8 rejects a cache that was made with other
 * flags or on another processor; the command then works all the same, and the cache is left alone: its owner may need it.
 */
const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const {seal, unseal} = require('./seal.js')

/**
 * @typedef {object} Chunks
 * @property {(name: string) => any} load what the chunk NAME exports
 * @property {(options?: {always?: boolean}) => void} saveCaches writes the caches that were missing; with `always`, those of all chunks that were loaded
 */

/**
 * @param {string} dist the folder with chunks.json
 * @returns {Chunks}
 */
function openChunks(dist) {
  /** @type {Record<string, string>} */
  const files = JSON.parse(fs.readFileSync(path.join(dist, 'chunks.json'), 'latin1'))
  /** @type {Map<string, {exports: any, script: vm.Script, cache: string, cached: boolean}>} */
  const loaded = new Map()

  /** @param {string} name */
  function load(name) {
    const known = loaded.get(name)
    if (known) return known.exports
    const file = path.join(dist, files[name] ?? `${name}.js`)
    const cache = `${file}.${process.version}-${process.arch}.cache`
    const source = fs.readFileSync(file, 'latin1') // a function, in ASCII: one byte a character in memory too
    const cachedData = readCache(cache)
    const script = new vm.Script(source, {filename: path.basename(file), cachedData})
    const chunk = {exports: {}, script, cache, cached: cachedData !== undefined || fs.existsSync(cache)}
    loaded.set(name, chunk)
    script.runInThisContext().call(chunk.exports, chunk.exports, requireFromChunk, chunk, file, dist)
    return chunk.exports
  }

  /** @param {string} id */
  const requireFromChunk = (id) => (id.startsWith('chunk:') ? load(id.slice('chunk:'.length)) : require(id))

  return {
    load,
    saveCaches({always = false} = {}) {
      for (const {script, cache, cached} of loaded.values()) if (always || (!cached && mayAdd(dist))) writeCache(cache, script.createCachedData())
    },
  }
}

/** @param {string} file */
function readCache(file) {
  try {
    return unseal(fs.readFileSync(file))
  } catch {
    return undefined
  }
}

/** A cache is code: only the owner of the code may add one, and nobody to the files of a package of the system. @param {string} folder */
const mayAdd = (folder) => process.geteuid?.() === fs.statSync(folder).uid && !fs.existsSync(path.join(folder, 'packaged'))

/**
 * Writes a cache whole or not at all; a folder that cannot be written is no fault.
 * @param {string} file
 * @param {Buffer} data
 */
function writeCache(file, data) {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    fs.writeFileSync(temporary, seal(data), {flag: 'wx', mode: 0o644, flush: true})
    fs.renameSync(temporary, file)
  } catch {
    fs.rmSync(temporary, {force: true})
  }
}

module.exports = {openChunks}
