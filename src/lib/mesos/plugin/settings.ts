/** What the agent's environment says about the plugin itself. Where etcd is, is said as for calicoctl. */
import {CalicoError} from '../../errors.js'

export interface PluginSettings {
  /** Before the name of each net-group's profile; the plugin up to v0.1.5 had `ng_`. */
  readonly netgroupPrefix: string
  /** `cleanup` of a container without endpoint succeeds. */
  readonly idempotentCleanup: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_LOG_FILE = '/var/log/calico/isolator.log'

/** @throws CalicoError `invalid` */
export function readPluginSettings({CALICO_MESOS_NETGROUP_PREFIX: prefix = '', CALICO_MESOS_IDEMPOTENT_CLEANUP: idempotent = ''}: Environment): PluginSettings {
  if (!/^([A-Za-z0-9][A-Za-z0-9_.-]{0,31})?$/.test(prefix)) {
    throw new CalicoError('invalid', `CALICO_MESOS_NETGROUP_PREFIX: '${prefix.slice(0, 100)}' is not a valid beginning of a profile name: use at most 32 letters, digits, '_', '.' and '-', beginning with a letter or digit`)
  }
  if (!['', 'true', 'false'].includes(idempotent)) throw new CalicoError('invalid', `CALICO_MESOS_IDEMPOTENT_CLEANUP: '${idempotent.slice(0, 100)}' is neither true nor false`)
  return {netgroupPrefix: prefix, idempotentCleanup: idempotent === 'true'}
}

export const logFileOf = ({CALICO_MESOS_LOG_FILE: file}: Environment): string => (file === undefined || file === '' ? DEFAULT_LOG_FILE : file)
