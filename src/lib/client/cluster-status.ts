/** All nodes of the cluster as the datastore knows them: endpoints, and Felix's own reports where those are switched on (datamodel-v3 §1.18). */
import {parseJson} from '../json/json.js'
import {listEndpoints} from './endpoints.js'
import {type ListedNode, listNodes} from './node-list.js'
import type {Session} from './session.js'
import {listPages} from './snapshot.js'

/** A report of Felix. Its lease ends when no new one comes. */
export interface FelixReport {
  readonly alive: boolean
  /** Of the last report, as Felix wrote it. */
  readonly time: string
}

export interface ClusterNode extends ListedNode {
  readonly endpoints: number
  /** Undefined where Felix has never reported: calico/node has its reports off. */
  readonly felix: FelixReport | undefined
}

/** All nodes in byte order of their names. */
export async function clusterNodes(session: Session): Promise<ClusterNode[]> {
  const [nodes, endpoints, reports] = await Promise.all([listNodes(session), endpointsByNode(session), felixReports(session)])
  return nodes.map((node) => ({...node, endpoints: endpoints.get(node.name) ?? 0, felix: reports.get(node.name)}))
}

async function endpointsByNode(session: Session): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const {host} of listEndpoints(session, {})) counts.set(host, (counts.get(host) ?? 0) + 1)
  return counts
}

const REPORTS_PREFIX = '/calico/felix/v2/'
const REPORT = /^\/calico\/felix\/v2\/[^/]+\/host\/([^/]+)\/(status|last_reported_status)$/

async function felixReports(session: Session): Promise<Map<string, FelixReport>> {
  const reports = new Map<string, FelixReport>()
  for await (const {entries} of listPages(session, REPORTS_PREFIX)) {
    for (const {key, value} of entries) {
      const [, node, word] = REPORT.exec(key) ?? []
      if (node === undefined || (word !== 'status' && reports.has(node))) continue
      reports.set(node, {alive: word === 'status', time: timeIn(value)})
    }
  }
  return reports
}

function timeIn(value: string): string {
  try {
    const {time} = parseJson(value) as {time?: unknown}
    return typeof time === 'string' ? time : ''
  } catch {
    return ''
  }
}
