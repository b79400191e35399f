/**
 * The chunks of the bundle. `core` is the code of ours that most commands need, with oclif; what only some commands need is in a part (PARTS), and every
 * heavy library is a chunk of its own: both are loaded by the command that needs them. Each module of ours is in one of these chunks only, so there is one
 * of each: `instanceof` holds. `mesos` has those that the Mesos plugin needs once more, for processes that never load `core`; `store` has etcd's
 * codec once more.
 */
import {createRequire} from 'node:module'
import {join} from 'node:path'

const RUNTIME = join(import.meta.dirname, 'runtime')
const {resolve} = createRequire(import.meta.url)

/**
 * @typedef {object} Chunk
 * @property {string} entry the file that it begins with
 * @property {Readonly<Record<string, string>>} packages the packages that other chunks find in it, with the property of its exports that each one is; '' = the exports themselves
 */

/** @type {Readonly<Record<string, Chunk>>} */
export const CHUNKS = {
  core: {entry: join(RUNTIME, 'entry.ts'), packages: {}},
  mesos: {entry: join(RUNTIME, 'mesos.ts'), packages: {}},
  store: {entry: join(RUNTIME, 'store.cjs'), packages: {etcd3: 'etcd3', cockatiel: 'cockatiel'}},
  ...Object.fromEntries(['cli-table3', 'diff', 'dockerode', 'inquirer', 'yaml', 'zod'].map((name) => [name, {entry: resolve(name), packages: {[name]: ''}}])),
  dagre: {entry: resolve('@dagrejs/dagre'), packages: {'@dagrejs/dagre': ''}},
  debug: {entry: resolve('debug'), packages: {}}, // loaded by runtime/debug.cjs only
}

/**
 * The chunks of ours beside core, and the folders and files whose modules each of them has. Core reaches a part by `import()` only: a part is loaded when
 * a command needs it.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const PARTS = {
  etcd: ['src/lib/datastore/etcd/'],
  staged: ['src/lib/datastore/staged/', 'src/lib/client/together.ts'],
  files: ['src/lib/resource-files/', 'src/lib/views/resource-files/', 'src/lib/host/editor.ts', ...['validate', 'create', 'apply', 'replace', 'delete', 'diff', 'export', 'plan', 'edit', 'label', 'patch'].map((verb) => `src/commands/${verb}.ts`)],
  batch: ['src/commands/batch.ts', 'src/lib/batch/', 'src/lib/cli/batch/', 'src/lib/client/last-seen.ts'],
  get: ['src/lib/views/get-more/'],
  trace: ['src/lib/cli/debug/'],
  tables: ['tables', 'table', 'fit', 'blocks', 'text-width', 'what-changed'].map((name) => `src/lib/cli/output/${name}.ts`),
  pools: [...['drain', 'move', 'split'].map((name) => `src/lib/client/pool-${name}.ts`), 'src/lib/views/pool-move.ts', 'src/commands/pool/move.ts', 'src/commands/ipam/split.ts'],
  grants: ['src/lib/grants/', 'src/commands/config/grants.ts'],
  import: ['src/lib/import-v1/', 'src/lib/views/import.ts', 'src/commands/import.ts'],
  picture: ['src/lib/views/policy-picture/', 'src/commands/policy/picture.ts'],
  policy: ['src/lib/policy/', 'src/lib/client/policy-world.ts', 'src/lib/cli/flows.ts', 'src/lib/views/policy/', 'src/commands/policy/'],
  endpoints: ['src/lib/model/felix-endpoints.ts'],
  covers: ['src/lib/rules/covers.ts'],
  completion: ['src/lib/cli/completion/', 'src/lib/docker/container-names.ts', 'src/commands/completion.ts', 'src/commands/__complete.ts'],
  documents: ['src/lib/documents/', 'src/lib/views/schema.ts', 'src/commands/schema.ts'],
  lint: ['src/lib/lint/', 'src/lib/views/lint.ts', 'src/lib/model/felix-refuses.ts', 'src/commands/lint.ts', 'src/commands/lint/'],
  backup: ['src/lib/backup/', 'src/lib/views/backup.ts', 'src/lib/views/datastore-status.ts', 'src/commands/datastore/'],
  journal: ['src/lib/journal/entry.ts', 'src/lib/journal/place.ts', 'src/lib/files/append.ts'],
  history: ['src/lib/journal/', 'src/lib/views/history.ts', 'src/lib/views/confirm.ts', ...['history', 'undo', 'confirm', '__confirm'].map((command) => `src/commands/${command}.ts`)],
  hosts: [
    ...['bird', 'calico-node', 'diagnostics', 'docker', 'host', 'ipam', 'libnetwork', 'mesos', 'node-status', 'system-check', 'workload'].map((folder) => `src/lib/${folder}/`),
    ...['addresses-in-use', 'affinities', 'pool-removal', 'pools'].map((name) => `src/lib/client/${name}.ts`),
    ...['containers', 'ipam', 'libnetwork', 'mesos-check', 'mesos-config', 'mesos-options', 'node-remove', 'node-start', 'pool-add-command', 'pool-arguments', 'pools', 'status'].map((name) => `src/lib/views/${name}.ts`),
    ...['container', 'ipam', 'libnetwork', 'mesos', 'pool'].map((topic) => `src/commands/${topic}/`),
    ...['checksystem', 'diags', 'endpoint/gc', 'endpoint/remove', 'node', 'node/remove', 'node/stop', 'status'].map((command) => `src/commands/${command}.ts`),
  ],
  objects: [
    ...['bgp-configuration', 'bgp-peers', 'cluster-status', 'configuration', 'endpoint-profiles', 'endpoint-workload', 'endpoints', 'felix-configuration', 'inventory', 'kept', 'known-nodes', 'node-list'].map((name) => `src/lib/client/${name}.ts`),
    ...['cluster-status', 'config-command', 'endpoint-profile-command', 'endpoints', 'get', 'get-selection', 'ipam-arguments', 'ipam-assign', 'ipam-check', 'kind-columns', 'known-node', 'mesos-gc', 'node-option', 'nodes', 'peer-arguments', 'peers', 'pull-progress', 'removal-notes', 'setting-command', 'stale'].map((name) => `src/lib/views/${name}.ts`),
    ...['bgp', 'config', 'endpoint', 'node'].map((topic) => `src/commands/${topic}/`),
    'src/commands/get.ts',
  ],
  embedded: ['src/lib/datastore/embedded/'],
  help: ['src/lib/cli/help.ts', 'src/commands/help.ts', 'src/commands/version.ts'],
}

/** Packages in core that parts import too. */
export const CORE_PACKAGES = ['@oclif/core']

