/** IP pools (datamodel-v3 §1.5, §2.3). */
import {type Cidr, equalNetworks, formatCidr, isNetwork, networkOf, overlaps, parseCidr} from '../../net/cidr.js'
import type {Resource} from '../resource.js'
import type {IPPool, IPPoolSpec} from '../types.js'
import {checkConditions} from './conditions.js'
import type {KindRules, Report, Situation} from './kind.js'

const LONGEST_CIDR = 48
const BLOCK_SIZES = {4: {least: 20, most: 32, usual: 26}, 6: {least: 116, most: 128, usual: 122}} as const
const LINK_LOCAL = {4: '169.254.0.0/16', 6: 'fe80::/10'} as const

const enabled = (mode: string | undefined): boolean => mode !== undefined && mode !== 'Never'

const usesOf = (spec: Partial<IPPoolSpec>): readonly string[] => spec.allowedUses ?? []

/** An IPv4 network written as IPv6, `::ffff:10.0.0.0/104`: Calico compares 104 with the block size of IPv4. */
const isMapped = (text: string, cidr: Cidr): boolean => cidr.family === 4 && text.includes(':')

/** The pool as Calico reads and stores it: the CIDR canonical, and everything it leaves to defaults spelled out. */
function complete(pool: IPPool): IPPool {
  const cidr = parseCidr(pool.spec.cidr)
  const {spec} = pool
  const canonical = cidr !== undefined && isNetwork(cidr) && !(isMapped(spec.cidr, cidr) && !spec.disabled)
  return {
    ...pool,
    spec: {
      ...spec,
      // A CIDR that is refused below stays as it was given, so that the message can show it.
      cidr: canonical ? formatCidr(cidr) : spec.cidr,
      vxlanMode: spec.vxlanMode ?? 'Never',
      ipipMode: spec.ipipMode ?? 'Never',
      blockSize: spec.blockSize ?? BLOCK_SIZES[cidr?.family ?? 4].usual,
      nodeSelector: spec.nodeSelector ?? 'all()',
      allowedUses: spec.allowedUses ?? ['Workload', 'Tunnel'],
      assignmentMode: spec.assignmentMode ?? 'Automatic',
    },
  }
}

function check(pool: IPPool, report: Report, situation: Situation): void {
  const cidr = parseCidr(pool.spec.cidr)
  if (cidr) {
    checkCidr(cidr, pool.spec, report)
    if (situation.operation === 'create') checkNeighbours(pool, cidr, report, situation)
    else checkUnchanged(pool.spec, cidr, report, situation.previous as IPPool | undefined)
  } else {
    const shown = pool.spec.cidr === '' ? 'must be set' : `must be a CIDR such as 192.168.0.0/16, not ${JSON.stringify(pool.spec.cidr)}`
    report('spec.cidr', shown)
  }
  checkModes(pool.spec, cidr, report)
  checkUses(pool.spec, report)
  checkConditions(pool.status, report)
}

function checkCidr(cidr: Cidr, {blockSize = 0, disabled = false, ...spec}: IPPoolSpec, report: Report): void {
  const {least, most} = BLOCK_SIZES[cidr.family]
  if (spec.cidr.length > LONGEST_CIDR) report('spec.cidr', `must have at most ${LONGEST_CIDR} characters`)
  if (isMapped(spec.cidr, cidr)) report('spec.cidr', `must be written as IPv4: ${formatCidr(cidr)}`)
  if (!isNetwork(cidr)) report('spec.cidr', `must be a network without host bits: ${formatCidr(networkOf(cidr))}, not ${spec.cidr}`)
  if (blockSize < least || blockSize > most) report('spec.blockSize', `must be ${least} to ${most} for IPv${cidr.family}, not ${blockSize}`)
  if (!disabled && cidr.prefix > blockSize) report('spec.cidr', `is smaller than one block (/${blockSize})`)
  const linkLocal = parseCidr(LINK_LOCAL[cidr.family])
  if (linkLocal && overlaps(cidr, linkLocal)) report('spec.cidr', `overlaps the link-local range ${LINK_LOCAL[cidr.family]}`)
}

/** A new pool must not overlap another one, nor blocks of another size that hold addresses. */
function checkNeighbours(pool: IPPool, cidr: Cidr, report: Report, {others = [], blocks = []}: Situation): void {
  for (const other of others as readonly IPPool[]) {
    const otherCidr = other.metadata.name === pool.metadata.name ? undefined : parseCidr(specOf(other).cidr ?? '')
    if (otherCidr && overlaps(cidr, otherCidr)) report('spec.cidr', `overlaps the pool ${other.metadata.name} (${formatCidr(otherCidr)})`)
  }
  const conflict = blocks.find((text) => {
    const block = parseCidr(text)
    return block !== undefined && block.prefix !== pool.spec.blockSize && overlaps(block, cidr)
  })
  if (conflict !== undefined) report('spec.blockSize', `differs from the size of the existing block ${conflict}`)
}

const specOf = (pool: Resource): Partial<IPPoolSpec> => pool.spec

function checkUnchanged(spec: IPPoolSpec, cidr: Cidr, report: Report, stored: IPPool | undefined): void {
  if (!stored) return
  const previous = complete(stored).spec
  const previousCidr = parseCidr(previous.cidr)
  if (!previousCidr || !equalNetworks(networkOf(previousCidr), networkOf(cidr))) {
    report('spec.cidr', `cannot be changed (it is ${previous.cidr}): make a new pool`)
  }
  if (previous.blockSize !== spec.blockSize) report('spec.blockSize', `cannot be changed (it is ${previous.blockSize ?? 0}): make a new pool`)
  if (usesOf(previous).includes('LoadBalancer') && usesOf(spec).some((use) => use !== 'LoadBalancer')) {
    report('spec.allowedUses', 'cannot be changed from LoadBalancer to Workload or Tunnel')
  }
}

function checkModes(spec: IPPoolSpec, cidr: Cidr | undefined, report: Report): void {
  if (enabled(spec.ipipMode) && enabled(spec.vxlanMode)) report('spec.ipipMode', 'cannot be combined with VXLAN: one of the two must be Never')
  if (cidr?.family === 6 && enabled(spec.ipipMode)) report('spec.ipipMode', 'must be Never for IPv6, which has no IPIP')
  if (usesOf(spec).includes('LoadBalancer') && (enabled(spec.ipipMode) || enabled(spec.vxlanMode))) {
    report('spec.allowedUses', 'LoadBalancer cannot be combined with IPIP or VXLAN')
  }
}

function checkUses(spec: IPPoolSpec, report: Report): void {
  const uses = usesOf(spec)
  if (uses.length > 10) report('spec.allowedUses', 'must have at most 10 entries')
  if (uses.includes('LoadBalancer')) {
    if (uses.some((use) => use !== 'LoadBalancer')) report('spec.allowedUses', 'LoadBalancer cannot be combined with Workload or Tunnel')
    if (spec.disableBGPExport) report('spec.disableBGPExport', 'must be false for a LoadBalancer pool')
    if (spec.nodeSelector !== 'all()') report('spec.nodeSelector', 'must be all() for a LoadBalancer pool')
  }
  if (uses.includes('Tunnel') && spec.namespaceSelector) {
    report('spec.namespaceSelector', 'cannot be set for a pool that Tunnel addresses come from: set allowedUses without Tunnel')
  }
  for (const name of ['nodeSelector', 'namespaceSelector'] as const) {
    if (spec[name]?.includes('global(')) report(`spec.${name}`, 'cannot use global(): write all()')
  }
}

export const ipPoolRules: KindRules<IPPool> = {complete, check}
