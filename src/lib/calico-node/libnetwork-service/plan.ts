/**
 * The driver for Docker networks as a service of this host, which runs `calicoctl libnetwork serve`: what it is called, and what it is given
 * (mesos-docker §3.8, §3.9). Pure.
 */
import {engineAddress} from '../../docker/engine.js'
import {CalicoError} from '../../errors.js'
import type {EtcdSettings} from '../../settings/types.js'
import {certificateFiles, type ContainerPlan, type Mount, type Variable} from '../container.js'

/** The container's name, as in v0.20. */
export const DRIVER_NAME = 'calico-libnetwork'
export const DRIVER_UNIT = `${DRIVER_NAME}.service`
/** Where the Engine looks for plugins. */
export const PLUGIN_FOLDER = '/run/docker/plugins'
export const DRIVER_SOCKET = `${PLUGIN_FOLDER}/calico.sock`

/** The image that our Dockerfile builds, of the program's VERSION. No one publishes it. */
export const defaultDriverImage = (version: string): string => `calicoctl/libnetwork:${version}`

export interface DriverInputs {
  /** The stored name. */
  readonly node: string
  readonly etcd: EtcdSettings
  /** The GUID that the cluster must have. */
  readonly expectCluster: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Settings of the driver itself are given on as they are: CALICO_LIBNETWORK_LABEL_ENDPOINTS and the like. */
const OWN_PREFIX = 'CALICO_LIBNETWORK_'
const DOCKER_SOCKET = '/var/run/docker.sock'
const DOCKER_VARIABLES = ['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH'] as const

/** The variables of the driver on this host itself. @throws CalicoError `invalid` for values that no file of variables can hold */
export function driverVariables(inputs: DriverInputs): Variable[] {
  const {etcd, env} = inputs
  const variables = [
    ...commonVariables(inputs, certificateFiles(etcd).map(({name, source}) => ({name, value: source}))),
    ...DOCKER_VARIABLES.flatMap((name) => given(name, env[name])).map((variable) => (variable.value.includes('@') ? {...variable, secret: true} : variable)),
  ]
  const wrong = variables.filter(({value}) => /[\0-\x1f\x7f]/.test(value))
  if (wrong.length > 0) throw new CalicoError('invalid', `These settings contain control characters: ${wrong.map(({name}) => name).join(', ')}`)
  return variables
}

/** The driver as a container of IMAGE: privileged and in the host's network, as all that we run. @throws CalicoError as {@link certificateFiles} does */
export function planDriverContainer(inputs: DriverInputs & {readonly image: string}): ContainerPlan {
  const {etcd, env, image} = inputs
  const certificates = certificateFiles(etcd)
  const engine = engineAddress(env)
  const local = engine.startsWith('unix://')
  const path = env.DOCKER_CERT_PATH
  return {
    name: DRIVER_NAME,
    image,
    // It looks whether a process of a container is left before it removes what Docker has forgotten.
    pidMode: 'host',
    environment: [
      ...commonVariables(inputs, certificates.map(({name, target}) => ({name, value: target}))),
      ...(local ? [] : DOCKER_VARIABLES.flatMap((name) => given(name, env[name])).map((variable) => (variable.value.includes('@') ? {...variable, secret: true} : variable))),
    ],
    mounts: [
      {source: PLUGIN_FOLDER, target: PLUGIN_FOLDER, readOnly: false},
      ...(local ? [{source: engine.slice('unix://'.length), target: DOCKER_SOCKET, readOnly: false}] : path === undefined || path === '' ? [] : [{source: path, target: path, readOnly: true}]),
      {source: '/var/lib/calico', target: '/var/lib/calico', readOnly: false},
      ...certificates.map(({source, target}): Mount => ({source, target, readOnly: true})),
    ],
  }
}

function commonVariables({node, etcd, expectCluster, env}: DriverInputs, certificates: readonly Variable[]): Variable[] {
  return [
    // v0.20's name of it, and today's.
    {name: 'HOSTNAME', value: node},
    {name: 'NODENAME', value: node},
    {name: 'DATASTORE_TYPE', value: 'etcdv3'},
    {name: 'ETCD_ENDPOINTS', value: etcd.endpoints.value.join(',')},
    ...certificates,
    ...given('ETCD_USERNAME', etcd.username?.value),
    ...given('ETCD_PASSWORD', etcd.password?.value).map((variable) => ({...variable, secret: true})),
    ...given('CALICO_EXPECT_CLUSTER', expectCluster),
    ...Object.keys(env).filter((name) => name.startsWith(OWN_PREFIX)).sort().flatMap((name) => given(name, env[name])),
  ]
}

const given = (name: string, value: string | undefined): Variable[] => (value === undefined || value === '' ? [] : [{name, value}])
