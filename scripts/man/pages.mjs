/** The pages of the manual, in parts that say nothing of their form. */

/**
 * @typedef {import('./describe.mjs').Row} Row
 * @typedef {{kind: 'text', text: string} | {kind: 'lines', lines: readonly string[]} | {kind: 'rows', rows: readonly Row[]} | {kind: 'heading', text: string}} Block `lines` are kept as they are
 * @typedef {{heading: string, blocks: readonly Block[]}} Section
 * @typedef {{name: string, section: 1 | 5 | 7 | 8, title: string, synopsis: readonly string[], sections: readonly Section[], see: readonly string[]}} Page SEE: other pages, as name(section)
 */

/** @param {string} value @returns {Block} */
const text = (value) => ({kind: 'text', text: value})
/** @param {readonly string[]} values @returns {Block} */
const lines = (values) => ({kind: 'lines', lines: values})
/** @param {readonly Row[]} values @returns {Block} */
const rows = (values) => ({kind: 'rows', rows: values})

/** What is read besides the settings of the datastore. @type {readonly Row[]} */
const OTHER_VARIABLES = [
  ['CALICO_NODENAME, NODENAME, HOSTNAME', 'The name of this host\'s node: the first of these variables that is set, else the name in /var/lib/calico/nodename (written by calico-node), else the host name. calico_mesos and the Docker driver read that file first.'],
  ['CALICOCTL_JOURNAL', 'The file of the journal of changes, for calicoctl-history(1) and calicoctl-undo(1), or off. The default is calicoctl/journal.jsonl below XDG_STATE_HOME.'],
  ['CALICO_CTL_CONTAINER', 'Set this in a container that runs calicoctl, so that the container is not taken for the host.'],
  ['CALICO_MESOS_LOG_FILE', 'The log file of calico_mesos.'],
  ['CALICO_MESOS_NETGROUP_PREFIX', 'A prefix that calico_mesos adds to the name of a net-group to get the name of its profile, for example ng_, as the plugins of 2015 did.'],
  ['CALICO_MESOS_IDEMPOTENT_CLEANUP', 'If true, calico_mesos reports success for the cleanup of a container that is already cleaned up.'],
  ['CALICO_LIBNETWORK_LABEL_ENDPOINTS, CALICO_LIBNETWORK_LABEL_POLL_TIMEOUT, CALICO_LIBNETWORK_VETH_MTU, CALICO_LIBNETWORK_IFPREFIX', 'For the driver of Docker networks: calicoctl-libnetwork(1).'],
  ['CALICO_NETWORKING, NO_DEFAULT_POOLS', 'Passed to calico-node by `calicoctl node`. NO_DEFAULT_POOLS=true: no default pools are created.'],
  ['DOCKER_HOST, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH', 'The Docker Engine to connect to, as for docker itself.'],
  ['XDG_STATE_HOME', 'The folder for data of a user: the embedded datastore and the journal of changes. The default is ~/.local/state.'],
  ['NO_COLOR', 'Use no colours, as with --no-color.'],
  ['FORCE_COLOR', 'Use colours even if the output is not a terminal, and despite NO_COLOR and TERM=dumb. 0: use no colours.'],
]

/**
 * All pages of PROGRAM.
 * @param {import('./describe.mjs').ProgramText} program
 * @returns {Page[]}
 */
export function manualPages(program) {
  const topics = new Map(/** @type {[string, import('./describe.mjs').CommandText[]][]} */ ([]))
  for (const command of program.commands) {
    const [word = ''] = command.id.split(':')
    topics.set(word, [...(topics.get(word) ?? []), command])
  }
  return [
    mainPage(program, topics),
    ...[...topics].map(([word, commands]) => topicPage(program, word, commands)),
    configurationPage(program),
    batchPage(),
    environmentPage(program),
    exitCodesPage(program),
    mesosPage(),
  ]
}

/** What TOPIC is about. @param {import('./describe.mjs').ProgramText} program @param {string} topic @param {readonly import('./describe.mjs').CommandText[]} commands */
export function topicTitle({topics}, topic, commands) {
  const title = topics[topic] ?? commands.find(({id}) => id === topic)?.summary
  if (title === undefined || title === '') throw new Error(`the topic ${topic} has no text: TOPICS in src/lib/cli/help.ts`)
  return title
}

