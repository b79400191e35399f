/** Sets of flows as people write them: `tcp/80,443`, `udp/53 from 1024:65535`, `icmp/8`, `47`, `all`. The canonical form: equal sets give equal texts. */
import type {Family} from '../../net/index.js'
import {ALL_ICMP, ALL_PORTS, allFlowsOf, differenceOf, type FamilyFlows, type FlowSet, intersectionOf, isNoFlow, MAX_ICMP, MAX_PORT, NO_FAMILY_FLOWS, PORT_PROTOCOL_NAMES, sameFamilyFlows, unionOf} from './flow-set.js'
import {type Ranges, type Region, rectangle, sameRegion} from './region.js'

export interface TextOptions {
  /** Flows of each family that never pass: a protocol of which all else is in the set is written without numbers. */
  readonly never?: FlowSet
  /** The families that the two ends share; what holds in all of them is written without one. */
  readonly families?: readonly Family[]
}

const ICMP_NAMES = {4: 'icmp', 6: 'icmpv6'} as const

/** The texts of SET, one for each protocol (and source ports, where they count); none for the empty set. */
export function flowTexts(set: FlowSet, {never, families = [4, 6]}: TextOptions = {}): string[] {
  const shared = ([4, 6] as const).filter((family) => families.includes(family) || !isNoFlow(family === 4 ? set.v4 : set.v6))
  const lists = shared.map((family) => ({family, texts: familyTexts(family === 4 ? set.v4 : set.v6, family, (family === 4 ? never?.v4 : never?.v6) ?? NO_FAMILY_FLOWS)}))
  const [first, second] = lists
  if (first === undefined) return []
  if (second === undefined) return first.texts
  const inBoth = (text: string): boolean => first.texts.includes(text) && second.texts.includes(text)
  const alone = ({family, texts}: typeof first): string[] => texts.filter((text) => !inBoth(text)).map((text) => (text.startsWith('icmp') ? text : `${text} (IPv${family})`))
  return [...first.texts.filter(inBoth), ...alone(first), ...alone(second)]
}

/** The texts of one family's flows. */
export function familyTexts(flows: FamilyFlows, family: Family, never: FamilyFlows = NO_FAMILY_FLOWS): string[] {
  if (isNoFlow(flows)) return []
  const all = allFlowsOf(family)
  const filled = unionOf(flows, intersectionOf(never, all))
  if (sameFamilyFlows(filled, all) && !isNoFlow(differenceOf(flows, never))) return ['all']
  const ports = PORT_PROTOCOL_NAMES.flatMap((name) => (flows[name].length > 0 && sameRegion(filled[name], ALL_PORTS) ? [name] : regionTexts(name, flows[name], MAX_PORT, ' from ')))
  const icmpName = ICMP_NAMES[family]
  const icmp = flows.icmp.length > 0 && sameRegion(filled.icmp, ALL_ICMP) ? [icmpName] : icmpTexts(icmpName, flows.icmp)
  const others = filled.others === all.others && flows.others !== 0n ? ['other protocols'] : protocolTexts(flows.others)
  return [...ports, ...icmp, ...others]
}

const rangeText = (ranges: Ranges): string =>
  Array.from({length: ranges.length / 2}, (_, i) => {
    const [from, to] = [ranges[2 * i] ?? 0, ranges[2 * i + 1] ?? 0]
    return from === to ? String(from) : `${from}:${to}`
  }).join(',')

/** REGION, its x and y as NAME/XS, and NAME/XS + JOIN + YS where not every y is in it. */
function regionTexts(name: string, region: Region, most: number, join: string): string[] {
  const byYs = new Map<string, {xs: number[]; ys: Ranges}>()
  for (const {from, to, ys} of region) {
    const key = ys.join(',')
    const entry = byYs.get(key)
    if (entry) entry.xs.push(from, to)
    else byYs.set(key, {xs: [from, to], ys})
  }
  return [...byYs.values()].map(({xs, ys}) => {
    const head = sameRegion(rectangle(0, most, [0, 0]), xs.length === 2 ? rectangle(xs[0] ?? 0, xs[1] ?? 0, [0, 0]) : []) ? name : `${name}/${rangeText(xs)}`
    return ys.length === 2 && ys[0] === 0 && ys[1] === most ? head : `${head}${join}${rangeText(ys)}`
  })
}

const icmpTexts = (name: string, region: Region): string[] => regionTexts(name, region, MAX_ICMP, '/')

function protocolTexts(bits: bigint): string[] {
  const texts: string[] = []
  for (let from = 1; from < 256; from++) {
    if ((bits & (1n << BigInt(from))) === 0n) continue
    let to = from
    while (to < 255 && (bits & (1n << BigInt(to + 1))) !== 0n) to++
    texts.push(from === to ? String(from) : `${from}:${to}`)
    from = to
  }
  return texts
}
