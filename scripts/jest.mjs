/**
 * The command line that runs jest with ARGS: as ES modules, which jest does with this option only.
 * @param {readonly string[]} args
 * @returns {[string, ...string[]]}
 */
export const jestCommand = (args) => [process.execPath, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', ...args]
