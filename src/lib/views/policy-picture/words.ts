/** What the boxes and arrows of a picture are called. */
import {escapeText} from '../../printable.js'
import type {MatrixGroup} from '../../policy/matrix.js'
import {type Arrow, type Box, type Drawing, groupsIn} from './drawing.js'

const LONGEST_FLOWS = 34

/** TEXT, escaped, of at most LENGTH characters. */
export function shortened(text: string, length: number): string {
  const characters = Array.from(escapeText(text))
  return characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : characters.join('')
}

export const flowText = (flows: readonly string[]): string => shortened(flows.join(' '), LONGEST_FLOWS)

/** Whether all may pass, or all but something. */
export const passesAll = (flows: readonly string[]): boolean => flows.some((text) => text.startsWith('all'))

export const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? '' : 's'}`

/** The number of endpoints of BOX. */
export const endpointsOf = ({groups}: Box): number => groups.reduce((sum, {workloads}) => sum + workloads.length, 0)

/** What GROUP is called in a picture. */
export const groupName = ({type, name, networks}: MatrixGroup): string => (type === 'outside' && networks.length === 0 ? 'outside (all other addresses)' : name)

/** What BOX is called. */
export function boxName({groups}: Box): string {
  const [first] = groups
  if (first === undefined) return ''
  return groups.length === 1 ? groupName(first) : `${groupName(first)} and ${groups.length - 1} more`
}

/** What BOX has, in few words. */
export function boxDetail(box: Box): string {
  const [first] = box.groups
  const several = box.groups.length > 1
  const what = first?.type === 'workloads' ? `${several ? `${box.groups.length} groups, ` : ''}${count(endpointsOf(box), 'endpoint')}` : first?.type === 'host' ? `processes of ${several ? `${box.groups.length} nodes` : 'a node'}` : several ? `${box.groups.length} groups of addresses` : 'addresses'
  const where = first?.type === 'workloads' && first.node !== null && !several ? ` on ${first.node}` : ''
  return `${what}${where}${first?.unknown === undefined ? '' : ', unknown'}`
}

/** Boxes that are named as exceptions. */
const MOST_EXCEPTIONS = 2

/** Boxes that are named one by one. */
const MOST_NAMED = 2

const isOutside = ({groups: [first]}: Box): boolean => first?.type === 'outside'

/** How CROWD, the other ends of an arrow, is called beside BOX: everyone, everyone but a few of which nothing PASSES, those with a label that no one else has, or a number of groups. */
function crowdName(drawing: Drawing, crowd: readonly Box[], box: Box, passes: (other: Box) => boolean): string {
  const named = new Set(crowd.filter((one) => one !== box))
  const eligible = drawing.boxes.filter((one) => one !== box && one.groups[0]?.unknown === undefined && !(isOutside(one) && isOutside(box)))
  const missing = eligible.filter((one) => !named.has(one))
  const outside = eligible.filter(isOutside)
  const withOutside = outside.filter((one) => named.has(one)).length
  const absent = missing.filter((one) => !isOutside(one))
  if (withOutside === outside.length || withOutside === 0) {
    const everyone = withOutside === outside.length ? 'everyone' : 'everyone inside'
    if (absent.length === 0) return everyone
    if (absent.length <= MOST_EXCEPTIONS && named.size > 2 * absent.length && absent.every((one) => one.groups.length === 1 && !passes(one))) return `${everyone} but ${absent.map((one) => shortened(boxName(one), 20)).join(' and ')}`
  }
  if (named.size <= MOST_NAMED) return [...named].map((one) => shortened(boxName(one), 20)).join(', ')
  const groups = groupsIn([...named])
  const label = commonLabel([...named], missing)
  return label === undefined ? `${groups} of ${groupsIn(eligible)} groups` : `${count(groups, 'group')} with ${shortened(label, 24)}`
}

const labelTexts = ({labels}: MatrixGroup): string[] => Object.entries(labels).flatMap(([name, value]) => (name.startsWith('projectcalico.org/') ? [] : [value === '' ? name : `${name}=${value}`]))

/** A label that all groups of NAMED have and none of OTHERS has. */
function commonLabel(named: readonly Box[], others: readonly Box[]): string | undefined {
  const [first, ...more] = named.flatMap(({groups}) => groups)
  if (first === undefined) return undefined
  const has = (group: MatrixGroup, label: string): boolean => labelTexts(group).includes(label)
  return labelTexts(first).sort().find((label) => more.every((group) => has(group, label)) && !others.some(({groups}) => groups.some((group) => has(group, label))))
}

/** What stands in BOX for ARROW, which is not drawn as lines. */
export function rowText(drawing: Drawing, arrow: Arrow, box: Box): string {
  const flows = flowText(arrow.flows)
  switch (arrow.shape) {
    case 'within':
      return `${box.groups.length > 1 ? 'within each' : 'among themselves'}: ${flows}`
    case 'among':
      return `among these groups: ${flows}`
    case 'to':
      return `→ ${crowdName(drawing, arrow.receivers, box, (other) => passes(drawing, box, other))}: ${flows}`
    default:
      return `← ${crowdName(drawing, arrow.senders, box, (other) => passes(drawing, other, box))}: ${flows}`
  }
}

/** Whether anything passes from one box to the other. */
const passes = ({arrows}: Drawing, from: Box, to: Box): boolean => arrows.some(({senders, receivers}) => senders.includes(from) && receivers.includes(to))

/** How the other ends are called beside each of BOXES, as NAMEBESIDE tells; undefined where that is not the same beside all. */
function sharedCrowdName(boxes: readonly Box[], nameBeside: (box: Box) => string): string | undefined {
  const names = new Set(boxes.map(nameBeside))
  return names.size === 1 ? [...names][0] : undefined
}

/** What ARROW says, in one line. */
export function arrowTitle(drawing: Drawing, {senders, receivers, flows, shape}: Arrow): string {
  const text = flows.join(' ')
  const [first] = senders
  if (first && shape === 'within') return `${boxName(first)}, ${first.groups.length > 1 ? 'within each' : 'among themselves'}: ${text}`
  if (first && shape === 'among') return `${boxName(first)}, among these groups: ${text}`
  const names = (boxes: readonly Box[]): string => (boxes.length > 3 ? `${boxes.slice(0, 2).map(boxName).join(', ')} and ${boxes.length - 2} more` : boxes.map(boxName).join(', '))
  if (isMutual({senders, receivers})) return `${names(senders)}, in both directions: ${text}`
  const from = shape === 'from' ? sharedCrowdName(receivers, (box) => crowdName(drawing, senders, box, (other) => passes(drawing, other, box))) : undefined
  const to = shape === 'to' ? sharedCrowdName(senders, (box) => crowdName(drawing, receivers, box, (other) => passes(drawing, box, other))) : undefined
  return `${from ?? names(senders)} → ${to ?? names(receivers)}: ${text}`
}

/** Whether each of the ends of ARROW is at both. */
export const isMutual = ({senders, receivers}: Pick<Arrow, 'senders' | 'receivers'>): boolean => senders.length === receivers.length && senders.every((box) => receivers.includes(box))
