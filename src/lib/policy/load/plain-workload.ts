import type {Resource} from '../../model/resource.js'
import {asRecord} from '../../model/schema/codec.js'

const TIME = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/
const TEXTS = ['orchestrator', 'workload', 'node', 'containerID', 'pod', 'endpoint', 'serviceAccountName', 'ipv4Gateway', 'ipv6Gateway', 'interfaceName', 'mac']
const LISTS = ['ipNetworks', 'profiles']

/** Whether VALUE is an endpoint of the most common form, which needs no decoding: there may be ten thousands of them. */
export function isPlainWorkload(value: unknown): value is Resource {
  const {kind, apiVersion, metadata, spec, ...more} = asRecord(value) ?? {}
  const {name, namespace, uid, creationTimestamp, labels, annotations, ...further} = asRecord(metadata) ?? {}
  const fields = asRecord(spec)
  const isText = (text: unknown): boolean => typeof text === 'string'
  const isTextMap = (map: unknown): boolean => map === undefined || (asRecord(map) !== undefined && Object.values(map as object).every(isText))
  return (
    [kind, apiVersion, name, namespace, uid].every(isText) &&
    typeof creationTimestamp === 'string' &&
    TIME.test(creationTimestamp) &&
    isTextMap(labels) &&
    isTextMap(annotations) &&
    Object.keys(more).length + Object.keys(further).length === 0 &&
    fields !== undefined &&
    Object.entries(fields).every(([field, each]) => (TEXTS.includes(field) ? isText(each) : LISTS.includes(field) && Array.isArray(each) && each.every(isText)))
  )
}