/** @param {import('./describe.mjs').ProgramText} program @param {ReadonlyMap<string, readonly import('./describe.mjs').CommandText[]>} topics @returns {Page} */
function mainPage(program, topics) {
  return {
    name: 'calicoctl',
    section: 1,
    title: 'operator command line for Calico on Docker, Mesos and bare metal',
    synopsis: ['calicoctl <command> [<args>...]', 'calicoctl help [<command>]'],
    sections: [
      {heading: 'DESCRIPTION', blocks: [
        text('calicoctl manages Calico without Kubernetes: network policy, address pools, BGP, and calico-node on this host. It has the command line of calicoctl v0.20 and writes the v3 data model into etcd, which calico-node 3.30 and newer enforces.'),
        text('Data is printed on stdout; notes, warnings and errors are printed on stderr. Commands that change something accept --dry-run; commands that show something accept -o json.'),
        text('Kubernetes is out of scope: it has a CNI plugin and its own policies.'),
      ]},
      {heading: 'COMMANDS', blocks: [rows([...topics].map(([word, commands]) => /** @type {Row} */ ([`calicoctl ${word}`, topicTitle(program, word, commands)])))]},
      {heading: 'OPTIONS', blocks: [text('Options may stand anywhere on the line. All commands except completion, help and version accept these:'), rows(program.globalFlags)]},
      {heading: 'FILES', blocks: [rows([
        ['/etc/calico/calicoctl.cfg', 'The datastore and how to connect to it: calicoctl.cfg(5).'],
        ['~/.config/calicoctl/calicoctl.cfg', 'The same for one user; it takes precedence if it names a datastore. It is not read under sudo, nor by the driver and the plugin.'],
        ['/etc/calico/libnetwork.env', 'The variables of the driver for Docker networks; calicoctl node --libnetwork writes it.'],
        ['/var/lib/calico', 'State of calico-node, the driver and calicoctl on this host.'],
        ['~/.local/state/calicoctl', 'The journal of changes (calicoctl-history(1)), and the embedded store.'],
        ['/usr/share/doc/calicoctl', 'If calicoctl was installed from a package: README.md, and docs/ with first steps, Docker networks, Mesos, policy and operations.'],
      ])]},
      {heading: 'EXIT STATUS', blocks: [text('0 is success, also if nothing had to be changed; all other codes are failures: calicoctl-exit-codes(7).')]},
    ],
    see: [...[...topics.keys()].map((word) => `calicoctl-${word}(1)`), 'calicoctl.cfg(5)', 'calicoctl-batch(5)', 'calicoctl-environment(7)', 'calicoctl-exit-codes(7)', 'calico_mesos(8)'],
  }
}

/** @param {import('./describe.mjs').ProgramText} program @param {string} topic @param {readonly import('./describe.mjs').CommandText[]} commands @returns {Page} */
function topicPage(program, topic, commands) {
  const match = commands.find((command) => command.match !== undefined)?.match
  return {
    name: `calicoctl-${topic}`,
    section: 1,
    title: topicTitle(program, topic, commands),
    synopsis: commands.flatMap(({usage}) => usage),
    sections: [
      ...commands.map((command) => ({heading: commands.length === 1 ? 'DESCRIPTION' : command.id.replaceAll(':', ' ').toUpperCase(), blocks: commandBlocks(command, commands.length > 1)})),
      ...(match === undefined ? [] : [{heading: 'RULES', blocks: [text('A rule matches traffic that matches all of its parts:'), lines(match.split('\n'))]}]),
      ...(commands.some(({global}) => global) ? [{heading: 'GLOBAL OPTIONS', blocks: [rows(program.globalFlags)]}] : []),
    ],
    see: ['calicoctl(1)', 'calicoctl-exit-codes(7)', ...(topic === 'batch' ? ['calicoctl-batch(5)'] : []), ...(topic === 'mesos' ? ['calico_mesos(8)'] : []), ...(topic === 'config' ? ['calicoctl.cfg(5)'] : [])],
  }
}

/** @param {import('./describe.mjs').CommandText} command @param {boolean} several whether the page has others @returns {Block[]} */
export function commandBlocks({summary, usage, examples, description, args, flags, exitCodes}, several) {
  return [
    ...(several ? [lines(usage)] : []),
    text(summary),
    ...description.map(text),
    ...(args.length > 0 ? [/** @type {Block} */ ({kind: 'heading', text: 'Arguments'}), rows(args)] : []),
    ...(flags.length > 0 ? [/** @type {Block} */ ({kind: 'heading', text: 'Options'}), rows(flags)] : []),
    ...(examples.length > 0 ? [/** @type {Block} */ ({kind: 'heading', text: 'Examples'}), lines(examples)] : []),
    {kind: 'heading', text: 'Exit status'},
    rows(exitCodes),
  ]
}

/** @param {import('./describe.mjs').ProgramText} program @returns {Page} */
function configurationPage({settings}) {
  return {
    name: 'calicoctl.cfg',
    section: 5,
    title: 'settings of calicoctl on this host: the datastore',
    synopsis: ['/etc/calico/calicoctl.cfg'],
    sections: [
      {heading: 'DESCRIPTION', blocks: [
        text('The file is YAML or JSON, of the kind CalicoAPIConfig, which the calicoctl of Calico v3 also reads. Options override environment variables, which override this file. Endpoints, certificates and credentials are taken together, from the first of these sources that names endpoints. An unknown key is an error, which is reported with its position. A file that contains only comments has no effect.'),
        text('If the file contains a password or a key, only its owner should have read permission; calicoctl prints a warning if all users have it.'),
      ]},
      {heading: 'KEYS', blocks: [
        text('Below spec:'),
        rows(settings.filter(({keys}) => keys.length > 0).map(({name, keys, default: value}) => /** @type {Row} */ ([keys.join(', '), `${capital(name)}.${value === undefined ? '' : ` The default is ${value}.`}`]))),
        text('As an annotation, below metadata:'),
        rows(settings.flatMap(({name, annotation}) => (annotation === undefined ? [] : [/** @type {Row} */ ([annotation, `${capital(name)}.`])]))),
        text('Certificates and keys are given as paths (…File), or as the text itself.'),
      ]},
      {heading: 'EXAMPLE', blocks: [lines(['apiVersion: projectcalico.org/v3', 'kind: CalicoAPIConfig', 'metadata:', 'spec:', '  etcdEndpoints: https://10.0.0.1:2379,https://10.0.0.2:2379', '  etcdCACertFile: /etc/calico/certs/ca.pem', '  etcdCertFile: /etc/calico/certs/cert.pem', '  etcdKeyFile: /etc/calico/certs/key.pem'])]},
    ],
    see: ['calicoctl(1)', 'calicoctl-config(1)', 'calicoctl-environment(7)'],
  }
}

