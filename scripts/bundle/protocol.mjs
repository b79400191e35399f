/** The tables of etcd's protocol, made from the .proto files in etcd3's package. */
import {createRequire} from 'node:module'
import {basename, dirname, join} from 'node:path'
import protobuf from 'protobufjs'

/** @typedef {import('../../src/lib/datastore/etcd/unary/protobuf.js').FieldTable} FieldTable */
/** @typedef {import('../../src/lib/datastore/etcd/unary/protobuf.js').FieldType} FieldType */
/** @typedef {import('../../src/lib/datastore/etcd/unary/protobuf.js').MethodTable} MethodTable */
/** @typedef {import('../../src/lib/datastore/etcd/unary/protobuf.js').Protocol} Protocol */

/** etcd3's protocol file. */
export const PROTO_FILE = join(dirname(createRequire(import.meta.url).resolve('etcd3/package.json')), 'proto/rpc.proto')

const SCALARS = /** @type {readonly string[]} */ (['bytes', 'string', 'bool', 'int32', 'uint32', 'int64', 'uint64'])

/** Reads etcd3's protocol. @throws Error for anything in it that the codec in src/lib/datastore/etcd/unary/protobuf.ts does not know. @returns {Protocol} */
export function readProtocol() {
  const root = new protobuf.Root()
  root.resolvePath = (_, target) => join(dirname(PROTO_FILE), basename(target))
  root.loadSync(basename(PROTO_FILE), {keepCase: true})
  root.resolveAll()
  /** @type {Record<string, FieldTable[]>} */
  const messages = {}
  /** @type {Record<string, Record<string, number>>} */
  const enums = {}
  /** @type {Record<string, MethodTable[]>} */
  const services = {}

  /** @param {protobuf.NamespaceBase} namespace */
  const visit = (namespace) => {
    for (const item of namespace.nestedArray) {
      const name = fullName(item)
      if (item instanceof protobuf.Type) messages[name] = [...item.fieldsArray].sort((a, b) => a.id - b.id).map(fieldTable)
      else if (item instanceof protobuf.Enum) enums[name] = {...item.values}
      else if (item instanceof protobuf.Service) services[name] = item.methodsArray.map(methodTable)
      else if (!(item instanceof protobuf.Namespace)) throw new Error(`etcd's protocol has a ${item.constructor.name}, ${name}, which the codec does not know`)
      if (item instanceof protobuf.Namespace) visit(item)
    }
  }
  visit(root)
  return {messages, enums, services}
}

/** @param {protobuf.ReflectionObject | null} item */
function fullName(item) {
  if (item === null) throw new Error('etcd\'s protocol has a type that does not resolve')
  return item.fullName.slice(1)
}

/** @param {protobuf.Field} field @returns {FieldTable} */
function fieldTable(field) {
  const oneof = field.partOf?.name ?? ''
  const repeated = field.repeated ? 1 : 0
  if (field.map || field.getOption('proto3_optional')) throw new Error(`${field.fullName}: the codec knows no maps and no optional fields`)
  if (field.repeated && field.getOption('packed') === false) throw new Error(`${field.fullName}: the codec packs repeated numbers`)
  if (field.resolvedType instanceof protobuf.Enum) return [field.name, field.id, 'enum', fullName(field.resolvedType), repeated, oneof]
  if (field.resolvedType instanceof protobuf.Type) return [field.name, field.id, 'message', fullName(field.resolvedType), repeated, oneof]
  if (!SCALARS.includes(field.type)) throw new Error(`${field.fullName}: the codec does not know the type ${field.type}`)
  return [field.name, field.id, /** @type {FieldType} */ (field.type), '', repeated, oneof]
}

/** @param {protobuf.Method} method @returns {MethodTable} */
function methodTable(method) {
  method.resolve()
  const words = method.name.replaceAll(/[A-Z]{2,}$/g, (acronym) => acronym.charAt(0) + acronym.slice(1).toLowerCase()) // HashKV is hashKv
  const camel = words.charAt(0).toLowerCase() + words.slice(1)
  return [method.name, fullName(method.resolvedRequestType), fullName(method.resolvedResponseType), Boolean(method.requestStream), Boolean(method.responseStream), camel]
}
