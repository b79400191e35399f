/** The files of `policy test`: which flows are asked about, and what is expected of each. Every mistake is reported, with its place. */
import {isObject} from '../../json/is-object.js'
import {parseFile, type Item} from '../../resource-files/documents.js'
import {type FileProblem, problemLine} from '../../resource-files/problem.js'
import {readSources, type Source} from '../../resource-files/sources.js'
import type {OwnContent} from '../../documents/own.js'
import {CalicoError} from '../../errors.js'
import {parseAddress} from '../../net/index.js'
import {hasPorts} from '../../policy/packets.js'
import {parseTraffic, protocolOf, type Traffic} from '../../policy/probe.js'
import {nearest} from '../../cli/suggest.js'
import {readInput} from '../resource-files/options.js'
import {type ExpectedBy, readExpectedBy} from './expected-by.js'

/** One end of a probe: a word as `policy explain` takes it, or an object as in golden/policy.jsonl. */
export type End = string | {readonly endpoint?: string; readonly ip?: string; readonly host?: string}

/** A probe's own members: those that say what is asked. */
export type ProbeMembers = Pick<OwnContent<'PolicyTestResult'>['probes'][number], 'from' | 'to' | 'proto' | 'dport' | 'sport' | 'icmpType' | 'icmpCode' | 'ipVersion'>

export interface Probe {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly from: End
  readonly to: End
  readonly traffic: Traffic
  readonly family: 4 | 6 | undefined
  readonly expect: 'allow' | 'deny' | undefined
  /** What the deciding rule of some side must be. */
  readonly by: ExpectedBy | undefined
  /** What the file says, without what is expected. */
  readonly members: ProbeMembers
}

const MEMBERS = ['from', 'to', 'proto', 'dport', 'sport', 'icmpType', 'icmpCode', 'ipVersion', 'expect', 'by']
const END_MEMBERS = ['endpoint', 'ip', 'host']
const DOCUMENT = ['apiVersion', 'kind', 'metadata', 'probes']
const SHORT = /^\s*(\S+)\s+->\s+(\S+)\s+(\S+?)(?:\s+(allow|deny))?\s*$/

/** The probes of the files at PATHS, `-` is stdin, and the mistakes of all files. RECURSIVE: of a folder those of the folders in it, too. */
export async function readProbes(paths: readonly string[], {recursive}: {readonly recursive: boolean}): Promise<{probes: Probe[]; mistakes: FileProblem[]}> {
  const {sources, problems} = await readSources(paths, {recursive, stdin: readInput})
  const {probes, mistakes} = probesIn(sources)
  return {probes, mistakes: [...problems, ...mistakes]}
}

/** The probes of SOURCES, and the mistakes of all of them. */
export function probesIn(sources: readonly Source[]): {probes: Probe[]; mistakes: FileProblem[]} {
  const all: FileProblem[] = []
  const probes: Probe[] = []
  for (const source of sources) {
    const {items, problems: found} = parseFile(source)
    for (const problem of found) all.push(problem)
    if (items.length === 0 && found.length === 0) all.push({file: source.name, position: undefined, field: '', message: 'it contains no probes'})
    for (const item of items) new Reader(item, probes, all).document()
  }
  return {probes, mistakes: all}
}

/** @throws CalicoError `invalid` with MISTAKES, those of each file in its order, if there are any */
export function refuseMistakes(mistakes: readonly FileProblem[]): void {
  if (mistakes.length === 0) return
  const files = [...new Set(mistakes.map(({file}) => file))]
  const ordered = [...mistakes].sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || (a.position?.line ?? 0) - (b.position?.line ?? 0) || (a.position?.column ?? 0) - (b.position?.column ?? 0))
  throw new CalicoError('invalid', mistakes.length === 1 ? 'There is an error in the probes; nothing was evaluated:' : `There are ${mistakes.length} errors in the probes; nothing was evaluated:`, {details: ordered.map(problemLine)})
}