/** @returns {Page} */
function batchPage() {
  return {
    name: 'calicoctl-batch',
    section: 5,
    title: 'files of command lines for calicoctl batch',
    synopsis: ['calicoctl batch [<FILE>]'],
    sections: [
      {heading: 'DESCRIPTION', blocks: [
        text('Each line is a command line, with or without calicoctl in front. Words are separated by blanks. Inside single quotes, all characters are literal; inside double quotes, a backslash quotes $, `, ", \\ and the end of the line; elsewhere it quotes the next character, and at the end of a line it continues the line. A # at the beginning of a word starts a comment, which ends with the line. Empty lines are ignored. Lines may end with CR LF.'),
        text('Shell features are refused, with their position: outside quotes, patterns (* ? [), pipes, redirections, ; & and parentheses; and everywhere except in single quotes, variables and command substitution ($x, `x`).'),
        text('The options --datastore, --config, --expect-cluster and --timeout must be given to batch itself; they are refused on a line. All lines are read and checked before the first one runs.'),
      ]},
      {heading: 'EXAMPLE', blocks: [lines(['# Two groups, and who reaches whom', 'pool add 192.168.0.0/16 --nat-outgoing', 'profile add web', 'profile add db', 'profile db rule add inbound allow tcp \\', '    from tag web to ports 5432'])]},
    ],
    see: ['calicoctl-batch(1)', 'calicoctl-exit-codes(7)'],
  }
}

/** @param {import('./describe.mjs').ProgramText} program @returns {Page} */
function environmentPage({settings, variableNames}) {
  return {
    name: 'calicoctl-environment',
    section: 7,
    title: 'environment variables of calicoctl and calico_mesos',
    synopsis: [],
    sections: [
      {heading: 'THE DATASTORE', blocks: [
        text('They override calicoctl.cfg(5), and options override them. Each can also be given with the prefix CALICO_, which takes precedence. An empty variable counts as unset. `calicoctl config view` shows the settings in force and their origin.'),
        rows(settings.filter(({variables}) => variables.length > 0).map(({name, variables, default: value}) => /** @type {Row} */ ([variables.map((variable) => variableNames(variable).at(-1)).join(', '), `${capital(name)}.${value === undefined ? '' : ` The default is ${value}.`}`]))),
      ]},
      {heading: 'OTHERS', blocks: [rows(OTHER_VARIABLES)]},
    ],
    see: ['calicoctl(1)', 'calicoctl.cfg(5)'],
  }
}

/** @param {import('./describe.mjs').ProgramText} program @returns {Page} */
function exitCodesPage({exitCodes}) {
  return {
    name: 'calicoctl-exit-codes',
    section: 7,
    title: 'exit codes of calicoctl',
    synopsis: [],
    sections: [{heading: 'EXIT CODES', blocks: [
      text('0 is success; all other codes are failures. The page of each command describes its own codes.'),
      rows(exitCodes),
    ]}],
    see: ['calicoctl(1)'],
  }
}

/** @returns {Page} */
function mesosPage() {
  return {
    name: 'calico_mesos',
    section: 8,
    title: 'Calico plugin for net-modules of Mesos',
    synopsis: ['calico_mesos < REQUEST'],
    sections: [
      {heading: 'DESCRIPTION', blocks: [
        text('A Mesos agent with net-modules starts this program for each task that requests an address: it reads one JSON request from stdin, prints one JSON document, and exits. It is not meant to be run by hand. `calicoctl mesos config` configures an agent, and `calicoctl mesos check` checks the configuration.'),
        text('It uses the same environment variables as calicoctl to find the datastore, and calicoctl.cfg(5) if the agent does not pass them on.'),
      ]},
      {heading: 'EXIT STATUS', blocks: [rows([['0', 'Success.'], ['1', 'The request failed; the field error of the document contains the reason.']])]},
      {heading: 'EXAMPLE', blocks: [lines(['echo \'{}\' | calico_mesos'])]},
    ],
    see: ['calicoctl-mesos(1)', 'calicoctl.cfg(5)', 'calicoctl-environment(7)'],
  }
}

/** @param {string} name */
const capital = (name) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`
