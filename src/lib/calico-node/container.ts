/** What a calico-node container needs: image, environment, mounts; and the `docker run` line that makes the same one (calico-node.md §1, §7). Pure. */
import {CalicoError} from '../errors.js'
import type {EtcdSettings, Pem, Setting} from '../settings/types.js'
import {isMountable, type NodeOptions} from './options.js'

export const CONTAINER_NAME = 'calico-node'

/** A container that was stopped on purpose stays stopped when the Engine is restarted, which `always` does not do (calico-node.md §6). */
export const RESTART_POLICY = 'unless-stopped'

export interface Variable {
  readonly name: string
  readonly value: string
  /** Never printed. */
  readonly secret?: boolean
}

export interface Mount {
  /** A path of this host. */
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
}

export interface ContainerPlan {
  /** Of the container; calico-node's if there is none. */
  readonly name?: string
  readonly image: string
  readonly environment: readonly Variable[]
  readonly mounts: readonly Mount[]
  /** Whose processes it sees; its own, if absent. */
  readonly pidMode?: 'host'
}

/** How calico-node learns its address of one family: IP (or IP6), and IP_AUTODETECTION_METHOD if it is to look for it at every start. */
export interface AddressVariables {
  readonly value: string
  readonly method?: string
}

export interface PlanInputs {
  readonly node: string
  readonly options: NodeOptions
  readonly etcd: EtcdSettings
  readonly ip: AddressVariables | undefined
  readonly ip6: AddressVariables | undefined
}

/** @throws CalicoError `invalid` if the certificates are not in files of this host */
export function planContainer({node, options, etcd, ip, ip6}: PlanInputs): ContainerPlan {
  const certificates = certificateFiles(etcd)
  const variable = (name: string, value: string | undefined, secret = false): Variable[] => (value === undefined ? [] : [{name, value, ...(secret ? {secret} : {})}])
  return {
    image: options.image,
    environment: [
      ...variable('NODENAME', node),
      ...variable('DATASTORE_TYPE', 'etcdv3'),
      ...variable('ETCD_ENDPOINTS', etcd.endpoints.value.join(',')),
      ...certificates.map(({name, target}) => ({name, value: target})),
      ...variable('ETCD_USERNAME', etcd.username?.value),
      ...variable('ETCD_PASSWORD', etcd.password?.value, true),
      ...variable('CALICO_NETWORKING_BACKEND', options.networking ? 'bird' : 'none'),
      // Without these two the node's services crash-loop silently, and Felix never reports that it is ready.
      ...variable('CALICO_MANAGE_CNI', 'false'),
      ...variable('FELIX_HEALTHENABLED', 'true'),
      ...variable('IP', ip?.value),
      ...variable('IP_AUTODETECTION_METHOD', ip?.method),
      ...variable('IP6', ip6?.value),
      ...variable('IP6_AUTODETECTION_METHOD', ip6?.method),
      ...variable('AS', options.asNumber === undefined ? undefined : String(options.asNumber)),
      // The default pools, where wanted, have been made before.
      ...variable('NO_DEFAULT_POOLS', 'true'),
    ],
    mounts: [
      {source: options.logDirectory, target: '/var/log/calico', readOnly: false},
      ...['/var/run/calico', '/var/lib/calico', '/lib/modules', '/run'].map((path) => ({source: path, target: path, readOnly: false})),
      ...certificates.map(({source, target}) => ({source, target, readOnly: true})),
    ],
  }
}

export interface CertificateFile {
  readonly name: string
  readonly source: string
  readonly target: string
}

