/** Lanes: what uses the machine's interfaces, its bridge or its Docker Engine runs in namespaces of its own, so that several such test files can run at a time. */
import {spawnSync} from 'node:child_process'

/** Its own network, with an address and a default route as a machine has; /sys shows its interfaces. */
const SETUP = `
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/sys
mount -t sysfs sysfs /mnt/sys
mount --rbind /sys/fs/cgroup /mnt/sys/fs/cgroup
mount --move /mnt/sys /sys
umount /mnt
ip link set lo up
ip link add eth0 type veth peer name uplink
ip addr add 192.0.2.2/24 dev eth0
ip link set eth0 up
ip link set uplink up
ip route add default via 192.0.2.1
exec "$@"
`
const UNSHARE = ['--net', '--mount', '--propagation', 'private']

/** Whether this process may make namespaces; if not, there is one lane, the machine itself. */
export function mayMakeLanes() {
  return process.geteuid?.() === 0 && spawnSync('unshare', [...UNSHARE, 'true']).status === 0
}

/**
 * COMMAND in namespaces of its own.
 * @param {readonly string[]} command
 * @returns {[string, ...string[]]}
 */
export const inLane = (command) => ['unshare', ...UNSHARE, 'sh', '-c', SETUP, 'lane', ...command]
