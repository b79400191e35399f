/**
 * Takes the place of @grpc/proto-loader in the bundle: gives etcd3 the service definitions that it loads at every start, from tables made at
 * build. Whoever asks for anything but etcd3's own file and options gets an error.
 */
import {protocol} from 'bundle:protocol'
import {createCodec, type Message} from '../../../src/lib/datastore/etcd/unary/protobuf.js'

/** A method as @grpc/grpc-js wants it. */
interface MethodDefinition {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly originalName: string
  readonly requestSerialize: (value: Message) => Buffer
  readonly requestDeserialize: (bytes: Buffer) => Message
  readonly responseSerialize: (value: Message) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => Message
}

/** The options that etcd3 gives; the codec knows no other behaviour. */
const OPTIONS = '{"keepCase":true,"longs":"String","enums":"String","defaults":true,"oneofs":true}'

const named = (_: string, value: unknown): unknown => (typeof value === 'function' ? value.name : value)

export function loadSync(file: string, options: unknown): Record<string, Record<string, MethodDefinition>> {
  if (file !== 'etcd3/rpc.proto' || JSON.stringify(options, named) !== OPTIONS) throw new Error(`this bundle cannot load ${file} with ${JSON.stringify(options, named)}`)
  const codec = createCodec(protocol)
  const services: Record<string, Record<string, MethodDefinition>> = {}
  for (const [service, methods] of Object.entries(protocol.services)) {
    const definitions: Record<string, MethodDefinition> = {}
    for (const [method, request, response, requestStream, responseStream, originalName] of methods) {
      definitions[method] = {
        path: `/${service}/${method}`,
        requestStream,
        responseStream,
        originalName,
        requestSerialize: (value) => codec.encode(request, value),
        requestDeserialize: (bytes) => codec.decode(request, bytes),
        responseSerialize: (value) => codec.encode(response, value),
        responseDeserialize: (bytes) => codec.decode(response, bytes),
      }
    }
    services[service] = definitions
  }
  return services
}