type Fields = Readonly<Record<string, unknown>>
const fieldsOf = (value: unknown): Fields | undefined => (isObject(value) ? value : undefined)

class Reader {
  constructor(
    private readonly item: Item,
    private readonly probes: Probe[],
    private readonly problems: FileProblem[],
  ) {}

  document(): void {
    const {value, findings, positionAt, file, broken} = this.item
    for (const {offset, field, message} of findings) this.problems.push({file, position: positionAt(offset), field, message})
    if (broken) return
    const document = fieldsOf(value)
    if (document === undefined) {
      this.fail('', 'must be a PolicyTest with apiVersion, kind and probes')
      return
    }
    if (document.apiVersion !== 'calicoctl/v1') this.fail('apiVersion', 'must be calicoctl/v1')
    if (document.kind !== 'PolicyTest') this.fail('kind', 'must be PolicyTest')
    this.unknown(document, DOCUMENT, '')
    const {probes} = document
    if (!Array.isArray(probes)) this.fail('probes', 'must be a list')
    else for (const [index, probe] of (probes as unknown[]).entries()) this.probe(probe, `probes[${index}]`)
  }

  private place(field: string): {line: number; column: number} {
    const {values, keys, positionAt, at} = this.item
    for (let path = field; path !== ''; path = path.replace(/(\.[^.[\]]+|\[[^\]]*\]|^[^.[]+)$/, '')) {
      const offset = values.get(path) ?? keys.get(path)
      if (offset !== undefined) return positionAt(offset)
    }
    return at
  }

  private fail(field: string, message: string): void {
    this.problems.push({file: this.item.file, position: this.place(field), field, message})
  }

  private unknown(fields: Fields, known: readonly string[], path: string): void {
    for (const name of Object.keys(fields)) {
      if (known.includes(name)) continue
      const suggestion = nearest(name, known)
      this.fail(path === '' ? name : `${path}.${name}`, `is unknown${suggestion === undefined ? '' : `. Did you mean ${suggestion}?`}`)
    }
  }

  private probe(value: unknown, path: string): void {
    const before = this.problems.length
    const read = typeof value === 'string' ? this.short(value, path) : this.long(value, path)
    if (read === undefined || this.problems.length > before) return
    this.probes.push({file: this.item.file, ...this.place(path), ...read})
  }

  private short(text: string, path: string): Omit<Probe, 'file' | 'line' | 'column'> | undefined {
    const [, from, to, flow = '', expected] = SHORT.exec(text) ?? []
    if (from === undefined || to === undefined) {
      this.fail(path, `must be "FROM -> TO PROTO/PORT allow|deny", not ${JSON.stringify(text)}`)
      return undefined
    }
    const traffic = this.attempt(path, () => parseTraffic(flow))
    if (traffic === undefined) return undefined
    return {from, to, traffic, family: undefined, expect: expected as Probe['expect'], by: undefined, members: {from, to, ...(members(traffic, flow.split('/')[0] ?? '') as Omit<ProbeMembers, 'from' | 'to'>)}}
  }

