/** What an endpoint says of its workload: the container or the namespace that it was made for, and how it is disconnected. */
import {shortId} from '../model/display-name.js'
import {convertName} from '../model/names.js'
import type {WorkloadEndpoint} from '../model/types.js'
import {type Endpoint, NAMESPACE_ANNOTATION} from './endpoints.js'

/** v0.20's workload id of a namespace. */
export const namespaceId = (path: string): string => path.replaceAll('/', '-')

/** Whether ENDPOINT is one of a container that `container add` connected, by its id: v0.20 stored those of namespaces as Docker's too. */
export const isContainer = ({orchestrator, workload}: Endpoint): boolean => orchestrator === 'docker' && /^[0-9a-f]{64}$/.test(workload)

/** The path of the namespace that ENDPOINT was made for; undefined for one of a container, and where it is not known: v0.20's ids do not tell it. */
export function pathOf({stored, workload}: Endpoint): string | undefined {
  const path = annotationOf(stored.resource, NAMESPACE_ANNOTATION)
  if (path !== undefined && [workload, convertName(workload)].includes(convertName(namespaceId(path)))) return path
  return pathOfId(workload)
}

/** The path of the namespace whose workload has v0.20's id ID; undefined where the id does not tell it. */
export function pathOfId(id: string): string | undefined {
  const pid = /^-proc-([0-9]+)-ns-net$/.exec(id)?.[1]
  return pid === undefined ? undefined : `/proc/${pid}/ns/net`
}

/** The annotation NAME of ENDPOINT. */
export function annotationOf({metadata: {annotations}}: WorkloadEndpoint, name: string): string | undefined {
  return annotations && Object.hasOwn(annotations, name) ? String(annotations[name]) : undefined
}

/** A path that may stand in a command as it is: annotations are anyone's. */
const PLAIN_PATH = /^[A-Za-z0-9_./-]+$/

/**
 * How ENDPOINT is disconnected and removed with its addresses, on its host: a command where that is `container remove`, for whatever it has of the workload;
 * words where another program manages it; undefined where that is not known.
 */
export function disconnectText(endpoint: Endpoint, options = ''): string | undefined {
  const {orchestrator, workload} = endpoint
  switch (orchestrator) {
    case 'docker':
    case 'namespace': {
      const path = pathOf(endpoint)
      if (isContainer(endpoint)) return `calicoctl container remove ${shortId(workload)}${options}`
      return path !== undefined && PLAIN_PATH.test(path) ? `calicoctl container remove ${path}${options}` : `calicoctl container remove${options} -- ${workload}`
    }
    case 'libnetwork':
      return 'docker network disconnect NETWORK CONTAINER'
    default:
      return undefined
  }
}
