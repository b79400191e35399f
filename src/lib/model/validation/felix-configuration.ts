/** Felix configurations (datamodel-v3 §1.17, §2.5). */
import {portRange} from '../schema/values.js'
import type {FelixConfiguration, FelixConfigurationSpec} from '../types.js'
import type {KindRules, Report} from './kind.js'

const MOST_TABLES = 0xffff
const MOST_TABLE = 0xffffffff
const MOST_NODE_PORT_RANGES = 7
const OVERRIDE_NAME = /^[a-zA-Z0-9_ -]+$/

/** The fields that Calico's client adds on every write, to an empty spec too. */
function complete(configuration: FelixConfiguration): FelixConfiguration {
  const {spec} = configuration
  const legacy = spec.bpfConnectTimeLoadBalancingEnabled
  return {
    ...configuration,
    spec: {
      ...spec,
      nftablesMode: spec.nftablesMode ?? 'Auto',
      bpfConnectTimeLoadBalancing: legacy === undefined ? (spec.bpfConnectTimeLoadBalancing ?? 'TCP') : legacy ? 'Enabled' : 'Disabled',
      bpfHostNetworkedNATWithoutCTLB: legacy === undefined ? (spec.bpfHostNetworkedNATWithoutCTLB ?? 'Enabled') : 'Disabled',
      floatingIPs: spec.floatingIPs ?? 'Disabled',
    },
  }
}

function check({metadata, spec}: FelixConfiguration, report: Report): void {
  if (spec.nodeSelector !== undefined && (metadata.name === 'default' || metadata.name.startsWith('node.'))) {
    report('spec.nodeSelector', 'cannot be set in default and node.* configurations')
  }
  const ranges = spec.kubeNodePortRanges ?? []
  if (ranges.length > MOST_NODE_PORT_RANGES) report('spec.kubeNodePortRanges', `must have at most ${MOST_NODE_PORT_RANGES} entries`)
  ranges.forEach((port, index) => {
    if (portRange(port) === undefined) report(`spec.kubeNodePortRanges[${index}]`, `must be a port or range, not the name ${port}`)
  })
  spec.healthTimeoutOverrides?.forEach(({name, timeout}, index) => {
    const field = `spec.healthTimeoutOverrides[${index}]`
    if (!OVERRIDE_NAME.test(name)) report(`${field}.name`, `must be letters, digits, "_", "-" and blanks, not ${JSON.stringify(name)}`)
    if (timeout.startsWith('-')) report(`${field}.timeout`, `must not be negative: ${timeout}`)
  })
  checkRouteTables(spec, report)
}

function checkRouteTables({routeTableRange: one, routeTableRanges: several}: FelixConfigurationSpec, report: Report): void {
  if (one && several) report('spec.routeTableRange', 'cannot be combined with routeTableRanges')
  if (one && !(one.min >= 1 && one.max >= one.min && one.max <= 250)) {
    report('spec.routeTableRange', `must be a range within 1 to 250, not ${one.min} to ${one.max}`)
  }
  several?.forEach(({min, max}, index) => {
    if (min > max || min < 1 || max > MOST_TABLE) report(`spec.routeTableRanges[${index}]`, `must be a range from 1 to ${MOST_TABLE}, not ${min} to ${max}`)
  })
  if ((several ?? []).reduce((sum, {min, max}) => sum + max - min + 1, 0) > MOST_TABLES) {
    report('spec.routeTableRanges', `must have at most ${MOST_TABLES} tables in all`)
  }
}

export const felixConfigurationRules: KindRules<FelixConfiguration> = {complete, check}
