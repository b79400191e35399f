/** The network of this host: forwarding, reverse path filter, connection table, MTU, and who else manages it. */
import {workloadMtu} from '../host/mtu.js'
import {type PreparationStep, prepareHost} from '../host/preparation.js'
import {type Check, ok, skipped, type Sources, verdict, wrong} from './check.js'
import type {Files} from './files.js'
import {processNames} from './processes.js'

/** The steps with which `node` would prepare this host, of those settings whose path contains WORD; nothing is done. */
const preparation =
  (word: string) =>
  async ({files}: Sources): Promise<readonly PreparationStep[]> => {
    const steps = await prepareHost({dryRun: true, sysctls: `${files.root}/proc/sys`, loadModules: () => Promise.resolve()})
    return steps.filter(({what}) => what.includes(word))
  }

/** STEPS with `done` are those that `node` would have to do. */
function judgePreparation(steps: readonly PreparationStep[], good: string) {
  if (steps.length === 0) return skipped('this kernel does not have the setting')
  return verdict(
    steps.filter(({result}) => result !== 'already').map(({what, result, why = ''}) => (result === 'failed' ? `${what} cannot be set: ${why}` : `not set: ${what}`)),
    good,
  )
}

/** A host on which `node` has not run yet is not wrong: it is not required. */
export const forwarding: Check<readonly PreparationStep[]> = {
  name: 'forwarding',
  required: false,
  gather: preparation('forward'),
  judge: (steps) => judgePreparation(steps, 'IP forwarding is on'),
  remedy: 'calicoctl node enables it; check that no file in /etc/sysctl.d disables it.',
}

export const conntrack: Check<readonly PreparationStep[]> = {
  name: 'conntrack',
  required: false,
  gather: preparation('conntrack'),
  judge: (steps) => judgePreparation(steps, 'the connection table has at least 1000000 entries'),
  remedy: 'calicoctl node increases it if it can; to make this permanent: sysctl -w net.netfilter.nf_conntrack_max=1000000 and a file in /etc/sysctl.d.',
}

const LOOSE = 2

/** The kernel takes the higher of `all` and the interface's own value: a loose `all` takes the strict filter from Calico's interfaces. */
export const rpFilter: Check<string | undefined> = {
  name: 'rp-filter',
  required: false,
  gather: ({files}) => files.read('/proc/sys/net/ipv4/conf/all/rp_filter')?.trim(),
  judge(value) {
    if (value === undefined) return skipped('this kernel does not have the setting')
    return Number(value) === LOOSE ? wrong('net.ipv4.conf.all.rp_filter is 2 (loose): workloads can use source addresses of others') : ok(`net.ipv4.conf.all.rp_filter is ${value}`)
  },
  remedy: 'Set it to 1: sysctl -w net.ipv4.conf.all.rp_filter=1 and a file in /etc/sysctl.d.',
}

export interface MtuFacts {
  /** The interface of the default route and its MTU. */
  readonly uplink: string | undefined
  readonly mtu: number | undefined
  /** What Felix found for workloads. */
  readonly workloads: number | undefined
}

const LEAST_IPV6 = 1280
/** Bytes that a tunnel takes of each packet. */
const OVERHEAD = {IPIP: 20, VXLAN: 50} as const

export const mtu: Check<MtuFacts> = {
  name: 'mtu',
  required: false,
  gather({files}) {
    const uplink = defaultInterface(files.read('/proc/net/route') ?? '')
    const text = uplink === undefined ? undefined : files.read(`/sys/class/net/${uplink}/mtu`)
    return {uplink, mtu: text === undefined ? undefined : Number(text), workloads: workloadMtu(`${files.root}/var/lib/calico/mtu`)}
  },
  judge({uplink, mtu: found, workloads}) {
    if (uplink === undefined || found === undefined || Number.isNaN(found)) return skipped('there is no IPv4 default route')
    const tunnelled = Object.entries(OVERHEAD).map(([name, bytes]) => `${found - bytes} with ${name}`).join(', ')
    if (found - OVERHEAD.VXLAN < LEAST_IPV6) return wrong(`${uplink} has an MTU of ${found}, too small for IPv6 in a tunnel (${tunnelled})`)
    if (workloads !== undefined && workloads > found) return wrong(`workloads get an MTU of ${workloads}, but ${uplink} has ${found}`)
    return ok(`${uplink} has ${found}; workloads ${workloads === undefined ? `can have ${found}, ${tunnelled}` : `get ${workloads}`}`)
  },
  remedy: 'Raise the MTU of the uplink. Felix finds the one of workloads when it starts: docker restart calico-node.',
}

/** The interface of the default route with the lowest metric in TABLE, the text of /proc/net/route. */
export function defaultInterface(table: string): string | undefined {
  const routes = table.split('\n').slice(1).flatMap((line) => {
    const [name = '', destination, , , , , metric, mask] = line.split('\t').map((field) => field.trim())
    return destination === '00000000' && mask === '00000000' ? [{name, metric: Number(metric)}] : []
  })
  return routes.toSorted((a, b) => a.metric - b.metric)[0]?.name
}

export interface FirewallFacts {
  readonly processes: readonly string[]
  /** /etc/ufw/ufw.conf */
  readonly ufw: string | undefined
}

export const firewall: Check<FirewallFacts> = {
  name: 'firewall',
  required: false,
  gather: ({files}) => ({processes: processNames(files), ufw: files.read('/etc/ufw/ufw.conf')}),
  judge: ({processes, ufw = ''}) =>
    verdict(
      [...(processes.includes('firewalld') ? ['firewalld is running'] : []), ...(/^\s*ENABLED\s*=\s*"?yes/im.test(ufw) ? ['ufw is enabled'] : [])].map((text) => `${text}: it may drop Calico's traffic, and removes Felix's rules when it reloads`),
      'neither firewalld nor ufw is active',
    ),
  remedy: 'Disable it (systemctl disable --now firewalld; ufw disable), or allow TCP 179, IP protocol 4 for IPIP, and UDP 4789 for VXLAN.',
}

export interface NetworkManagerFacts {
  readonly running: boolean
  /** All its configuration files. */
  readonly config: string
}

const CONFIG_FOLDERS = ['/etc/NetworkManager/conf.d', '/run/NetworkManager/conf.d', '/usr/lib/NetworkManager/conf.d']

export const networkManager: Check<NetworkManagerFacts> = {
  name: 'network-manager',
  required: false,
  gather: ({files}) => ({running: processNames(files).includes('NetworkManager'), config: networkManagerConfig(files)}),
  judge({running, config}) {
    if (!running) return ok('NetworkManager is not running')
    const unmanaged = config.split('\n').some((line) => /^\s*unmanaged-devices\+?\s*=.*interface-name:cali\*/.test(line))
    return unmanaged ? ok('NetworkManager ignores cali*') : wrong('NetworkManager is running and manages cali*')
  },
  remedy: 'Add to /etc/NetworkManager/conf.d/calico.conf a section [keyfile] with unmanaged-devices=interface-name:cali*;interface-name:tunl*;interface-name:vxlan.calico, then: systemctl reload NetworkManager',
}

const networkManagerConfig = (files: Files): string =>
  ['/etc/NetworkManager/NetworkManager.conf', ...CONFIG_FOLDERS.flatMap((folder) => files.list(folder).filter((name) => name.endsWith('.conf')).map((name) => `${folder}/${name}`))]
    .map((path) => files.read(path) ?? '')
    .join('\n')
