/** Profiles (datamodel-v3 §1.3, §2.2). */
import type {Profile} from '../types.js'
import type {KindRules} from './kind.js'
import {checkLabels} from './names.js'
import {checkRules} from './rules.js'

/** Calico's built-in profile that allows everything; it has no object. */
const BUILT_IN = 'projectcalico-default-allow'

export const profileRules: KindRules<Profile> = {
  check: ({metadata, spec}, report) => {
    if (metadata.name === BUILT_IN) report('metadata.name', `cannot be ${BUILT_IN}: Calico provides that profile itself`)
    checkRules(spec.ingress, 'spec.ingress', report)
    checkRules(spec.egress, 'spec.egress', report)
    if (spec.labelsToApply) checkLabels(spec.labelsToApply, 'spec.labelsToApply', report)
  },
}
