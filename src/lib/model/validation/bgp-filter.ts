/** BGP filters: rules over several fields (more-kinds §1). */
import {oneOf} from '../schema/codec.js'
import type {BGPFilter, BGPFilterOperation, BGPFilterRule} from '../types.js'
import type {KindRules, Report} from './kind.js'

/** The lists of a filter, in the order in which they are written. */
const FILTER_LISTS = ['exportV4', 'importV4', 'exportV6', 'importV6'] as const

const MOST_OPERATIONS = 10
const MOST_PREPENDED = 10
const isAction = oneOf(['Accept', 'Reject'])

function check({spec}: BGPFilter, report: Report): void {
  for (const list of FILTER_LISTS) spec[list]?.forEach((rule, index) => checkFilterRule(rule, `spec.${list}[${index}]`, report))
}

function checkFilterRule(rule: BGPFilterRule, field: string, report: Report): void {
  const wrongAction = isAction(rule.action)
  if (wrongAction !== undefined) report(`${field}.action`, wrongAction)
  if ((rule.cidr === undefined) !== (rule.matchOperator === undefined)) report(field, 'needs both or neither of cidr and matchOperator')
  if (rule.prefixLength && rule.cidr === undefined) report(`${field}.prefixLength`, 'needs a cidr')
  if (rule.communities && rule.communities.values?.length !== 1) report(`${field}.communities.values`, 'must have exactly one entry')
  const operations = rule.operations ?? []
  if (operations.length > 0 && rule.action === 'Reject') report(`${field}.operations`, 'can only be used with the action Accept')
  if (operations.length > MOST_OPERATIONS) report(`${field}.operations`, `must have at most ${MOST_OPERATIONS} entries`)
  operations.forEach((operation, index) => checkOperation(operation, `${field}.operations[${index}]`, report))
}

function checkOperation({addCommunity, prependASPath, setPriority}: BGPFilterOperation, field: string, report: Report): void {
  if ([addCommunity, prependASPath, setPriority].filter((one) => one !== undefined).length !== 1) {
    report(field, 'must have exactly one of addCommunity, prependASPath and setPriority')
  }
  if (addCommunity && addCommunity.value === undefined) report(`${field}.addCommunity.value`, 'must be set')
  if (setPriority && setPriority.value === undefined) report(`${field}.setPriority.value`, 'must be set')
  const prepended = prependASPath?.prefix?.length ?? 0
  if (prependASPath && (prepended < 1 || prepended > MOST_PREPENDED)) {
    report(`${field}.prependASPath.prefix`, `must have 1 to ${MOST_PREPENDED} AS numbers, not ${prepended}`)
  }
}

export const bgpFilterRules: KindRules<BGPFilter> = {check}
