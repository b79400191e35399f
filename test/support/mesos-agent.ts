/** The files of a Mesos agent as the guides leave them, in a folder that stands for the host's root. */
import {chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'

export interface TestRoot {
  readonly folder: string
  /** Writes a file; undefined removes it. */
  readonly put: (path: string, text: string | undefined, mode?: number) => void
  readonly remove: () => void
}

/** An empty root. */
export function testRoot(): TestRoot {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-mesos-'))
  return {
    folder,
    put(path, text, mode = 0o644) {
      const place = join(folder, path)
      rmSync(place, {force: true, recursive: true})
      if (text === undefined) return
      mkdirSync(dirname(place), {recursive: true})
      writeFileSync(place, text)
      chmodSync(place, mode)
    },
    remove: () => rmSync(folder, {recursive: true, force: true}),
  }
}

/** modules.json of the guides (mesos-docker §2.2). */
export const modulesJson = ({library = '/usr/lib/mesos/libmesos_network_isolator.so', plugin = '/calico/calico_mesos'} = {}): string =>
  JSON.stringify({
    libraries: [
      {
        file: library,
        modules: [
          {name: 'com_mesosphere_mesos_NetworkIsolator', parameters: [{key: 'isolator_command', value: plugin}, {key: 'ipam_command', value: plugin}]},
          {name: 'com_mesosphere_mesos_NetworkHook'},
        ],
      },
    ],
  })

/** A plugin that refuses what it is asked. */
const PLUGIN = '#!/bin/sh\ncat > /dev/null\necho \'{"error":"Missing command"}\'\nexit 1\n'

/** Puts a set-up without a fault below ROOT. */
export function putAgent({put}: TestRoot, style: 'manual' | 'rpm' | 'dcos' = 'manual', etcd = '127.0.0.1:2379'): void {
  put('/calico/calico_mesos', PLUGIN, 0o755)
  if (style === 'dcos') {
    const library = '/opt/mesosphere/lib/libmesos_network_isolator.so'
    put(library, '')
    put('/opt/mesosphere/etc/mesos-slave-modules.json', modulesJson({library}))
    put(
      '/opt/mesosphere/etc/mesos-slave-common',
      `MESOS_MODULES=file:///opt/mesosphere/etc/mesos-slave-modules.json\nMESOS_CONTAINERIZERS=docker,mesos\nMESOS_ISOLATION=cgroups/cpu,cgroups/mem,com_mesosphere_mesos_NetworkIsolator\nMESOS_HOOKS=com_mesosphere_mesos_NetworkHook\nETCD_AUTHORITY=${etcd}\n`,
    )
    put('/opt/mesosphere/etc/mesos-dns.json', '{"IPSources": ["netinfo", "host"]}')
    return
  }
  if (style === 'rpm') put('/usr/lib/systemd/system/calico-mesos.service', '[Service]\n')
  put('/usr/lib/mesos/libmesos_network_isolator.so', '')
  put('/calico/modules.json', modulesJson())
  put('/etc/mesos/zk', 'zk://10.0.0.1:2181/mesos\n')
  put('/etc/default/mesos-slave', `ETCD_AUTHORITY=${etcd}\n`)
  put('/etc/mesos-slave/modules', 'file:///calico/modules.json\n')
  put('/etc/mesos-slave/isolation', 'com_mesosphere_mesos_NetworkIsolator\n')
  put('/etc/mesos-slave/hooks', 'com_mesosphere_mesos_NetworkHook\n')
}
