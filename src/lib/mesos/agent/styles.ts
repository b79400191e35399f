/** Where each way to install Mesos keeps what an agent needs for Calico (mesos-docker §2.2, §2.5, §5.5, §5.6, §5.13). */

export const STYLES = ['rpm', 'manual', 'dcos'] as const
export type Style = (typeof STYLES)[number]

export interface StyleFacts {
  readonly library: string
  readonly modules: string
  /** The agent's environment: a file of NAME=value lines. */
  readonly environment: string
  /** Other files that the agent's environment is made of; the last one counts. */
  readonly environments: readonly string[]
  /** The folder with a file for each flag; undefined where there are only MESOS_ variables. */
  readonly flags: string | undefined
  /** What makes the agent read all this. */
  readonly restart: readonly string[]
  /** The guides' sections in mesos-docker.md. */
  readonly guide: string
}

const MESOSPHERE = {
  library: '/usr/lib/mesos/libmesos_network_isolator.so',
  modules: '/calico/modules.json',
  environment: '/etc/default/mesos-slave',
  environments: ['/etc/default/mesos', '/etc/default/mesos-slave'],
  flags: '/etc/mesos-slave',
} as const

export const STYLE_FACTS: Readonly<Record<Style, StyleFacts>> = {
  rpm: {...MESOSPHERE, restart: ['systemctl restart mesos-slave'], guide: '5.5'},
  manual: {...MESOSPHERE, restart: ['systemctl daemon-reload', 'systemctl restart mesos-slave'], guide: '5.6'},
  dcos: {
    library: '/opt/mesosphere/lib/libmesos_network_isolator.so',
    modules: '/opt/mesosphere/etc/mesos-slave-modules.json',
    environment: '/opt/mesosphere/etc/mesos-slave-common',
    environments: ['/opt/mesosphere/etc/mesos-slave-common', '/opt/mesosphere/etc/mesos-slave'],
    flags: undefined,
    restart: ['systemctl restart dcos-mesos-slave'],
    guide: '5.13',
  },
}

/** Where the guides put the library: of the version of 2015 and of the demo, too. */
export const LIBRARY_PATHS: readonly string[] = [
  MESOSPHERE.library,
  STYLE_FACTS.dcos.library,
  '/opt/net-modules/libmesos_network_isolator.so',
  '/isolator/build/.libs/libmesos_network_isolator.so',
]

export const PLUGIN = '/calico/calico_mesos'

/** The configurations of Mesos-DNS: DC/OS's, and those of the guides. */
export const MESOS_DNS_FILES = ['/opt/mesosphere/etc/mesos-dns.json', '/etc/sysconfig/mesos-dns', '/etc/mesos-dns/config.json'] as const

/** The agent's flags that concern Calico, and how the environment calls them. */
export const variableOf = (flag: string): string => `MESOS_${flag.toUpperCase()}`
