/** MiB for young objects: tests make many that live for a moment, and with Node's 16 MiB a sixth of their time goes into collecting them. */
const YOUNG = 64

/**
 * The command line that runs jest with ARGS: as ES modules, which jest does with this option only. Its workers get the options of Node, too.
 * @param {readonly string[]} args
 * @returns {[string, ...string[]]}
 */
export const jestCommand = (args) => [process.execPath, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning', `--max-semi-space-size=${YOUNG}`, 'node_modules/jest/bin/jest.js', ...args]
