/** The order of the test files of a mutant for jest, which stops at the first that fails: the test of the mutant's file, those of its folder, then the others, the slowest last. */
import {basename, dirname, relative} from 'node:path'
import SlowestFirst from '../slowest-first.mjs'

/** @typedef {import('../slowest-first.mjs').Test} Test */

export default class NearestFirst extends SlowestFirst {
  /** @override @param {readonly Test[]} tests */
  sort(tests) {
    const {file = ''} = /** @type {{file?: string}} */ (JSON.parse(process.env.MUTANT ?? '{}'))
    const away = (/** @type {Test} */ {path, context: {config: {rootDir}}}) => {
      const own = relative(rootDir, file).replace(/^src/, 'test')
      if (dirname(relative(rootDir, path)) !== dirname(own)) return 2
      return basename(path) === basename(own).replace(/\.ts$/, '.test.ts') ? 0 : 1
    }
    return super.sort(tests).reverse().sort((a, b) => away(a) - away(b))
  }
}
