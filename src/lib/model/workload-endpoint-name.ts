/**
 * The names of workload endpoints (datamodel-v3 §1.6): four segments joined by `-`, every `-` inside a segment doubled. Felix takes an
 * endpoint's identity from its name and not from its spec, so a name has to be right to the letter.
 */
import {CalicoError} from '../errors.js'

/** What identifies a workload endpoint: fields of its spec. Which one is the third segment depends on the orchestrator. */
export interface WorkloadEndpointIds {
  readonly node: string
  readonly orchestrator?: string | undefined
  /** Not for `k8s`, `cni` and `libnetwork`. */
  readonly workload?: string | undefined
  /** For `k8s`. */
  readonly pod?: string | undefined
  /** For `cni`. */
  readonly containerID?: string | undefined
  readonly endpoint?: string | undefined
}

/** The four segments of a name, in its order. `workload` is whatever stands third. */
export interface WorkloadEndpointSegments {
  readonly node: string
  readonly orchestrator: string
  readonly workload: string
  readonly endpoint: string
}

const MAX_NAME_LENGTH = 253

/**
 * The name of the endpoint that IDS identify.
 * @throws CalicoError (invalid) if one of the four is missing or begins or ends with `-`, or the name is longer than 253 characters
 */
export function workloadEndpointName(ids: WorkloadEndpointIds): string {
  const name = segmentsOf(ids)
    .map(([field, value]) => escaped(field, value))
    .join('-')
  if (name.length > MAX_NAME_LENGTH) throw new CalicoError('invalid', `the endpoint's name would be ${name.length} characters long, ${MAX_NAME_LENGTH} are allowed: ${name}`)
  return name
}

/**
 * How the names of all endpoints begin that have the leading ones of the four segments: for a list by prefix. It may find too much
 * (`node-k8s-pod-` is also how `pod-1` begins), so look at each name with `matchesIds`.
 * @throws CalicoError (invalid) if the node is missing, or a given segment begins or ends with `-`
 */
export function workloadEndpointNamePrefix(ids: WorkloadEndpointIds): string {
  const segments = segmentsOf(ids)
  const missing = segments.findIndex(([, value], i) => i > 0 && !value)
  const given = missing === -1 ? segments : segments.slice(0, missing)
  return `${given.map(([field, value]) => escaped(field, value)).join('-')}-`
}

/** The four segments of NAME, as Felix takes it apart; undefined if it has not exactly four. */
export function parseWorkloadEndpointName(name: string): WorkloadEndpointSegments | undefined {
  const [node, orchestrator, workload, endpoint, ...more] = split(name)
  if (node === undefined || orchestrator === undefined || workload === undefined || endpoint === undefined || more.length > 0) return undefined
  return {node, orchestrator, workload, endpoint}
}

/** Whether NAME is that of an endpoint with all of IDS that are given. */
export function matchesIds(name: string, ids: WorkloadEndpointIds): boolean {
  const segments = parseWorkloadEndpointName(name)
  if (!segments) return false
  const actual = [segments.node, segments.orchestrator, segments.workload, segments.endpoint]
  return segmentsOf(ids).every(([, value], i) => !value || value === actual[i])
}

/** The four segments with the names of the fields they come from, in their order. */
function segmentsOf(ids: WorkloadEndpointIds): readonly (readonly [field: string, value: string | undefined])[] {
  return [['node', ids.node], ['orchestrator', ids.orchestrator], thirdSegment(ids), ['endpoint', ids.endpoint]]
}

function thirdSegment({orchestrator, workload, pod, containerID}: WorkloadEndpointIds): readonly [string, string | undefined] {
  switch (orchestrator) {
    case 'k8s':
      return ['pod', pod]
    case 'cni':
      return ['containerID', containerID]
    case 'libnetwork':
      return ['orchestrator', orchestrator]
    default:
      return ['workload', workload]
  }
}

function escaped(field: string, value: string | undefined): string {
  if (!value) throw new CalicoError('invalid', `a workload endpoint needs a value for '${field}'`)
  if (value.startsWith('-') || value.endsWith('-')) {
    throw new CalicoError('invalid', `the ${field} of a workload endpoint must not begin or end with '-': ${JSON.stringify(value)}`)
  }
  return value.replaceAll('-', '--')
}

/** The segments of NAME. A dash and the one after it are an escape, another one separates; the first character is never a separator. */
function split(name: string): string[] {
  const segments: string[] = []
  let start = 0
  for (let i = 1; i < name.length; i++) {
    if (name[i] !== '-') continue
    if (name[i + 1] === '-') {
      i++
      continue
    }
    segments.push(name.slice(start, i).replaceAll('--', '-'))
    start = i + 1
  }
  segments.push(name.slice(start).replaceAll('--', '-'))
  return segments
}
