/** Makes the chunks: one esbuild run for each, into files with their content's hash in their names. */
import {createHash} from 'node:crypto'
import {rmSync, writeFileSync} from 'node:fs'
import {join, relative, resolve} from 'node:path'
import {build} from 'esbuild'
import {CHUNKS, EDITS, PARTS} from './chunks.mjs'
import {partEntry, sharedEntry} from './parts.mjs'
import {edits, lazy, otherChunks, otherParts, replacements, virtual} from './plugins.mjs'

/** @typedef {{name: string, file: string, bytes: number, inputs: readonly string[]}} BuiltChunk */

/** The chunks with modules of ours. They come last: the others tell them what they export, and the parts tell core which of its modules they need. */
const OURS = [...Object.keys(PARTS), 'core', 'mesos']

/**
 * @param {{root: string, outdir: string, modules: Record<string, string>}} options MODULES are the virtual ones
 * @returns {Promise<BuiltChunk[]>} those that are needed, written to OUTDIR with an index, chunks.json
 */
export async function bundle({root, outdir, modules}) {
  /** @type {Map<string, readonly string[]>} */
  const esmExports = new Map()
  /** @type {Set<string>} */
  const edited = new Set()
  /** @type {Set<string>} */
  const wanted = new Set([...OURS, 'debug']) // debug: by its name in runtime/debug.cjs
  /** @type {Set<string>} */
  const shared = new Set()
  const built = []
  for (const name of [...Object.keys(CHUNKS).filter((chunk) => !OURS.includes(chunk)), ...OURS]) {
    const ours = {...modules, 'bundle:part': partEntry(root, name), 'bundle:shared': sharedEntry(shared)}
    built.push(await bundleChunk(name, {root, outdir, modules: ours, esmExports, edited, wanted, shared}))
  }
  const forgotten = EDITS.filter(({file}) => !edited.has(file))
  if (forgotten.length > 0) throw new Error(`not in any chunk any more: ${forgotten.map(({file}) => file).join(', ')} (scripts/bundle/chunks.mjs)`)
  for (const {name, file} of built) if (!wanted.has(name)) rmSync(join(outdir, file))
  const kept = built.filter(({name}) => wanted.has(name))
  writeFileSync(join(outdir, 'chunks.json'), JSON.stringify(Object.fromEntries(kept.map(({name, file}) => [name, file]))))
  return kept
}

/**
 * @param {string} name
 * @param {{root: string, outdir: string, modules: Record<string, string>, esmExports: Map<string, readonly string[]>, edited: Set<string>, wanted: Set<string>, shared: Set<string>}} context
 * @returns {Promise<BuiltChunk>}
 */
async function bundleChunk(name, {root, outdir, modules, esmExports, edited, wanted, shared}) {
  const {entry, packages} = CHUNKS[name] ?? {entry: 'bundle:part', packages: {}}
  const {outputFiles, metafile} = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    supported: {'dynamic-import': false}, // import() of a chunk is require() of it
    minifyWhitespace: true,
    minifyIdentifiers: true,
    minifySyntax: true, // but names are kept: stack traces and oclif show them
    banner: {js: '(function (exports, require, module, __filename, __dirname) {'},
    footer: {js: '})'},
    charset: 'ascii', // bin/chunks.js reads Latin-1
    legalComments: 'none', // dist/LICENSES.txt has them
    sourcemap: 'external', // read by --debug only: src/lib/cli/debug/source-lines.ts
    sourcesContent: false,
    outdir,
    logLevel: 'error',
    plugins: [virtual(modules, root), replacements(name), otherChunks(name, esmExports, wanted), ...(OURS.includes(name) && name !== 'mesos' ? [otherParts(name, root, shared)] : []), edits(edited), lazy],
  })
  const {contents} = output(outputFiles, '.js')
  const file = `${name}-${createHash('sha256').update(contents).digest('hex').slice(0, 12)}.js`
  writeFileSync(join(outdir, file), contents)
  writeFileSync(join(outdir, `${file}.map`), sourceMap(output(outputFiles, '.map').text, {root, outdir}))
  if (metafile.inputs[relative(root, entry)]?.format === 'esm') {
    for (const id of Object.keys(packages)) esmExports.set(id, Object.keys(await import(id)))
  }
  return {name, file, bytes: contents.length, inputs: Object.keys(metafile.inputs)}
}

/** @param {readonly import('esbuild').OutputFile[]} files @param {string} end */
function output(files, end) {
  const file = files.find(({path}) => path.endsWith(end))
  if (file === undefined) throw new Error(`esbuild has made no ${end}`)
  return file
}

/** The source map TEXT, with its files as paths below ROOT, and without the names of variables, which are a third of it. @param {string} text @param {{root: string, outdir: string}} folders */
function sourceMap(text, {root, outdir}) {
  const {version, sources, mappings} = /** @type {{version: number, sources: string[], mappings: string}} */ (JSON.parse(text))
  return JSON.stringify({version, sources: sources.map((source) => (/^[\w-]+:/.test(source) ? source : relative(root, resolve(outdir, source)))), names: [], mappings})
}
