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
  unreadable: warning(UNIFIED, 'What the file says could not be checked.', 'Run the check as a user who may read it: sudo -E calicoctl mesos check'),
  'line-ends': warning(UNIFIED, 'The shell that starts the agent takes the carriage return for a part of the value.', 'Take them away: sed -i \'s/\\r$//\' FILE'),

  'modules-flag-missing': error(UNIFIED, 'The agent loads no modules, and does not start with an isolator that it does not know.', CONFIGURE),
  'modules-flag-form': error(UNIFIED, 'The agent takes a JSON document or file:///PATH, and does not start with anything else.', 'Write file:///PATH.'),
  'modules-folder': error(UNIFIED, 'Mesos does not start with both modules and modules_dir.', 'Take one of them away.'),
  'modules-file-missing': error(UNIFIED, 'The agent does not start.', CONFIGURE),
  'modules-json-invalid': error(UNIFIED, 'The agent does not start.', 'Correct that line, or move the file away and run: calicoctl mesos config --style rpm|manual|dcos'),
  'modules-json-comment': error(UNIFIED, 'JSON has no comments: the agent does not start.', 'Take it out, or let it be done by: calicoctl mesos config --style rpm|manual|dcos'),
  'modules-json-shape': error(UNIFIED, 'The agent does not start, or passes over the library.', 'Correct the file, or move it away and run: calicoctl mesos config --style rpm|manual|dcos'),
  'library-missing': error(UNIFIED, 'The agent does not start.', 'Install net-modules for this version of Mesos, or name its library with: calicoctl mesos config --library PATH'),
  'library-path': warning(UNIFIED, 'The library of another way to install is easily of another version.', 'Name the right one with: calicoctl mesos config --library PATH'),
  'library-version': error(['5.5', '5.13'], 'A module is loaded by the very Mesos that it was built for, and by no other.', 'Install net-modules for this version of Mesos.'),
  'module-missing': error(UNIFIED, 'The isolator and the hook of net-modules work only together.', CONFIGURE),
  'module-name': error(UNIFIED, 'The library has no module of this name: the agent does not start.', 'Correct the name.'),
  'module-twice': warning(UNIFIED, 'Mesos loads a module of one name once; which one counts cannot be seen.', 'Take one of them away.'),
  'old-generation': error(UNIFIED, 'Names and parameters of net-modules of July 2015 (Mesos 0.23), which called the plugin otherwise.', 'Take them away, and install today\'s net-modules.'),
  'command-missing': error(UNIFIED, 'The isolator insists on both commands: the agent does not start.', CONFIGURE),
  'commands-differ': warning(UNIFIED, 'One program gives addresses and connects containers; two versions of it may not agree.', 'Give both commands the same program: calicoctl mesos config --plugin PATH'),
  'plugin-missing': error(UNIFIED, 'The agent starts all the same: the module switches itself off, and tasks get the host\'s network with only a warning in the log.', 'Link it there: ln -s "$(command -v calico_mesos)" PATH; or name it with: calicoctl mesos config --plugin PATH'),
  'plugin-not-executable': error(UNIFIED, 'No task with an address starts.', 'Make it executable: chmod 755 PATH'),
  'plugin-old': error(['5.6', '5.13'], 'The plugin of 2016 writes to etcd\'s old API, which today\'s Calico does not read.', 'Use the program calico_mesos that comes with calicoctl.'),
  'plugin-silent': error(['5.6', '5.9'], 'No task with an address starts.', 'Run it by hand: echo \'{}\' | calico_mesos'),

  'isolation-missing': error(UNIFIED, 'Tasks get the host\'s network.', CONFIGURE),
  'hooks-missing': error(UNIFIED, 'The plugin is not told of the agent\'s host name, and Marathon and Mesos-DNS are not told of the tasks\' addresses.', CONFIGURE),
  'flag-name': error(UNIFIED, 'The agent does not start with a name that none of its modules has.', 'Correct the name.'),
  'flags-differ': warning(UNIFIED, 'What the file of the flag says goes before the environment.', 'Say it in one place.'),
  'containerizers-mesos': error(['5.6', '5.7', '5.9'], 'net-modules works with the containers of Mesos itself; without that containerizer no task gets there.', 'Add mesos to the flag containerizers, as in: mesos,docker'),
  'containerizers-docker': note(['5.7', '5.8'], 'Tasks with a Docker network need the Docker containerizer.', 'If there are such tasks, add docker to the flag containerizers.'),
  'docker-driver': warning(['5.7', '5.8'], 'Tasks with a Docker network of Calico\'s do not start.', 'Start the driver: calicoctl node --libnetwork'),
  'master-missing': warning(['5.5'], 'The agent does not know where ZooKeeper is.', 'Name it in /etc/mesos/zk: zk://HOST:2181/mesos'),
  'zookeeper-port': warning(['5.1', '5.2', '5.5'], 'ZooKeeper listens on 2181; 8080 is Marathon\'s (a guide has it wrong).', 'Write zk://HOST:2181/mesos'),

  'zookeeper-away': warning(['5.1', '5.2'], 'The agent finds its master there.', 'Start ZooKeeper; open its port (2181) in the firewall.'),

  'etcd-missing': warning(['5.5', '5.6', '5.8', '5.13'], 'The plugin asks etcd on this very host, 127.0.0.1:2379.', CONFIGURE),
  'etcd-invalid': error(['5.4', '5.5', '5.6'], 'The plugin refuses every request.', 'Correct it, or run: calicoctl mesos config --style rpm|manual|dcos'),
  'etcd-ca-name': error(['5.4'], 'Nothing reads ETCD_CA_FILE, which the guides write: etcd with TLS is not reached.', 'Call it ETCD_CA_CERT_FILE.'),
  'etcd-https-ip': warning(['5.4', '5.6'], 'The certificate of etcd must name the address, which few do.', 'Name etcd by its host name.'),
  'etcd-port': warning(['5.2', '5.6', '5.8'], 'etcd has not listened on 4001 by itself since 2015; the guides were never mended.', 'Use port 2379.'),
  'etcd-differs': error(['5.4', '5.5', '5.6', '5.13'], 'The plugin writes into another datastore than the one that calicoctl works on.', 'Make them agree with: calicoctl mesos config --style rpm|manual|dcos'),
  'password-exposed': warning(['5.4', '5.5'], 'Everybody on this host can read the password of etcd.', 'Take the right away: chmod o-r FILE'),

  'host-name': warning(['5.1', '5.12', '5.13'], 'Mesos and Calico call this host by two names: profiles named after it (default_NAME) and the endpoints do not match.', 'Give the agent the Node\'s name with --hostname (/etc/mesos-slave/hostname), or the node the agent\'s with NODENAME.'),
  'node-missing': error(['5.1', '5.6'], 'calico-node has not started on this host under that name: nothing connects containers.', 'Run: calicoctl node'),
  'node-address-taken': error(['5.1'], 'Two hosts with one address get each other\'s traffic.', 'Give each host an address of its own: calicoctl node --ip=IP. The node of a host that is gone: calicoctl node remove --hostname=NAME'),
  'node-name-taken': error(['5.1'], 'Another host has registered under this host\'s name.', 'Give each host a name of its own with NODENAME.'),
  'no-pool': error(['5.9'], 'No task gets an address.', 'Add a pool: calicoctl pool add CIDR'),
  'stale-endpoints': warning(['5.9'], 'An agent that restarts forgets its containers; their addresses stay taken.', 'See them with: calicoctl mesos gc'),
  'not-compared': note(['5.1', '5.2'], 'The datastore does not answer.', 'Run the check again when it does.'),
  'not-asked': note(['5.3', '5.7'], 'The Docker Engine does not answer.', 'Run the check again when it does.'),
  'calico-node-down': error(['5.4', '5.5', '5.6', '5.7'], 'Nothing programs routes and policy for the containers of this host.', 'Run: calicoctl node'),
  'agent-port': error(['5.1'], 'Executors in containers reach the agent on its port.', 'Stop the other program, or give the agent another port.'),
  'mesos-dns': error(['5.13'], 'Mesos-DNS answers with the host\'s address instead of the task\'s.', 'Put netinfo first in IPSources, then restart Mesos-DNS; on DC/OS: calicoctl mesos config --style dcos'),
  'cluster-store': warning(['5.3', '5.13'], 'Docker has no cluster store since 23.0 and does not start with the option; calicoctl\'s driver needs none.', 'Take it away.'),
  'mesos-cni': warning(['5.6', '5.13'], 'net-modules ended with Mesos 1.0, which has CNI.', 'Use Calico\'s CNI plugin with this Mesos.'),
} as const satisfies Record<string, FindingClass>

export type FindingId = keyof typeof FINDING_CLASSES

export interface Finding extends FindingClass {
  readonly id: FindingId
  /** The file that says it; '' if none does. */
  readonly file: string
  /** What was found: a sentence without a full stop. */
  readonly what: string
}

/** A finding in its class; REMEDY where it can be told more exactly. */
export const finding = (id: FindingId, file: string, what: string, {remedy, severity}: {remedy?: string; severity?: Severity} = {}): Finding => {
  const known = FINDING_CLASSES[id]
  return {...known, id, file, what, ...(remedy !== undefined && {remedy}), ...(severity !== undefined && {severity})}
}

/** That a file cannot be read, and WHY: the end of a sentence. Only for a permission is another user the remedy. */
export const unreadable = (path: string, why: string): Finding => finding('unreadable', path, `The file cannot be read: ${why}`, why === PERMISSION_DENIED ? {} : {remedy: 'Correct the file.'})
