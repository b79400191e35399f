/** Rules given as Calico's own v3 JSON, judged as Calico's client would in a profile. */
import {accept, unknownFields} from '../model/accept.js'
import {hazards} from '../model/hazards.js'

const IN_PROFILE = /^spec\.ingress\[0\]\.?/

const profileOf = (rule: object): object => ({metadata: {name: 'web'}, spec: {ingress: [rule]}})

/** What is wrong with RULE, fields by their path in it: what Calico refuses, and what opens more than it says or stops Felix. Unknown fields are none of it. */
export function v3Problems(rule: object): string[] {
  const profile = profileOf(rule)
  const unknown = unknownFields('Profile', profile)
  const open = hazards('Profile', profile).filter(({field, level}) => level !== 'wider' && !unknown.includes(field))
  const problems = accept('Profile', profile, {operation: 'create'}).problems
  return [...problems, ...open.filter(({field}) => !problems.some((problem) => problem.field === field))].map(({field, message}) => {
    const path = field.replace(IN_PROFILE, '')
    return path === '' ? message : `${path}: ${message}`
  })
}

/** Paths of the fields of RULE that Calico v3.32 does not know. */
export function unknownV3Fields(rule: object): string[] {
  return unknownFields('Profile', profileOf(rule)).map((field) => field.replace(IN_PROFILE, ''))
}
