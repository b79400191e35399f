import type {Etcd3, IRangeRequest, IRangeResponse, IStatusResponse, ITxnRequest, ITxnResponse} from 'etcd3'
import type {EtcdSettings} from '../../settings/types.js'

/**
 * What the adapter asks of one endpoint. There are two ways: etcd3 with @grpc/grpc-js (etcd3-client.ts), which does everything, and calls over HTTP/2 of our
 * own (unary/), which a command of short life takes, since loading etcd3 takes longer than the calls. One suite of tests holds both to the same behaviour.
 *
 * A call that failed throws an Error with gRPC's words, `14 UNAVAILABLE: what happened`; failure.ts says what that means for the request.
 */
export interface Client {
  readonly range: (request: IRangeRequest, options: CallOptions) => Promise<IRangeResponse>
  readonly txn: (request: ITxnRequest, options: CallOptions) => Promise<ITxnResponse>
  readonly status: (options: CallOptions) => Promise<IStatusResponse>
  /** A stream for watches. Always etcd3's. */
  readonly watch: () => Promise<WatchStream>
  /** No further calls; those under way come to their ends. */
  readonly close: () => void
}

export interface CallOptions {
  /** Milliseconds since 1970 at which the call fails: the one limit for connection, login and answer. */
  readonly deadline: number
}

export type WatchStream = Awaited<ReturnType<Etcd3['watchClient']['watch']>>

/** One of the endpoints, as its client needs it. */
export interface ClientEndpoint {
  readonly url: string
  /** It has reported that authentication is off: do not log in. */
  readonly withoutLogin: boolean
  /** Until when a login of etcd3's may take, milliseconds since 1970: the end of the attempt that needs it. */
  readonly deadline: number
}

/** Makes the client of ENDPOINT, without a connection yet. @throws Error for TLS files that cannot be used */
export type OpenClient = (endpoint: ClientEndpoint, settings: EtcdSettings) => Client | Promise<Client>
