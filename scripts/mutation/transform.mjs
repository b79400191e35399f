/** jest's transform with one mutant: the text FROM to TO of FILE, as MUTANT (JSON) says, is TEXT. The file itself stays as it is. */
import transformer from '../jest-transform.mjs'

/** @type {{file: string, from: number, to: number, text: string}} */
const mutant = JSON.parse(process.env.MUTANT ?? '{"file":"","from":0,"to":0,"text":""}')
const swc = transformer.createTransformer({jsc: {parser: {syntax: 'typescript'}, target: 'es2022'}, module: {type: 'es6'}})
/** @param {string} source @param {string} path */
const mutated = (source, path) => (path === mutant.file ? source.slice(0, mutant.from) + mutant.text + source.slice(mutant.to) : source)

export default {
  ...swc,
  /** @type {typeof swc.process} */
  process: (source, path, options) => swc.process(mutated(source, path), path, options),
  /** @type {typeof swc.processAsync} */
  processAsync: (source, path, options) => swc.processAsync(mutated(source, path), path, options),
  /** @type {typeof swc.getCacheKey} */
  getCacheKey: (source, path, options) => swc.getCacheKey(mutated(source, path), path, options),
}
