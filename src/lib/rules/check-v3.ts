/** Rules given as Calico's own v3 JSON, judged as Calico's client would in a profile. */
import {accept, unknownFields} from '../model/accept.js'

const IN_PROFILE = /^spec\.ingress\[0\]\.?/

const profileOf = (rule: object): object => ({metadata: {name: 'web'}, spec: {ingress: [rule]}})

/** What is wrong with RULE, fields by their path in it. Fields that are unknown are none of it. */
export function v3Problems(rule: object): string[] {
  return accept('Profile', profileOf(rule), {operation: 'create'}).problems.map(({field, message}) => {
    const path = field.replace(IN_PROFILE, '')
    return path === '' ? message : `${path}: ${message}`
  })
}

/** Paths of the fields of RULE that Calico v3.32 does not know. */
export function unknownV3Fields(rule: object): string[] {
  return unknownFields('Profile', profileOf(rule)).map((field) => field.replace(IN_PROFILE, ''))
}
