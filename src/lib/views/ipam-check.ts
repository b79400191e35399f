/** How the findings of `ipam check` are shown. */
import type {Finding, FindingClass} from '../ipam/findings.js'
import type {CheckResult} from '../ipam/run-check.js'
import {shortId} from '../model/display-name.js'
import {parseWorkloadEndpointName, type WorkloadEndpointSegments} from '../model/workload-endpoint-name.js'
import {ownDocument, type Presentation, shortIds} from '../cli/output/presentation.js'

interface CheckOptions {
  readonly dryRun: boolean
  /** The containers of this host were asked too. */
  readonly docker: boolean
}

/** The line that repairs what is safely repaired; with the witnesses of the check that found it. */
export const repairLine = ({docker}: Pick<CheckOptions, 'docker'>): string => `calicoctl ipam check${docker ? ' --docker' : ''} --repair`

const ENDPOINT = /^workloadendpoint\/[^/]+\/(.+)$/

/** How ENDPOINT's addresses are assigned; undefined where its name does not tell the handle, as of Mesos' ones. */
function handleOfName({node, orchestrator, workload, endpoint}: WorkloadEndpointSegments): string | undefined {
  switch (orchestrator) {
    case 'docker':
      return `docker.${workload}`
    case 'namespace':
      return `namespace.${node}.${workload}`
    case 'libnetwork':
      return `libnetwork.${endpoint}`
    default:
      return undefined
  }
}

/** The endpoint that a finding, whose identity is the one who has the address, is about. */
const endpointOf = ({identity}: Finding): WorkloadEndpointSegments | undefined => parseWorkloadEndpointName(ENDPOINT.exec(identity)?.[1] ?? '')

function unassigned(finding: Finding): string {
  const endpoint = endpointOf(finding)
  const handle = endpoint && handleOfName(endpoint)
  if (endpoint && handle !== undefined) return `calicoctl ipam assign ${finding.subject} --node ${endpoint.node} --handle ${handle}`
  if (endpoint) return `calicoctl endpoint remove ${endpoint.endpoint}`
  const node = /^node\/(.+)$/.exec(finding.identity)?.[1]
  if (node !== undefined) return `on ${node}: calicoctl node`
  const container = /^container (.+)$/.exec(finding.identity)?.[1]
  return container === undefined ? `calicoctl ipam assign ${finding.subject}` : `calicoctl container ${container} ip add ${finding.subject}`
}

function shared(finding: Finding): string {
  const endpoint = endpointOf(finding)
  if (!endpoint) return 'calicoctl endpoint show --detailed'
  // `endpoint remove` refuses one that is connected.
  const isContainer = endpoint.orchestrator === 'docker' && /^[0-9a-f]{64}$/.test(endpoint.workload)
  return `${isContainer ? `on ${endpoint.node}: calicoctl container remove ${shortId(endpoint.workload)}` : `calicoctl endpoint remove ${endpoint.endpoint}`}, or the other one`
}

/** What mends a finding that --repair leaves to someone's judgement, or what to look at it with. */
const REMEDIES: Readonly<Partial<Record<FindingClass, (finding: Finding) => string>>> = {
  'unassigned-address': unassigned,
  'shared-address': shared,
  'twice-assigned-address': ({subject}) => `calicoctl endpoint remove ${subject}, then start its container again`,
  'nested-block': () => 'calicoctl endpoint remove for each address in it, then calicoctl ipam check --repair',
  unreadable: ({subject}) => `etcdctl get ${subject}; etcdctl del ${subject} if it is not needed`,
}

/** The command that mends FINDING. */
export const remedyOf = (finding: Finding, options: Pick<CheckOptions, 'docker'>): string =>
  finding.repair ? repairLine(options) : (REMEDIES[finding.class]?.(finding) ?? '')

export function presentCheck({findings, counts, repaired}: CheckResult, options: CheckOptions): Presentation<Finding> {
  const {dryRun} = options
  const done = new Set(repaired.map(({class: kind, subject}) => `${kind}\n${subject}`))
  const isRepaired = ({class: kind, subject}: Finding): boolean => done.has(`${kind}\n${subject}`)
  const stateText = (finding: Finding): string => (isRepaired(finding) ? (dryRun ? 'would be repaired' : 'repaired') : remedyOf(finding, options))
  const presentation: Presentation<Finding> = {
    rows: findings,
    columns: [
      {header: 'Code', value: (finding) => finding.class},
      {header: 'Subject', value: ({subject}) => subject, short: ({subject}) => shortIds(subject)},
      {header: 'Problem', value: ({message}) => message, short: ({message}) => shortIds(message), prose: true},
      {header: 'Repair', value: stateText, prose: true, command: true},
    ],
    name: ({subject}) => subject,
    document: (all) =>
      ownDocument('AddressCheck', {
        counts,
        problems: all.map((finding) => ({class: finding.class, subject: finding.subject, message: finding.message, repairable: finding.repair !== undefined, repaired: isRepaired(finding) && !dryRun, command: remedyOf(finding, options)})),
      }),
    alignment: 'left',
  }
  return findings.length === 0 ? {...presentation, text: () => []} : presentation
}
