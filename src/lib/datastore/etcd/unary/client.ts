import type {IAuthenticateResponse, IRangeResponse, IStatusResponse, ITxnResponse} from 'etcd3'
import type {EtcdSettings} from '../../../settings/types.js'
import type {Client, ClientEndpoint} from '../client.js'
import {unaryCall} from './call.js'
import {framed} from './framing.js'
import {createCodec, type Message} from './protobuf.js'
import {METHODS, PROTOCOL} from './protocol.js'
import {msUntil, openSession, type Session} from './session.js'
import {asUnsent, UNAVAILABLE, unsent} from './status.js'

/**
 * etcd's unary calls over HTTP/2 of our own, for commands of short life: etcd3 and @grpc/grpc-js, which take 20 ms to load, are left to the streams of watches.
 * Neither compression nor calls in several messages are spoken; there is one connection to an endpoint, made when a call needs it.
 */
export async function openUnary(endpoint: ClientEndpoint, settings: EtcdSettings): Promise<Client> {
  const {url} = endpoint
  const openSocket = url.startsWith('https:') ? (await import('./tls.js')).tlsSockets(settings) : undefined
  const codec = createCodec(PROTOCOL)
  let session: Session | undefined
  let login: Promise<IAuthenticateResponse> | undefined
  let streams: Promise<Client> | undefined
  let closed = false

  /** The connection of the next call. @throws CallError, unsent */
  function current(): Session {
    if (closed) throw unsent(UNAVAILABLE, 'Channel closed before call started')
    if (!session?.usable()) session = openSession(url, openSocket)
    return session
  }

  async function send<M extends keyof Answers>(method: M, request: object, deadline: number, metadata: Readonly<Record<string, string>>): Promise<Answers[M]> {
    const [path, requestType, responseType] = METHODS[method]
    const connection = current()
    const message = framed(codec.encode(requestType, request as Message))
    await connection.opened(deadline)
    const headers = {
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': grpcTimeout(msUntil(deadline)),
      'grpc-accept-encoding': 'identity',
      'user-agent': 'calicoctl',
      ...metadata,
    }
    return codec.decode(responseType, await unaryCall(connection, headers, message, deadline)) as unknown as Answers[M]
  }

  /** As etcd3's: a token for all calls of this client. Until there is one, nothing of the call itself is sent. */
  async function logIn(deadline: number): Promise<Record<string, string>> {
    const {username, password} = settings
    if (!username || !password || endpoint.withoutLogin) return {}
    const own = (login ??= send('authenticate', {name: username.value, password: password.value}, deadline, {}))
    try {
      return {token: (await own).token}
    } catch (error) {
      if (login === own) login = undefined
      throw asUnsent(error)
    }
  }

  /** A call that etcd is to refuse at once, before it does anything, where the member knows no leader. */
  const call = async <M extends keyof Answers>(method: M, request: object, deadline: number): Promise<Answers[M]> =>
    send(method, request, deadline, {hasleader: 'true', ...(await logIn(deadline))})

  return {
    range: (request, {deadline}) => call('range', request, deadline),
    txn: (request, {deadline}) => call('txn', request, deadline),
    status: ({deadline}) => call('status', {}, deadline),
    async watch() {
      streams ??= import('../etcd3-client.js').then(({openEtcd3}) => openEtcd3(endpoint, settings))
      return (await streams).watch()
    },
    close() {
      closed = true
      session?.retire()
      void streams?.then((client) => client.close())
    },
  }
}

interface Answers {
  readonly range: IRangeResponse
  readonly txn: ITxnResponse
  readonly status: IStatusResponse
  readonly authenticate: IAuthenticateResponse
}

/** gRPC's form of a time: at most eight digits, and a unit. */
const grpcTimeout = (ms: number): string => (ms < 1e8 ? `${Math.ceil(ms)}m` : `${Math.ceil(ms / 1_000)}S`)
