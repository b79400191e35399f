/** What `mesos check` can find wrong with an agent's set-up: how grave it is, why it matters, what to do, and which guides ask for it (mesos-docker §5). Pure. */
import {PERMISSION_DENIED} from './files.js'

/** `note`: said, and not counted as a problem. */
export type Severity = 'error' | 'warning' | 'note'

export interface FindingClass {
  readonly severity: Severity
  /** Sections of mesos-docker.md §5, which goes through the guides. */
  readonly guides: readonly string[]
  /** Why it matters: a sentence. */
  readonly why: string
  /** What to do: a sentence. */
  readonly remedy: string
}

const UNIFIED = ['5.5', '5.6', '5.13']
const CONFIGURE = 'Run: calicoctl mesos config --style rpm|manual|dcos'

const error = (guides: readonly string[], why: string, remedy: string): FindingClass => ({severity: 'error', guides, why, remedy})
const warning = (guides: readonly string[], why: string, remedy: string): FindingClass => ({severity: 'warning', guides, why, remedy})
const note = (guides: readonly string[], why: string, remedy: string): FindingClass => ({severity: 'note', guides, why, remedy})

/** By id. */
export const FINDING_CLASSES = {
  'no-setup': error(UNIFIED, 'Tasks of this agent get the host\'s network.', CONFIGURE),
  unreadable: warning(UNIFIED, 'The contents of the file could not be checked.', 'Run the check as a user who can read it: sudo -E calicoctl mesos check'),
  'line-ends': warning(UNIFIED, 'The shell that starts the agent treats the carriage return as part of the value.', 'Remove them: sed -i \'s/\\r$//\' FILE'),

  'modules-flag-missing': error(UNIFIED, 'The agent loads no modules, and does not start with an isolator that it does not know.', CONFIGURE),
  'modules-flag-form': error(UNIFIED, 'The agent accepts a JSON document or file:///PATH, and does not start with any other value.', 'Write file:///PATH.'),
  'modules-folder': error(UNIFIED, 'Mesos does not start with both modules and modules_dir.', 'Remove one of them.'),
  'modules-file-missing': error(UNIFIED, 'The agent does not start.', CONFIGURE),
  'modules-json-invalid': error(UNIFIED, 'The agent does not start.', 'Correct that line, or remove the file and run: calicoctl mesos config --style rpm|manual|dcos'),
  'modules-json-comment': error(UNIFIED, 'JSON has no comments: the agent does not start.', 'Remove it, or run: calicoctl mesos config --style rpm|manual|dcos'),
  'modules-json-shape': error(UNIFIED, 'The agent does not start, or ignores the library.', 'Correct the file, or remove it and run: calicoctl mesos config --style rpm|manual|dcos'),
  'library-missing': error(UNIFIED, 'The agent does not start.', 'Install net-modules for this version of Mesos, or set its library: calicoctl mesos config --library PATH'),
  'library-path': warning(UNIFIED, 'The library of another installation method may have a different version.', 'Set the right one: calicoctl mesos config --library PATH'),
  'library-version': error(['5.5', '5.13'], 'Mesos loads only modules that were built for its own version.', 'Install net-modules for this version of Mesos.'),
  'module-missing': error(UNIFIED, 'The isolator and the hook of net-modules work only together.', CONFIGURE),
  'module-name': error(UNIFIED, 'The library has no module of this name: the agent does not start.', 'Correct the name.'),
  'module-twice': warning(UNIFIED, 'Mesos loads a module of one name once; it is undefined which one.', 'Remove one of them.'),
  'old-generation': error(UNIFIED, 'Names and parameters of net-modules of July 2015 (Mesos 0.23), which called the plugin differently.', 'Remove them, and install the current net-modules.'),
  'command-missing': error(UNIFIED, 'The isolator requires both commands: the agent does not start.', CONFIGURE),
  'commands-differ': warning(UNIFIED, 'One program assigns addresses and connects containers; two versions of it may be incompatible.', 'Use the same program for both commands: calicoctl mesos config --plugin PATH'),
  'plugin-missing': error(UNIFIED, 'The agent starts anyway: the module disables itself, and tasks get the host\'s network with only a warning in the log.', 'Link it: ln -s "$(command -v calico_mesos)" PATH; or set its path: calicoctl mesos config --plugin PATH'),
  'plugin-not-executable': error(UNIFIED, 'No task with an address starts.', 'Make it executable: chmod 755 PATH'),
  'plugin-old': error(['5.6', '5.13'], 'The plugin of 2016 writes to etcd\'s old API, which current Calico versions do not read.', 'Use the program calico_mesos that comes with calicoctl.'),
  'plugin-silent': error(['5.6', '5.9'], 'No task with an address starts.', 'Run it by hand: echo \'{}\' | calico_mesos'),

  'isolation-missing': error(UNIFIED, 'Tasks get the host\'s network.', CONFIGURE),
  'hooks-missing': error(UNIFIED, 'The plugin does not get the agent\'s host name, and Marathon and Mesos-DNS do not get the tasks\' addresses.', CONFIGURE),
  'flag-name': error(UNIFIED, 'The agent does not start with a name that none of its modules has.', 'Correct the name.'),
  'flags-differ': warning(UNIFIED, 'The file of the flag overrides the environment.', 'Set it in one place only.'),
  'containerizers-mesos': error(['5.6', '5.7', '5.9'], 'net-modules works with the containers of Mesos itself; without that containerizer, it is not used for any task.', 'Add mesos to the flag containerizers, as in: mesos,docker'),
  'containerizers-docker': note(['5.7', '5.8'], 'Tasks with a Docker network need the Docker containerizer.', 'If there are such tasks, add docker to the flag containerizers.'),
  'docker-driver': warning(['5.7', '5.8'], 'Tasks with a Docker network of Calico\'s do not start.', 'Start the driver: calicoctl node --libnetwork'),
  'master-missing': warning(['5.5'], 'The agent does not know where ZooKeeper is.', 'Set it in /etc/mesos/zk: zk://HOST:2181/mesos'),
  'zookeeper-port': warning(['5.1', '5.2', '5.5'], 'ZooKeeper listens on 2181; 8080 is Marathon\'s (a guide has it wrong).', 'Use zk://HOST:2181/mesos'),

  'zookeeper-away': warning(['5.1', '5.2'], 'The agent finds its master there.', 'Start ZooKeeper; open its port (2181) in the firewall.'),

  'etcd-missing': warning(['5.5', '5.6', '5.8', '5.13'], 'The plugin uses etcd on this host, 127.0.0.1:2379.', CONFIGURE),
  'etcd-invalid': error(['5.4', '5.5', '5.6'], 'The plugin refuses every request.', 'Correct it, or run: calicoctl mesos config --style rpm|manual|dcos'),
  'etcd-ca-name': error(['5.4'], 'ETCD_CA_FILE, as written in old guides, is not read: the plugin cannot connect to etcd with TLS.', 'Use ETCD_CA_CERT_FILE instead.'),
  'etcd-https-ip': warning(['5.4', '5.6'], 'The certificate of etcd must contain the address, which is rare.', 'Use the host name of etcd.'),
  'etcd-port': warning(['5.2', '5.6', '5.8'], 'etcd does not listen on port 4001 by default since 2015; old guides still use it.', 'Use port 2379.'),
  'etcd-differs': error(['5.4', '5.5', '5.6', '5.13'], 'The plugin and calicoctl use different datastores.', 'To use the same one: calicoctl mesos config --style rpm|manual|dcos'),
  'password-exposed': warning(['5.4', '5.5'], 'All users of this host can read the password of etcd.', 'Remove this permission: chmod o-r FILE'),

  'host-name': warning(['5.1', '5.12', '5.13'], 'Mesos and Calico use different names for this host: profiles named after it (default_NAME) and the endpoints do not match.', 'Set the agent\'s name to the node\'s with --hostname (/etc/mesos-slave/hostname), or the node\'s name to the agent\'s with NODENAME.'),
  'node-missing': error(['5.1', '5.6'], 'calico-node has not been started on this host with this name: containers are not connected.', 'Run: calicoctl node'),
  'node-address-taken': error(['5.1'], 'Two hosts with one address get each other\'s traffic.', 'Give each host its own address: calicoctl node --ip=IP. To remove the node of a decommissioned host: calicoctl node remove --hostname=NAME'),
  'node-name-taken': error(['5.1'], 'Another host has registered under this host\'s name.', 'Give each host its own name with NODENAME.'),
  'no-pool': error(['5.9'], 'No task gets an address.', 'Add a pool: calicoctl pool add CIDR'),
  'stale-endpoints': warning(['5.9'], 'An agent that restarts does not clean up its containers; their addresses stay assigned.', 'To see them: calicoctl mesos gc'),
  'not-compared': note(['5.1', '5.2'], 'The datastore does not answer.', 'Run the check again when it does.'),
  'not-asked': note(['5.3', '5.7'], 'The Docker Engine does not answer.', 'Run the check again when it does.'),
  'calico-node-down': error(['5.4', '5.5', '5.6', '5.7'], 'Nothing programs routes and policy for the containers of this host.', 'Run: calicoctl node'),
  'agent-port': error(['5.1'], 'Executors in containers connect to the agent on its port.', 'Stop the other program, or give the agent another port.'),
  'mesos-dns': error(['5.13'], 'Mesos-DNS answers with the host\'s address instead of the task\'s.', 'Move netinfo to the first position in IPSources, then restart Mesos-DNS; on DC/OS: calicoctl mesos config --style dcos'),
  'cluster-store': warning(['5.3', '5.13'], 'Docker 23.0 and newer have no cluster store and do not start with this option; calicoctl\'s driver does not need one.', 'Remove it.'),
  'mesos-cni': warning(['5.6', '5.13'], 'net-modules ended with Mesos 1.0, which has CNI.', 'Use Calico\'s CNI plugin with this Mesos version.'),
} as const satisfies Record<string, FindingClass>

export type FindingId = keyof typeof FINDING_CLASSES

export interface Finding extends FindingClass {
  readonly id: FindingId
  /** The file that says it; '' if none does. */
  readonly file: string
  /** What was found: a sentence without a full stop. */
  readonly what: string
}

/** A finding in its class; REMEDY where it can be determined more exactly. */
export const finding = (id: FindingId, file: string, what: string, {remedy, severity}: {remedy?: string; severity?: Severity} = {}): Finding => {
  const known = FINDING_CLASSES[id]
  return {...known, id, file, what, ...(remedy !== undefined && {remedy}), ...(severity !== undefined && {severity})}
}

/** That a file cannot be read, and WHY: the end of a sentence. Only for a permission is another user the remedy. */
export const unreadable = (path: string, why: string): Finding => finding('unreadable', path, `The file cannot be read: ${why}`, why === PERMISSION_DENIED ? {} : {remedy: 'Correct the file.'})
