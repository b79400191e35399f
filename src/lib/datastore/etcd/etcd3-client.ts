import {noop} from 'cockatiel'
import {Etcd3, type IOptions} from 'etcd3'
import type {EtcdSettings} from '../../settings/types.js'
import type {Client, ClientEndpoint} from './client.js'

/** Calls and streams through etcd3. Its retries are switched off: they send a write again whose answer was lost. */

type Interceptor = NonNullable<NonNullable<Parameters<Etcd3['kv']['range']>[1]>['interceptors']>[number]

const GRPC_OPTIONS: NonNullable<IOptions['grpcOptions']> = {
  'grpc.max_receive_message_length': -1,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  // A dead peer of a watch is noticed after 7 + 3 seconds; etcd allows a ping every 5.
  'grpc.keepalive_time_ms': 7_000,
  'grpc.keepalive_timeout_ms': 3_000,
}

/** Asks etcd to refuse at once, before it does anything, where the member knows no leader (its `hasleader` metadata). */
const requireLeader: Interceptor = (options, next) => {
  const call = next(options)
  const start = call.start.bind(call)
  call.start = (metadata, listener) => {
    metadata.set('hasleader', 'true')
    start(metadata, listener)
  }
  return call as unknown as ReturnType<Interceptor>
}

const interceptors = [requireLeader]

export function openEtcd3(endpoint: ClientEndpoint, settings: EtcdSettings): Client {
  const etcd3 = new Etcd3(options(endpoint, settings))
  return {
    range: (request, {deadline}) => etcd3.kv.range(request, {deadline, interceptors}),
    txn: (request, {deadline}) => etcd3.kv.txn(request, {deadline, interceptors}),
    status: ({deadline}) => etcd3.maintenance.status({deadline, interceptors}),
    watch: () => etcd3.watchClient.watch({interceptors}),
    close: () => etcd3.close(),
  }
}

function options(endpoint: ClientEndpoint, settings: EtcdSettings): IOptions {
  const {url, withoutLogin} = endpoint
  const {username, password} = settings
  return {
    hosts: url,
    grpcOptions: GRPC_OPTIONS,
    faultHandling: {host: () => noop, global: noop},
    ...(url.startsWith('https:') && {credentials: tlsCredentials(settings)}),
    ...(username &&
      password &&
      !withoutLogin && {
        auth: {username: username.value, password: password.value, callOptions: () => ({deadline: endpoint.deadline})},
      }),
  }
}

function tlsCredentials({ca, cert, key}: EtcdSettings): NonNullable<IOptions['credentials']> {
  const bytes = (pem: string): Buffer => Buffer.from(pem)
  return {
    ...(ca && {rootCertificate: bytes(ca.value.pem)}),
    ...(cert && key && {certChain: bytes(cert.value.pem), privateKey: bytes(key.value.pem)}),
    // Without a CA of its own, gRPC takes those that Node knows; etcd3's type does not say so.
  } as NonNullable<IOptions['credentials']>
}
