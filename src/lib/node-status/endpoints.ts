/** Which endpoints of this host Felix has programmed: it keeps a file for each, also where no datastore answers (datamodel-v3 §1.18). */
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {ENDPOINT_NAMESPACE, endpointOf} from '../client/endpoints.js'
import {listResources} from '../client/resources.js'
import type {Session} from '../client/session.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {parseWorkloadEndpointName, workloadEndpointNamePrefix} from '../model/workload-endpoint-name.js'

/** An endpoint by what its file is called after. */
export interface EndpointName {
  readonly orchestrator: string
  /** `namespace/workload` */
  readonly workload: string
  readonly endpoint: string
}

export interface EndpointStates {
  /** Whether Felix keeps such files here at all. */
  readonly reported: boolean
  readonly up: number
  /** In the datastore, and not programmed by Felix; undefined without a datastore. */
  readonly down: readonly EndpointName[] | undefined
  /** Programmed by Felix, and not in the datastore (any more). */
  readonly left: readonly EndpointName[]
}

const FOLDER = 'endpoint-status'

/** The endpoints that Felix has programmed, by the files in FOLDER's endpoint-status; undefined if it keeps none there. */
export async function programmedEndpoints(folder: string): Promise<EndpointName[] | undefined> {
  try {
    return (await readdir(join(folder, FOLDER))).flatMap((name) => parseFileName(name) ?? [])
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(String((error as NodeJS.ErrnoException).code))) return undefined
    throw error
  }
}

/** The endpoint whose file is called NAME: three parts between blanks, each escaped as in a URL's path; undefined if it is none. */
export function parseFileName(name: string): EndpointName | undefined {
  const parts = name.split(' ')
  try {
    const [orchestrator = '', workload = '', endpoint = ''] = parts.map(decodeURIComponent)
    return parts.length === 3 && orchestrator !== '' && workload !== '' && endpoint !== '' ? {orchestrator, workload, endpoint} : undefined
  } catch {
    return undefined
  }
}

/** The endpoints of NODE in the datastore. */
export async function storedEndpoints(session: Session, node: string): Promise<EndpointName[]> {
  const endpoints: EndpointName[] = []
  for await (const stored of listResources<WorkloadEndpoint>(session, 'WorkloadEndpoint', {under: `${ENDPOINT_NAMESPACE}/${workloadEndpointNamePrefix({node})}`})) {
    const {place, host, orchestrator, workload, id} = endpointOf(session, stored)
    const storedWorkload = parseWorkloadEndpointName(place.name)?.workload ?? workload
    if (host === node) endpoints.push({orchestrator, workload: `${place.namespace ?? ENDPOINT_NAMESPACE}/${storedWorkload}`, endpoint: id})
  }
  return endpoints
}

/** PROGRAMMED by Felix against STORED in the datastore; undefined where no one could say. Pure. */
export function compareEndpoints(programmed: readonly EndpointName[] | undefined, stored: readonly EndpointName[] | undefined): EndpointStates {
  const keys = new Set((programmed ?? []).map(keyOf))
  const known = new Set((stored ?? []).map(keyOf))
  return {
    reported: programmed !== undefined,
    up: stored ? stored.filter((each) => keys.has(keyOf(each))).length : keys.size,
    down: programmed && stored ? stored.filter((each) => !keys.has(keyOf(each))) : undefined,
    left: stored ? (programmed ?? []).filter((each) => !known.has(keyOf(each))) : [],
  }
}

const keyOf = ({orchestrator, workload, endpoint}: EndpointName): string => `${orchestrator} ${workload} ${endpoint}`