  private attempt<T>(path: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error
      this.fail(path, error.message)
      return undefined
    }
  }

  private long(value: unknown, path: string): Omit<Probe, 'file' | 'line' | 'column'> | undefined {
    const fields = fieldsOf(value)
    if (fields === undefined) {
      this.fail(path, 'must be an object with from, to and proto, or a text such as "web -> db tcp/5432 allow"')
      return undefined
    }
    this.unknown(fields, MEMBERS, path)
    const [from, to] = [this.end(fields.from, `${path}.from`), this.end(fields.to, `${path}.to`)]
    const traffic = this.traffic(fields, path)
    const {expect, by, ipVersion} = fields
    const version = this.number(ipVersion, `${path}.ipVersion`, 4, 6)
    if (version === 5) this.fail(`${path}.ipVersion`, 'must be 4 or 6')
    if (expect !== undefined && expect !== null && expect !== 'allow' && expect !== 'deny') this.fail(`${path}.expect`, 'must be allow or deny')
    const decider = readExpectedBy(by, (name, message) => this.fail(name === '' ? `${path}.by` : `${path}.by.${name}`, message))
    if (traffic && version !== undefined && ((traffic.protocol === 1 && version === 6) || (traffic.protocol === 58 && version === 4))) this.fail(`${path}.proto`, `does not exist in IPv${version}`)
    if (from === undefined || to === undefined || traffic === undefined) return undefined
    const {expect: _, by: __, ...rest} = fields
    return {from, to, traffic, family: version as Probe['family'], expect: (expect ?? undefined) as Probe['expect'], by: decider, members: plain(rest) as unknown as ProbeMembers}
  }

  private end(value: unknown, path: string): End | undefined {
    if (typeof value === 'string' && value !== '') return value
    const fields = fieldsOf(value)
    if (fields === undefined) {
      this.fail(path, value === undefined ? 'must be given' : 'must be a name, or an object with endpoint, ip or host')
      return undefined
    }
    this.unknown(fields, END_MEMBERS, path)
    const {endpoint, ip, host} = fields
    for (const [name, text] of Object.entries({endpoint, ip, host})) if (text !== undefined && typeof text !== 'string') this.fail(`${path}.${name}`, 'must be a text')
    if (typeof ip === 'string' && parseAddress(ip) === undefined) this.fail(`${path}.ip`, `'${ip}' is not an IP address`)
    if ((endpoint === undefined && ip === undefined && host === undefined) || (host !== undefined && (endpoint !== undefined || ip !== undefined))) this.fail(path, 'must have one of endpoint, ip and host')
    return {...(typeof endpoint === 'string' ? {endpoint} : {}), ...(typeof ip === 'string' ? {ip} : {}), ...(typeof host === 'string' ? {host} : {})}
  }

  private traffic(fields: Fields, path: string): Traffic | undefined {
    const {proto} = fields
    if (proto === undefined || proto === null) {
      this.fail(`${path}.proto`, 'must be given')
      return undefined
    }
    const protocol = this.attempt(`${path}.proto`, () => protocolOf(typeof proto === 'object' || (typeof proto === 'number' && !Number.isFinite(proto)) ? '' : String(proto as string | number | bigint | boolean)))
    const [dport, sport] = [this.number(fields.dport, `${path}.dport`, 0, 65535), this.number(fields.sport, `${path}.sport`, 0, 65535)]
    const [icmpType, icmpCode] = [this.number(fields.icmpType, `${path}.icmpType`, 0, 255), this.number(fields.icmpCode, `${path}.icmpCode`, 0, 255)]
    if (protocol === undefined) return undefined
    const icmp = protocol === 1 || protocol === 58
    for (const [name, given] of Object.entries({dport, sport})) if (given !== undefined && !hasPorts(protocol)) this.fail(`${path}.${name}`, 'must not be set: this protocol has no ports')
    for (const [name, given] of Object.entries({icmpType, icmpCode})) if (given !== undefined && !icmp) this.fail(`${path}.${name}`, 'must not be set: this protocol is not ICMP')
    return {protocol, ...(dport === undefined ? {} : {dport}), ...(sport === undefined ? {} : {sport}), ...(icmpType === undefined ? {} : {icmpType}), ...(icmpCode === undefined ? {} : {icmpCode})}
  }

  private number(value: unknown, path: string, least: number, most: number): number | undefined {
    if (value === undefined || value === null) return undefined
    const number = typeof value === 'bigint' ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number
    this.fail(path, `must be a whole number from ${least} to ${most}`)
    return undefined
  }
}

const members = ({dport, icmpType, icmpCode}: Traffic, proto: string): Fields => plain({proto: /^\d+$/.test(proto) ? Number(proto) : proto, dport, icmpType, icmpCode})

/** FIELDS without what is absent, and with plain numbers. */
const plain = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined || value === null ? [] : [[name, typeof value === 'bigint' ? Number(value) : fieldsOf(value) ? plain(fieldsOf(value) ?? {}) : value]])))
