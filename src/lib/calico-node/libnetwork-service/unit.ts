/** The driver as a systemd unit: its text, and the text of its file of variables. Pure. */
import {quoteForSystemd, quoteInUnit, type Variable} from '../container.js'
import {DRIVER_SOCKET, PLUGIN_FOLDER} from './plan.js'

export const DRIVER_UNIT_FILE = '/etc/systemd/system/calico-libnetwork.service'
/** The unit that a package of calicoctl brings; one of the same name in /etc stands for it. */
export const PACKAGED_UNIT_FILE = '/usr/lib/systemd/system/calico-libnetwork.service'
export const DRIVER_ENVIRONMENT_FILE = '/etc/calico/libnetwork.env'

/** What the unit runs. */
export interface DriverProgram {
  /** Node's own file. */
  readonly node: string
  /** bin/run.js of this installation. */
  readonly entry: string
  /** Of this installation: another one makes another unit, so that the driver is started anew after an upgrade. */
  readonly version: string
}

/** Runs WORDS in the shell; `$` is the shell's, not systemd's. */
const shell = (words: string): string => `/bin/sh -c '${words.replaceAll('$', '$$$$')}'`

/**
 * The unit. It is there before Docker, which asks for its drivers when it restores its networks, and ends after it; so nothing in it may wait for Docker
 * or for etcd (operator-demand §1, row 16). The folder of the sockets is gone after each boot.
 */
export function driverUnit({node, entry, version}: DriverProgram): string {
  return [
    '[Unit]',
    `Description=Calico networks for Docker (calicoctl ${version})`,
    'Before=docker.service',
    'After=network-online.target',
    'Wants=network-online.target',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    `EnvironmentFile=${DRIVER_ENVIRONMENT_FILE}`,
    `ExecStartPre=+${shell(`umask 022; exec mkdir -p ${PLUGIN_FOLDER} /var/lib/calico`)}`,
    `ExecStart=${[node, entry, 'libnetwork', 'serve'].map(quoteInUnit).join(' ')}`,
    `ExecStartPost=${shell(`i=0; until [ -S ${DRIVER_SOCKET} ]; do i=$((i+1)); [ $i -le 100 ] || exit 1; sleep 0.1; done`)}`,
    'TimeoutStartSec=30',
    'TimeoutStopSec=20',
    'Restart=always',
    'RestartSec=2',
    // What it does: links of this host (NET_ADMIN, SYS_ADMIN and SYS_PTRACE to look into the namespaces of containers' processes), the two sockets, its
    // notes in /var/lib/calico, and talking to etcd and Docker. Certificates, Node and calicoctl may be anybody's files, anywhere.
    'CapabilityBoundingSet=CAP_NET_ADMIN CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_CHOWN CAP_FOWNER',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    `ReadWritePaths=-${PLUGIN_FOLDER} -/var/lib/calico`,
    'ProtectHome=read-only',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'RestrictRealtime=yes',
    'LockPersonality=yes',
    'SystemCallArchitectures=native',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n')
}

/** The file of VARIABLES; without SECRETS for those who print it. */
export function driverEnvironmentFile(variables: readonly Variable[], {secrets}: {secrets: boolean}): string {
  return variables.map(({name, value, secret}) => (secret && !secrets ? `# ${name} is not shown\n` : `${name}=${quoteForSystemd(value)}\n`)).join('')
}
