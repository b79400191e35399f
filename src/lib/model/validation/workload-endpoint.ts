/** Workload endpoints (datamodel-v3 §1.6, §2.4). */
import {parseAddress} from '../../net/address.js'
import {contains, parseCidrOrAddress} from '../../net/cidr.js'
import {isError} from '../../errors.js'
import {portName} from '../schema/rules.js'
import type {WorkloadEndpoint, WorkloadEndpointPort, WorkloadEndpointSpec} from '../types.js'
import {workloadEndpointName} from '../workload-endpoint-name.js'
import {checkPortProtocol} from './endpoint-port.js'
import type {KindRules, Report} from './kind.js'

const ADDRESS_BITS = {4: 32, 6: 128} as const

/** The name that the spec asks for, or why there is none. */
function nameFor({node = '', ...spec}: WorkloadEndpointSpec): {name: string} | {problem: string} {
  try {
    return {name: workloadEndpointName({...spec, node})}
  } catch (error) {
    if (isError(error, 'invalid')) return {problem: error.message}
    throw error
  }
}

/**
 * Calico's client fills in the name, and always sets the two labels that say where the endpoint belongs. It does so after validation, and
 * could not update an endpoint again whose namespace or orchestrator is no label value; here, such a one is refused in the first place.
 */
function complete(endpoint: WorkloadEndpoint): WorkloadEndpoint {
  const {metadata, spec} = endpoint
  const expected = nameFor(spec)
  return {
    ...endpoint,
    metadata: {
      ...metadata,
      name: metadata.name || ('name' in expected ? expected.name : ''),
      labels: {
        ...metadata.labels,
        'projectcalico.org/namespace': metadata.namespace ?? '',
        'projectcalico.org/orchestrator': spec.orchestrator ?? '',
      },
    },
  }
}

function check({metadata, spec}: WorkloadEndpoint, report: Report): void {
  const expected = nameFor(spec)
  if ('problem' in expected) report('spec', `does not identify the endpoint: ${expected.problem}`)
  else if (metadata.name !== expected.name) {
    report('metadata.name', `must be ${expected.name}, made from node, orchestrator, workload and endpoint, not ${metadata.name}`)
  }
  if (!spec.interfaceName) report('spec.interfaceName', 'must be set')
  spec.ipNetworks?.forEach((text, index) => {
    const cidr = parseCidrOrAddress(text)
    if (cidr && cidr.prefix !== ADDRESS_BITS[cidr.family]) {
      report(`spec.ipNetworks[${index}]`, `must be a single address, not the network ${text}`)
    }
  })
  checkNats(spec, report)
  spec.ports?.forEach((port, index) => checkPort(port, `spec.ports[${index}]`, report))
}

function checkNats({ipNATs = [], ipNetworks = []}: WorkloadEndpointSpec, report: Report): void {
  ipNATs.forEach(({internalIP, externalIP}, index) => {
    const field = `spec.ipNATs[${index}]`
    const internal = parseAddress(internalIP)
    const external = parseAddress(externalIP)
    if (internalIP === '' || externalIP === '') report(field, 'must have both internalIP and externalIP')
    if (!internal) return
    if (external && internal.family !== external.family) report(`${field}.externalIP`, 'must be of the same IP version as internalIP')
    const inside = ipNetworks.some((text) => {
      const cidr = parseCidrOrAddress(text)
      return cidr !== undefined && contains(cidr, internal)
    })
    if (!inside) report(`${field}.internalIP`, `must be one of the endpoint's ipNetworks, not ${internalIP}`)
  })
}

function checkPort(port: WorkloadEndpointPort, field: string, report: Report): void {
  checkPortProtocol(port.protocol, field, report)
  if (port.port === 0) report(`${field}.port`, 'must be 1 to 65535, not 0')
  if (port.name === '') {
    if (port.hostPort === 0) report(`${field}.name`, 'must be set, as there is no hostPort')
  } else {
    const problem = portName(port.name)
    if (problem !== undefined) report(`${field}.name`, problem)
  }
}

export const workloadEndpointRules: KindRules<WorkloadEndpoint> = {complete, check}
