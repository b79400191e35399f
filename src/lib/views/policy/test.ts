/** `policy test`: asks all probes, and shows what is not as expected. */
import type {Entry} from '../../policy/load.js'
import {loadWorld} from '../../policy/load.js'
import type {SideVerdict} from '../../policy/by.js'
import {judgePairs, type TotalVerdict} from '../../policy/explain.js'
import type {Judgement} from '../../policy/judge.js'
import {findParty, type Selection, trafficText} from '../../policy/probe.js'
import {hostOf, workloadOf} from '../../policy/between.js'
import {partyAt} from '../../policy/parties.js'
import type {Workload, World} from '../../policy/world.js'
import {append} from '../../append.js'
import {CalicoError} from '../../errors.js'
import {parseAddress} from '../../net/index.js'
import {BUILT_IN_TIERS} from '../../client/cluster.js'
import {resourceKey} from '../../model/keys.js'
import {API_VERSION} from '../../model/resource.js'
import {ownDocument, type Presentation} from '../../cli/output/presentation.js'
import {currentInvocation} from '../../cli/invocation.js'
import {escapeText} from '../../printable.js'
import type {FileProblem} from '../../resource-files/problem.js'
import {hazardProblems, refuse} from '../../resource-files/load.js'
import {loadFiles, type ReadingFlags} from '../resource-files/options.js'
import {deciderText, type ExpectedBy, isExpected} from './expected-by.js'
import type {End, Probe} from './test-file.js'

export interface Result {
  readonly probe: Probe
  readonly verdict: TotalVerdict
  readonly judgement: Judgement | undefined
  readonly ok: boolean
}

/** The built-in tiers that are not among ENTRIES: the datastore to which files are applied has them, and a policy of a tier that does not exist comes last. */
function missingTiers(entries: readonly Entry[]): Entry[] {
  const there = new Set(entries.map(({key}) => key))
  return BUILT_IN_TIERS.map(({name, spec}) => ({key: resourceKey('Tier', name), value: {kind: 'Tier', apiVersion: API_VERSION, metadata: {name}, spec}})).filter(({key}) => !there.has(key))
}

/** The objects of the files that FLAGS name: of YAML or JSON files as `validate` takes them, with the built-in tiers; of a `datastore save` as they are. @throws CalicoError `invalid` with all problems */
export async function filesWorld(flags: ReadingFlags & {readonly filename: readonly string[]}): Promise<World> {
  const {filename: files} = flags
  const entries: Entry[] = []
  const plain: string[] = []
  for (const file of files) {
    if (await isBackup(file)) for (const entry of await backupEntries(file)) entries.push(entry)
    else plain.push(file)
  }
  if (plain.length > 0) {
    const {objects} = await loadFiles({...flags, filename: plain}, {judge: true})
    refuse(hazardProblems(objects))
    for (const {place, complete, wanted} of objects) entries.push({key: resourceKey(place.kind, place.name, place.namespace), value: complete ?? wanted})
    if (plain.length === files.length) append(entries, missingTiers(entries))
  }
  return loadWorld(entries)
}

const GZIP = [0x1f, 0x8b]
const isGzip = (bytes: Uint8Array): boolean => GZIP.every((byte, index) => bytes[index] === byte)

/** The first bytes of stdin, which stay to be read. */
async function beginningOfStdin(): Promise<Uint8Array> {
  await new Promise((resolve) => process.stdin.once('readable', resolve))
  const bytes = process.stdin.read() as Buffer | null
  if (bytes !== null) process.stdin.unshift(bytes)
  return bytes ?? new Uint8Array()
}

async function isBackup(file: string): Promise<boolean> {
  if (file === '-') return currentInvocation().line === undefined && isGzip(await beginningOfStdin())
  const {readRegularFile} = await import('../../files/read.js')
  try {
    const {bytes} = readRegularFile(file, {largest: Infinity})
    return isGzip(bytes)
  } catch {
    return false // reading it as objects tells why
  }
}

async function backupEntries(file: string): Promise<Entry[]> {
  const [{backupParts}, {withBackup}] = await Promise.all([import('../../backup/format.js'), import('../backup.js')])
  return withBackup(file, async ({name, open}) => {
    const entries: Entry[] = []
    for await (const part of backupParts(open(), name)) if ('entries' in part) for (const entry of part.entries) entries.push(entry)
    return entries
  })
}

/** Asks PROBES of WORLD; with each the mistakes of those that name what is not there. */
export function ask(world: World, probes: readonly Probe[]): {results: Result[]; mistakes: FileProblem[]} {
  const mistakes: FileProblem[] = []
  const ends = new Ends(world)
  const results = probes.flatMap((probe): Result[] => {
    try {
      const {pairs, verdict} = judgePairs(world, ends.find(probe.from), ends.find(probe.to), probe.traffic, probe.family ?? (typeof probe.from === 'object' && typeof probe.to === 'object' && !isIcmp6(probe) && !hasIpv6(probe) ? 4 : undefined))
      const judgement = verdict === 'mixed' ? undefined : pairs[0]?.judgement
      const byFits = probe.by === undefined || (judgement !== undefined && fits(probe.by, judgement))
      const asked = probe.expect !== undefined || probe.by !== undefined
      return [{probe, verdict, judgement, ok: !asked || (verdict !== 'unknown' && verdict !== 'mixed' && (probe.expect ?? verdict) === verdict && byFits)}]
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error
      const {file, line, column} = probe
      mistakes.push({file, position: {line, column}, field: '', message: [error.message, ...error.details].join(' ')})
      return []
    }
  })
  return {results, mistakes}
}