/** The chunk that has the module FILE, a path below the root such as src/lib/errors.ts. @param {string} file */
export const chunkOf = (file) => Object.entries(PARTS).find(([, places]) => places.some((place) => file === place || (place.endsWith('/') && file.startsWith(place))))?.[0] ?? 'core'

/** Packages that the bundle replaces: see each file. @type {Readonly<Record<string, string>>} */
export const REPLACED = {
  '@grpc/proto-loader': join(RUNTIME, 'proto-loader.ts'),
  debug: join(RUNTIME, 'debug.cjs'),
  ssh2: join(RUNTIME, 'ssh2.cjs'),
  'wsl-utils': join(RUNTIME, 'wsl-utils.ts'),
}

/** Packages that oclif would use in development only. */
export const ABSENT = ['typescript', 'ts-node', 'tsx']

/** Packages that others require at their top and most commands of ours never use: evaluated at their first use instead. */
export const LAZY = ['semver', 'minimatch', 'tinyglobby', 'ejs', 'lilconfig', 'clean-stack', 'wordwrap', 'cli-spinners', 'ansi-escapes', 'supports-color', 'get-package-type', 'ansis', 'wrap-ansi', 'string-width', 'widest-line', 'indent-string']

/** Packages whose own modules load each other only when they are first used: most of what their index brings in is not. They must be compiled from ES modules. */
export const LAZY_INSIDE = ['@oclif/core']

/** The same for Node's own modules. */
export const LAZY_BUILTINS = ['child_process', 'crypto', 'dns', 'fs/promises', 'http', 'perf_hooks', 'readline', 'tls', 'tty', 'zlib']

/**
 * Edits of packages: how a file of theirs ends in its path, what is found there, and what is put in its place.
 * @type {readonly {file: string, find: string, replace: string, why: string}[]}
 */
export const EDITS = [
  {
    file: 'etcd3/lib/connection-pool.js',
    find: '`${__dirname}/../proto/rpc.proto`',
    replace: '"etcd3/rpc.proto"',
    why: 'the path of a file that is not in the package; runtime/proto-loader.ts knows the name',
  },
  {
    file: 'dockerode/lib/docker.js',
    find: "withSession = require('./session')",
    replace: 'withSession = undefined',
    why: 'gRPC for building images with BuildKit, which is not done here',
  },
  {
    file: 'dockerode/lib/buildkit.js',
    find: 'var protobuf = require("protobufjs");',
    replace: 'var protobuf;',
    why: 'the same',
  },
  {
    file: 'dockerode/lib/util.js',
    find: "var tar = require('tar-fs');",
    replace: 'var tar;',
    why: 'packing of the files of an image to build',
  },
  {
    file: '@oclif/core/lib/cache.js',
    find: 'require(\'@oclif/core/package.json\').version',
    replace: JSON.stringify(createRequire(import.meta.url)('@oclif/core/package.json').version),
    why: 'the whole package.json for its version',
  },
  {
    file: '@oclif/core/lib/command.js',
    find: "process.stdout.on('error', (err) => {\n    if (err && err.code === 'EPIPE')\n        return;\n    throw err;\n});",
    replace: '',
    why: 'bin/launch.js does that, and only once there is output: opening stdout costs 3 ms',
  },
  {
    file: '@oclif/core/lib/index.js',
    find: "process.stderr.write('WARNING: current directory does not exist\\n');",
    replace: '',
    why: 'no command needs it unless a relative path is given, which is told then',
  },
  ...['subchannel-address.js', 'load-balancer-pick-first.js'].map((file) => ({
    file: `@grpc/grpc-js/build/src/${file}`,
    find: '(0, net_1.isIPv6)(',
    replace: "((host) => host.includes(':') && (0, net_1.isIPv6)(host))(",
    why: 'the regular expression behind isIPv6 takes 3 ms to compile; an address of version 4 need not be asked',
  })),
  {
    file: '@grpc/grpc-js/build/src/channel-credentials.js',
    find: 'else {\n        connectionOptions.servername = remoteHost;',
    replace: 'else if (!/^[\\d.]+$|:/.test(remoteHost)) {\n        connectionOptions.servername = remoteHost;',
    why: 'an address is no name of a server (RFC 6066), and Node 26 refuses one; the certificate is still held to the host, which is set beside it',
  },
  {
    file: '@grpc/grpc-js/build/src/resolver-dns.js',
    find: 'this.alternativeResolver = new dns_1.promises.Resolver();',
    replace: 'let resolver; Object.defineProperty(this, "alternativeResolver", {get: () => resolver ??= new dns_1.promises.Resolver()});',
    why: 'it is made for every channel, also to an address, which takes 2 ms and reads /etc/resolv.conf; hardly any target uses it',
  },
]
