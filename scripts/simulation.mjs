/** The simulation of test/simulation as one file: a plain process runs it in half the time that a test would need in jest, and without jest's own timers. */
import {readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {build} from 'esbuild'

/** What a simulation has instead of the real thing (test/simulation/doubles): by the module that is imported, from the root of the project, and where not all have it, the file or the folder of who imports it. */
const DOUBLES = {
  ...Object.fromEntries(
    ['node:child_process', 'node:fs', 'node:fs/promises', 'node:os', 'node:timers/promises', 'src/lib/files/append.ts', 'src/lib/files/folder.ts', 'src/lib/files/lock-file.ts', 'src/lib/files/read.ts', 'src/lib/files/replace.ts'].map((name) => [`${name} of src/lib/journal/`, 'machine']),
  ),
  'node:timers/promises': 'timers',
  'node:fs of src/lib/workload/find-workload.ts': 'proc',
  'src/lib/docker/networks.ts': 'docker-networks',
  'src/lib/host/container-network.ts': 'container-network',
  'src/lib/host/interfaces.ts': 'interfaces',
  'src/lib/host/ip.ts': 'ip',
  'src/lib/host/link-local.ts': 'link-local',
  'src/lib/host/lock.ts': 'lock',
  'src/lib/host/mtu.ts': 'mtu',
  'src/lib/host/network-namespace.ts': 'network-namespace',
  'src/lib/libnetwork/network-files.ts': 'network-files',
}

/**
 * A change of a source file, for a proof that the simulation finds it: FROM must stand there once.
 * @typedef {{file: string, from: string, to: string}} Mutation
 */

/**
 * Writes the simulation to OUTFILE, an ES module, with MUTATION made.
 * @param {string} root
 * @param {string} outfile
 * @param {Mutation} [mutation]
 */
export async function bundleSimulation(root, outfile, mutation) {
  await build({
    absWorkingDir: root,
    entryPoints: ['test/simulation/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    banner: {js: "import {createRequire as createRequireOfBundle} from 'node:module'; const require = createRequireOfBundle(import.meta.url);"},
    plugins: [doubles(root), ...(mutation === undefined ? [] : [mutated(root, mutation)])],
  })
}

/**
 * @param {string} root
 * @returns {import('esbuild').Plugin}
 */
function doubles(root) {
  const folder = join(root, 'test/simulation/doubles')
  return {
    name: 'doubles',
    setup({onResolve}) {
      onResolve({filter: /.*/}, ({path, importer, resolveDir}) => {
        if (importer.startsWith(folder)) return undefined
        const name = path.startsWith('.') ? resolve(resolveDir, path).slice(root.length + 1).replace(/\.js$/, '.ts') : path
        const by = importer.slice(root.length + 1)
        const double = doubleOf(`${name} of ${by}`) ?? doubleOf(`${name} of ${by.split('/').slice(0, 3).join('/')}/`) ?? doubleOf(name)
        return double === undefined ? undefined : {path: join(folder, `${double}.ts`)}
      })
    },
  }
}

/** @param {string} name */
const doubleOf = (name) => (Object.hasOwn(DOUBLES, name) ? /** @type {Record<string, string>} */ (DOUBLES)[name] : undefined)

/**
 * @param {string} root
 * @param {Mutation} mutation
 * @returns {import('esbuild').Plugin}
 */
function mutated(root, {file, from, to}) {
  return {
    name: 'mutated',
    setup({onLoad}) {
      onLoad({filter: /\.ts$/}, ({path}) => {
        if (path !== join(root, file)) return undefined
        const [before, after, ...more] = readFileSync(path, 'utf8').split(from)
        if (before === undefined || after === undefined || more.length > 0) throw new Error(`${file} does not have exactly once: ${from}`)
        return {contents: before + to + after, loader: 'ts'}
      })
    },
  }
}