const isIcmp6 = ({traffic}: Probe): boolean => traffic.protocol === 58
const hasIpv6 = ({from, to}: Probe): boolean => [from, to].some((end) => typeof end === 'object' && end.ip?.includes(':'))

class Ends {
  private readonly known = new Map<string, Selection>()
  private readonly byName: ReadonlyMap<string, readonly Workload[]>

  constructor(private readonly world: World) {
    const byName = new Map<string, Workload[]>()
    for (const workload of world.workloads.values()) byName.set(workload.name, [...(byName.get(workload.name) ?? []), workload])
    this.byName = byName
  }

  find(end: End): Selection {
    const key = JSON.stringify(end)
    let found = this.known.get(key)
    if (found === undefined) this.known.set(key, (found = typeof end === 'string' ? findParty(this.world, end) : this.object(end)))
    return found
  }

  private object(end: Exclude<End, string>): Selection {
    const {endpoint, ip, host} = end
    const address = ip === undefined ? undefined : parseAddress(ip)
    const single = (label: string, party: Selection['members'][number]['party'], endpoints: number): Selection => ({label, json: end, single: true, members: [{label, json: end, party, endpoints}]})
    if (host !== undefined) {
      const node = this.world.nodes.get(host)
      if (node === undefined) throw new CalicoError('not-found', `There is no node '${host}'`)
      return single(`host ${host}`, hostOf(node), 0)
    }
    if (endpoint !== undefined) {
      const [workload, ...more] = this.byName.get(endpoint) ?? []
      if (workload === undefined) throw new CalicoError('not-found', `There is no endpoint '${endpoint}'`)
      if (more.length > 0) throw new CalicoError('conflict', `There are endpoints '${endpoint}' in several namespaces`)
      if (address === undefined) return single(`endpoint ${endpoint}`, workloadOf(workload), 1)
      return single(`endpoint ${endpoint}`, (family) => (family === address.family ? {type: 'workload', workload, address} : undefined), 1)
    }
    if (address === undefined) throw new CalicoError('invalid', 'must have one of endpoint, ip and host')
    const party = partyAt(this.world, address)
    return single(ip ?? '', (family) => (family === address.family ? party : undefined), 0)
  }
}

/** Whether some side was decided by a rule with the properties of WANTED. */
const fits = (wanted: ExpectedBy, {egress, ingress, forward}: Judgement): boolean => [egress, ingress, ...forward].some((side) => side !== null && isExpected(wanted, side.by))

const bare = (side: Judgement['egress']): SideVerdict | null => {
  if (side === null) return null
  const {considered: _, ...rest} = side
  return rest
}

const endText = (end: End): string => (typeof end === 'string' ? end : Object.values(end).join(' '))

const flowText = ({from, to, traffic}: Probe): string => `${endText(from)} -> ${endText(to)} ${trafficText(traffic)}`

function whatText({verdict, judgement, probe}: Result): string {
  const decided = (place: string, side: SideVerdict | null): string[] => (side === null ? [] : [`${place}: ${side.verdict} by ${deciderText(side.by, probe.by)}`])
  const sides = judgement === undefined ? [] : [...decided('sender', judgement.egress), ...decided('receiver', judgement.ingress), ...judgement.forward.flatMap((step) => decided(`host endpoint ${step.hostEndpoint} of ${step.host}`, step))]
  const expected = [probe.expect, probe.by === undefined ? undefined : `by ${deciderText(probe.by, probe.by)}`].filter((text) => text !== undefined).join(' ')
  return `expected ${expected}, but it is ${verdict}${judgement?.reason === undefined ? '' : ` (${judgement.reason})`}${sides.length > 0 ? `; ${sides.join('; ')}` : ''}`
}

/** RESULTS as `policy test` shows them: what is not as expected for people, all of them in JSON and YAML. */
export function presentResults(results: readonly Result[]): Presentation<Result> {
  return {
    rows: results,
    columns: [
      {header: 'Probe', value: ({probe}) => flowText(probe)},
      {header: 'Verdict', value: ({verdict}) => verdict},
    ],
    name: ({probe}) => flowText(probe),
    text: (all) => all.filter(({ok}) => !ok).map((result) => `${result.probe.file}:${result.probe.line}:${result.probe.column}: ${flowText(result.probe)}: ${whatText(result)}`),
    sentences: true,
    document: (all) =>
      ownDocument('PolicyTestResult', {
        probes: all.map(({probe, verdict, judgement, ok}) => ({
          ...probe.members,
          file: probe.file,
          line: probe.line,
          verdict,
          ...(judgement?.reason === undefined ? {} : {reason: judgement.reason}),
          egress: bare(judgement?.egress ?? null),
          ingress: bare(judgement?.ingress ?? null),
          forward: judgement?.forward ?? [],
          expected: probe.expect ?? null,
          ok,
        })),
      }),
  }
}

const xml = (text: string): string => escapeText(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

/** RESULTS as a JUnit report. */
export function junit(results: readonly Result[]): string {
  const failures = results.filter(({ok}) => !ok)
  const cases = results.map((result) => {
    const {probe, ok} = result
    const head = `    <testcase classname="${xml(probe.file)}" name="${xml(`${probe.line}: ${flowText(probe)}`)}"`
    return ok ? `${head}/>` : `${head}>\n      <failure message="${xml(whatText(result))}"/>\n    </testcase>`
  })
  return ['<?xml version="1.0" encoding="UTF-8"?>', '<testsuites>', `  <testsuite name="calicoctl policy test" tests="${results.length}" failures="${failures.length}">`, ...cases, '  </testsuite>', '</testsuites>', ''].join('\n')
}