/** The files of this host that ETCD names, and where a container has them. @throws CalicoError `invalid` if they are none, or cannot be mounted */
export function certificateFiles({ca, cert, key}: EtcdSettings): CertificateFile[] {
  const problems: string[] = []
  const file = (name: string, setting: Setting<Pem> | undefined, target: string): CertificateFile[] => {
    if (!setting) return []
    const source = setting.value.file
    if (source === 'inline') problems.push(`${setting.origin}: ${name} is written in the configuration itself; the container needs it in a file on this host.`)
    else if (!isMountable(source)) problems.push(`${setting.origin}: '${source}' must be an absolute path without ':', because it is mounted into the container.`)
    return [{name, source, target: `/etc/calico/certs/${target}`}]
  }
  const files = [...file('ETCD_CA_CERT_FILE', ca, 'ca_cert.crt'), ...file('ETCD_KEY_FILE', key, 'key.pem'), ...file('ETCD_CERT_FILE', cert, 'cert.crt')]
  if (problems.length > 0) throw new CalicoError('invalid', 'The certificates for etcd cannot be given to calico-node:', {details: problems})
  return files
}

/** What `docker` is to do: arguments up to the image. */
function runArguments({environment, mounts, pidMode, name = CONTAINER_NAME}: ContainerPlan, lifetime: readonly string[], variable: (each: Variable) => string): string[] {
  return [
    ...lifetime,
    '--net=host',
    '--privileged',
    ...(pidMode === undefined ? [] : [`--pid=${pidMode}`]),
    `--name=${name}`,
    ...environment.flatMap((each) => ['-e', variable(each)]),
    ...mounts.flatMap(({source, target, readOnly}) => ['-v', `${source}:${target}${readOnly ? ':ro' : ''}`]),
  ]
}

/** The `docker run` line that makes the same container. A secret is named without its value: docker takes it from the environment then. */
export function dockerRunLine(plan: ContainerPlan, {detach}: {detach: boolean}): string {
  const lifetime = [...(detach ? ['-d'] : []), `--restart=${RESTART_POLICY}`]
  const words = runArguments(plan, lifetime, ({name, value, secret}) => (secret ? name : `${name}=${value}`))
  return ['docker', 'run', ...words, plan.image].map(quoteForShell).join(' ')
}

/** WORD as a shell reads it as one. */
export const quoteForShell = (word: string): string => (/^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)

export const ENVIRONMENT_FILE = '/etc/calico/calico.env'
export const UNIT_FILE = '/etc/systemd/system/calico-node.service'

/** The environment file of the systemd unit. Secrets are not printed: their lines have to be added by hand. */
export function environmentFile({environment}: ContainerPlan): string {
  return environment.map(({name, value, secret}) => (secret ? `# Add the line ${name}=... here; root alone may read this file then.\n` : `${name}=${quoteForSystemd(value)}\n`)).join('')
}

/** VALUE as systemd reads it in an environment file: in double quotes, where needed, with `\`, `"`, `$` and a backquote escaped. */
export const quoteForSystemd = (value: string): string => (/^[A-Za-z0-9_@%+=:,./-]*$/.test(value) ? value : `"${value.replaceAll(/[\\"`$]/g, '\\$&')}"`)

/** A systemd unit that runs the same container with the variables of ENVIRONMENT_FILE (datamodel-v3 §5.5). No secret is in it. */
export function systemdUnit(plan: ContainerPlan, {docker = '/usr/bin/docker'}: {docker?: string} = {}): string {
  const words = runArguments(plan, ['--rm'], ({name}) => name)
  const line = [docker, 'run', ...words, plan.image].map(quoteInUnit).join(' ')
  return [
    '[Unit]',
    'Description=Calico node',
    'After=docker.service network-online.target',
    'Wants=network-online.target',
    'Requires=docker.service',
    '',
    '[Service]',
    `EnvironmentFile=${ENVIRONMENT_FILE}`,
    `ExecStartPre=-${docker} rm -f ${CONTAINER_NAME}`,
    `ExecStart=${line}`,
    `ExecStop=-${docker} stop ${CONTAINER_NAME}`,
    'Restart=on-failure',
    'RestartSec=5',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n')
}

/** WORD as one word of a command line in a unit: `%` and `$` stand for themselves when doubled. */
export function quoteInUnit(word: string): string {
  const text = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(text) ? text : `"${text.replaceAll(/[\\"]/g, '\\$&')}"`
}
