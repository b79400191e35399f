/**
 * TypeScript for jest, by swc. Jest runs modules in a context of their own, where each use of a global (`Object`, `Math`) is a call into Node, a hundred
 * times as slow as elsewhere: a third of the time of the tests of policy. So each module begins with constants for those that it names. A file that
 * declares one of these names itself does not load (`Identifier 'Map' has already been declared`).
 */
import swc from '@swc/jest'

/** Globals that no test replaces; jest.config.js gives them to CommonJS modules. */
export const GLOBALS = [
  ...['Object', 'Array', 'Number', 'BigInt', 'String', 'Boolean', 'Symbol', 'Promise', 'RegExp', 'Map', 'Set', 'WeakMap', 'WeakSet', 'Math', 'JSON', 'Reflect', 'Proxy'],
  ...['Error', 'TypeError', 'RangeError', 'Uint8Array', 'Infinity'],
]

const NAMES = new RegExp(`(?<![\\w$]|(?<!\\.\\.)\\.)(?:${GLOBALS.join('|')})\\b`, 'g')

/**
 * CODE with a constant for each of {@link GLOBALS} that it names, in its first line, so that the numbers of lines stay.
 * @param {string} code
 */
export function withConstants(code) {
  const names = new Set(code.match(NAMES))
  return names.size === 0 ? code : `const {${[...names].join(', ')}} = globalThis;${code}`
}

export default {
  /** @param {import('@swc/core').Options} options */
  createTransformer(options) {
    const transformer = /** @type {Required<ReturnType<typeof swc.createTransformer>>} */ (swc.createTransformer(options))
    /** @type {typeof transformer} */
    const withGlobals = {
      ...transformer,
      process: (...args) => constants(transformer.process(...args)),
      processAsync: async (...args) => constants(await transformer.processAsync(...args)),
      getCacheKey: (...args) => `${transformer.getCacheKey(...args)} ${GLOBALS.join()} ${withConstants.toString()}`,
    }
    return withGlobals
  },
}

/** @param {ReturnType<NonNullable<ReturnType<typeof swc.createTransformer>['process']>>} result */
const constants = (result) => ({...result, code: withConstants(result.code)})
