/** BGP configurations (datamodel-v3 §1.9, §2.5). */
import {resourceName} from '../schema/rules.js'
import type {BGPConfiguration, BGPConfigurationSpec} from '../types.js'
import type {KindRules, Report} from './kind.js'

/** Fields that only the object `default` may have. */
const GLOBAL_FIELDS: readonly (keyof BGPConfigurationSpec)[] = [
  'nodeToNodeMeshEnabled',
  'asNumber',
  'serviceLoadBalancerIPs',
  'serviceExternalIPs',
  'serviceClusterIPs',
  'nodeMeshPassword',
  'nodeMeshMaxRestartTime',
]

function complete(configuration: BGPConfiguration): BGPConfiguration {
  const {spec} = configuration
  return {
    ...configuration,
    spec: {
      ...spec,
      logSeverityScreen: spec.logSeverityScreen ?? 'Info',
      serviceLoadBalancerAggregation: spec.serviceLoadBalancerAggregation ?? 'Enabled',
    },
  }
}

const COMMUNITY = /^\d+:\d+(:\d+)?$/

/** What is wrong with a community's value: `16 bits:16 bits`, or three numbers of 32 bits. */
function communityProblem(value: string): string | undefined {
  const numbers = COMMUNITY.test(value) ? value.split(':').map(Number) : []
  const most = numbers.length === 3 ? 2 ** 32 - 1 : 65535
  if (numbers.length > 0 && numbers.every((number) => number <= most)) return undefined
  return `must be a community such as 64512:100 or 64512:1:100, not ${JSON.stringify(value)}`
}

function check({metadata, spec}: BGPConfiguration, report: Report): void {
  if (metadata.name !== 'default') {
    for (const name of GLOBAL_FIELDS) if (spec[name] !== undefined) report(`spec.${name}`, 'can only be set in the object called default')
  }
  if (spec.nodeToNodeMeshEnabled === false) {
    for (const name of ['nodeMeshPassword', 'nodeMeshMaxRestartTime'] as const) {
      if (spec[name] !== undefined) report(`spec.${name}`, 'cannot be set while the mesh is disabled')
    }
  }
  checkCommunities(spec, report)
}

function checkCommunities({communities = [], prefixAdvertisements = []}: BGPConfigurationSpec, report: Report): void {
  communities.forEach(({name = '', value = ''}, index) => {
    const field = `spec.communities[${index}]`
    const [wrongName, wrongValue] = [resourceName(name), communityProblem(value)]
    if (wrongName !== undefined) report(`${field}.name`, wrongName)
    if (wrongValue !== undefined) report(`${field}.value`, wrongValue)
  })
  if (communities.length > 0 && prefixAdvertisements.length === 0) report('spec.communities', 'is not used by any of prefixAdvertisements')
  prefixAdvertisements.forEach(({cidr, communities: used}, index) => {
    const field = `spec.prefixAdvertisements[${index}]`
    if (!cidr) report(`${field}.cidr`, 'must be set')
    if (!used) report(`${field}.communities`, 'must be set')
    used?.forEach((community, place) => {
      const problem = communityProblem(community)
      const defined = !COMMUNITY.test(community) && communities.some(({name}) => name === community)
      if (problem !== undefined && !defined) report(`${field}.communities[${place}]`, `${problem}, nor is it one of spec.communities`)
    })
  })
}

export const bgpConfigurationRules: KindRules<BGPConfiguration> = {complete, check}
