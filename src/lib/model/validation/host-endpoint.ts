/** Host endpoints (datamodel-v3 §1.7, §2.4). */
import {portName} from '../schema/rules.js'
import type {HostEndpoint} from '../types.js'
import {checkPortProtocol} from './endpoint-port.js'
import type {KindRules} from './kind.js'

export const hostEndpointRules: KindRules<HostEndpoint> = {
  check: ({spec}, report) => {
    if (!spec.node) report('spec.node', 'must be set')
    if (!spec.interfaceName && !spec.expectedIPs?.length) report('spec', 'must have interfaceName or expectedIPs')
    spec.ports?.forEach((port, index) => {
      const field = `spec.ports[${index}]`
      const problem = portName(port.name)
      if (problem !== undefined) report(`${field}.name`, problem)
      checkPortProtocol(port.protocol, field, report)
      if (port.port === 0) report(`${field}.port`, 'must be 1 to 65535, not 0')
    })
  },
}
