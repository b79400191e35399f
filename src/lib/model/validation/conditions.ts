/** The conditions in the status of pools and tiers, as their schemas want them. */
import {oneOf} from '../schema/codec.js'
import type {Condition, ConditionsStatus} from '../types.js'
import type {Report} from './kind.js'
import {isQualifiedName} from './names.js'

const REASON = /^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/
const LONGEST = {type: 316, reason: 1024, message: 32768} as const

const isStatus = oneOf(['True', 'False', 'Unknown'])

/** Checks STATUS, which may be absent. */
export function checkConditions(status: ConditionsStatus | undefined, report: Report): void {
  status?.conditions?.forEach((condition, index) => checkCondition(condition, `status.conditions[${index}]`, report))
}

function checkCondition(condition: Condition, field: string, report: Report): void {
  if (!isConditionType(condition.type)) report(`${field}.type`, `must be a qualified name, not ${JSON.stringify(condition.type)}`)
  const problem = isStatus(condition.status)
  if (problem !== undefined) report(`${field}.status`, problem)
  if (!condition.lastTransitionTime) report(`${field}.lastTransitionTime`, 'must be set')
  if (!REASON.test(condition.reason)) report(`${field}.reason`, `must be one word, not ${JSON.stringify(condition.reason)}`)
  if (condition.observedGeneration !== undefined && condition.observedGeneration < 0) report(`${field}.observedGeneration`, 'must not be negative')
  for (const name of ['type', 'reason', 'message'] as const) {
    if (condition[name].length > LONGEST[name]) report(`${field}.${name}`, `must have at most ${LONGEST[name]} characters`)
  }
}

/** Like a label key, but the last part may be longer. */
const isConditionType = (type: string): boolean => {
  const slash = type.lastIndexOf('/')
  return isQualifiedName(`${type.slice(0, slash + 1)}x`) && /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/.test(type.slice(slash + 1))
}
