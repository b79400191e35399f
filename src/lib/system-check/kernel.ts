/** The kernel: its version, and the modules that Felix works with (datamodel-v3 §5.8, §6.1; cli-v0.20 §4.9). */
import {type Check, ok, verdict, type Verdict, wrong} from './check.js'
import type {Files} from './files.js'

/** Felix' own least version; v0.20 was content with 2.6.24. */
const OLDEST = [3, 10]

/** Two to four numbers, then anything that does not begin with a digit: `5.10.0-23-amd64`. */
const RELEASE = /^(\d+(?:\.\d+){1,3})(?:\D.*)?$/

/** Compares versions part by part; a missing part is 0. */
export function compareVersions(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

const releaseOf = (files: Files): string => files.read('/proc/sys/kernel/osrelease')?.trim() ?? ''

export const kernel: Check<string> = {
  name: 'kernel',
  required: true,
  gather: ({files}) => releaseOf(files),
  judge(release) {
    const numbers = RELEASE.exec(release)?.[1]
    if (numbers === undefined) return wrong(`the kernel's release '${release}' is not understood`)
    const enough = compareVersions(numbers.split('.').map(Number), OLDEST) >= 0
    return enough ? ok(`Linux ${release}`) : wrong(`Linux ${release} is older than ${OLDEST.join('.')}`)
  },
  remedy: 'Install a kernel of version 3.10 or newer.',
}

interface Module {
  readonly name: string
  /** Modules that do the same. */
  readonly or?: readonly string[]
  /** Options of the kernel's configuration; any of them brings it. */
  readonly config: readonly string[]
  /** What does not work without it. */
  readonly use?: string
}

/** Felix writes rules with all of these on every host. ICMP was part of ip_tables, and is of xt_tcpudp since Linux 6.4. */
const REQUIRED: readonly Module[] = [
  {name: 'ip_tables', or: ['nf_tables'], config: ['IP_NF_IPTABLES', 'IP_NF_IPTABLES_LEGACY', 'NF_TABLES']},
  {name: 'ip_set', config: ['IP_SET']},
  {name: 'xt_set', config: ['NETFILTER_XT_SET']},
  {name: 'xt_mark', config: ['NETFILTER_XT_MARK', 'NETFILTER_XT_MATCH_MARK', 'IP_NF_TARGET_MARK']},
  {name: 'xt_conntrack', config: ['NETFILTER_XT_MATCH_CONNTRACK']},
  {name: 'xt_multiport', config: ['NETFILTER_XT_MATCH_MULTIPORT', 'IP_NF_MATCH_MULTIPORT']},
  {name: 'xt_addrtype', config: ['NETFILTER_XT_MATCH_ADDRTYPE']},
  {name: 'xt_comment', config: ['NETFILTER_XT_MATCH_COMMENT']},
  {name: 'xt_icmp', or: ['ip_tables', 'xt_tcpudp'], config: ['IP_NF_IPTABLES', 'NETFILTER_XTABLES']},
  {name: 'ipt_rpfilter', or: ['xt_rpfilter'], config: ['IP_NF_MATCH_RPFILTER']},
  {name: 'ipt_REJECT', or: ['nft_reject'], config: ['IP_NF_TARGET_REJECT', 'NFT_REJECT']},
  {name: 'nf_conntrack', config: ['NF_CONNTRACK']},
  {name: 'nf_conntrack_netlink', config: ['NF_CT_NETLINK']},
  {name: 'veth', config: ['VETH']},
]

/** Without Kubernetes nothing uses ipt_ipvs and vfio-pci, which the Go calicoctl asks for as well. */
const FOR_FEATURES: readonly Module[] = [
  {name: 'ip6_tables', config: ['IP6_NF_IPTABLES', 'IP6_NF_IPTABLES_LEGACY'], use: 'IPv6'},
  {name: 'xt_icmp6', or: ['ip6_tables', 'xt_tcpudp'], config: ['IP6_NF_IPTABLES', 'NETFILTER_XTABLES'], use: 'ICMPv6 rules'},
  {name: 'ipip', config: ['NET_IPIP'], use: 'pools with IPIP'},
  {name: 'vxlan', config: ['VXLAN'], use: 'pools with VXLAN'},
  {name: 'xt_bpf', config: ['NETFILTER_XT_MATCH_BPF'], use: 'BPF matches'},
  {name: 'xt_u32', config: ['NETFILTER_XT_MATCH_U32'], use: 'u32 matches'},
]

/** Everything that tells which modules a kernel has; undefined where the host does not have that source. */
export interface ModuleFacts {
  readonly release: string
  /** modules.dep */
  readonly loadable: string | undefined
  /** modules.builtin */
  readonly builtIn: string | undefined
  /** /proc/modules, which lsmod shows, and the names in /sys/module */
  readonly loaded: string | undefined
  readonly present: readonly string[]
  /** The first kernel configuration that was found. */
  readonly config: string | undefined
  /** /proc/net/ip_tables_matches */
  readonly matches: string | undefined
}

export function gatherModules({files}: {readonly files: Files}): ModuleFacts {
  const release = releaseOf(files)
  const folder = `/lib/modules/${release}`
  const configs = ['/proc/config.gz', `/boot/config-${release}`, `${folder}/config`, `${folder}/build/.config`, `/usr/src/linux-headers-${release}/.config`, `/usr/src/linux-${release}/.config`, '/usr/src/linux/.config']
  let config: string | undefined
  for (const path of configs) config ??= files.read(path)
  return {
    release,
    loadable: files.read(`${folder}/modules.dep`),
    builtIn: files.read(`${folder}/modules.builtin`),
    loaded: files.read('/proc/modules'),
    present: files.list('/sys/module'),
    config,
    matches: files.read('/proc/net/ip_tables_matches'),
  }
}

/** Files and kernel name the same module with `-` and with `_`. */
const normal = (name: string): string => name.replaceAll('-', '_')

/** The modules in TEXT, a modules.dep or modules.builtin: one a line, compressed or not, what it depends on after a colon. */
const namesIn = (text: string): string[] => text.split('\n').flatMap((line) => normal(/([^/:]+)\.ko(?:\.[a-z0-9]+)?(?::|$)/.exec(line.split(': ', 1)[0] ?? '')?.[1] ?? '') || [])

/**
 * Which of MODULES the kernel of FACTS cannot be shown to have; undefined if nothing tells of modules at all. A module that the configuration
 * calls loadable (`=m`) counts only where there is no modules.dep to say whether it is installed.
 */
export function missingModules(modules: readonly Module[], {loadable, builtIn, loaded, present, config, matches}: ModuleFacts): Module[] | undefined {
  if ([loadable, builtIn, loaded, config, matches].every((source) => source === undefined) && present.length === 0) return undefined
  const known = new Set([...namesIn(loadable ?? ''), ...namesIn(builtIn ?? ''), ...(loaded ?? '').split('\n').map((line) => normal(line.split(' ', 1)[0] ?? '')), ...present.map(normal)])
  const options = new Set([...(config ?? '').matchAll(/^CONFIG_(\w+)=([ym])$/gm)].flatMap(([, option = '', how]) => (how === 'y' || loadable === undefined ? [option] : [])))
  const lines = new Set((matches ?? '').split('\n'))
  return modules.filter(
    ({name, or = [], config: wanted}) =>
      ![name, ...or].some((each) => known.has(normal(each))) && !wanted.some((option) => options.has(option)) && !lines.has(name.replace(/^[a-z]+_/, '')),
  )
}

function judgeModules(modules: readonly Module[], facts: ModuleFacts): Verdict {
  const missing = missingModules(modules, facts)
  if (missing === undefined) return wrong(`the modules of Linux ${facts.release} cannot be determined`)
  return verdict(
    missing.length === 0 ? [] : [`missing: ${missing.map(({name, use}) => (use === undefined ? name : `${name} (${use})`)).join(', ')}`],
    `all ${modules.length} are available`,
  )
}

export const modules: Check<ModuleFacts> = {
  name: 'modules',
  required: true,
  gather: gatherModules,
  judge: (facts) => judgeModules(REQUIRED, facts),
  remedy: 'Install the package with the kernel\'s further modules (linux-modules-extra, kernel-modules-extra), then load them: modprobe NAME.',
}

export const featureModules: Check<ModuleFacts> = {
  name: 'feature-modules',
  required: false,
  gather: gatherModules,
  judge: (facts) => judgeModules(FOR_FEATURES, facts),
  remedy: 'Install the package with the kernel\'s further modules.',
}
