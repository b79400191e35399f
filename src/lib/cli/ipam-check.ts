/** How the findings of `ipam check` are shown. */
import type {Finding} from '../ipam/findings.js'
import type {CheckResult} from '../ipam/run-check.js'
import {ownDocument, type Presentation} from './output/presentation.js'

export function presentCheck({findings, counts, repaired}: CheckResult, {dryRun}: {dryRun: boolean}): Presentation<Finding> {
  const done = new Set(repaired.map(({class: kind, subject}) => `${kind}\n${subject}`))
  const isRepaired = ({class: kind, subject}: Finding): boolean => done.has(`${kind}\n${subject}`)
  const stateText = (finding: Finding): string => (isRepaired(finding) ? (dryRun ? 'would be repaired' : 'repaired') : finding.repair ? 'can be repaired' : '')
  const presentation: Presentation<Finding> = {
    rows: findings,
    columns: [
      {header: 'Problem', value: (finding) => finding.class},
      {header: 'Subject', value: ({subject}) => subject},
      {header: 'What is wrong', value: ({message}) => message},
      {header: 'Repair', value: stateText},
    ],
    name: ({subject}) => subject,
    document: (all) =>
      ownDocument('AddressCheck', {
        counts,
        problems: all.map((finding) => ({class: finding.class, subject: finding.subject, message: finding.message, repairable: finding.repair !== undefined, repaired: isRepaired(finding) && !dryRun})),
      }),
    alignment: 'left',
  }
  return findings.length === 0 ? {...presentation, text: () => []} : presentation
}
