/** A check from beginning to end, with its repairs. */
import {setTimeout as sleep} from 'node:timers/promises'
import {append} from '../append.js'
import type {Session} from '../client/session.js'
import {checkIpam, type Look} from './check.js'
import type {Finding, Holder} from './findings.js'
import {foundTwice, repairAll} from './repair.js'

export interface CheckOptions {
  readonly repair: boolean
  /** Time between the two looks. */
  readonly graceMs: number
  /** Besides endpoints and nodes. Asked again for each look, if it is a function: containers come and go. */
  readonly holders: readonly Holder[] | (() => Promise<readonly Holder[]>)
  /** Time to wait, without a repair, for what may be under way. */
  readonly settleMs?: number
}

export interface CheckResult {
  /** Of the last look before a repair. */
  readonly findings: readonly Finding[]
  readonly counts: Look['counts']
  readonly repaired: readonly Finding[]
}

/** An endpoint that changes makes a repair fail: it is tried again with a look of its own. */
const MAX_ROUNDS = 3

/** Docker deletes an endpoint and gives its address back in two calls, one right after the other. */
const SETTLE_MS = 2_000

/**
 * Checks, and repairs by the two-look rule if asked to. In a dry run, `repaired` is what would be. Without a repair there is a second look only
 * where the first one found what may be one step of something under way.
 */
export async function runCheck(session: Session, {repair, graceMs, holders, settleMs = SETTLE_MS}: CheckOptions): Promise<CheckResult> {
  const look = async (): Promise<Look> => checkIpam(session, {holders: typeof holders === 'function' ? await holders() : holders})
  const first = await look()
  if (first.findings.length === 0 || (!repair && !first.findings.some(({passing}) => passing))) return {...first, repaired: []}
  await sleep(repair ? graceMs : settleMs)
  const repaired: Finding[] = []
  let second = await look()
  const all = new Map<string, Finding>()
  const note = (findings: readonly Finding[]): void => {
    const twice = new Set(foundTwice(first.findings, findings))
    for (const finding of findings) if (!finding.passing || twice.has(finding)) all.set(nameOf(finding), finding)
  }
  note(second.findings)
  if (!repair) return {findings: [...all.values()], counts: second.counts, repaired}
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const candidates = foundTwice(first.findings, second.findings).filter((finding) => finding.repair !== undefined)
    if (candidates.length === 0) break
    append(repaired, await repairAll(session, candidates, second.revision))
    if (session.dryRun) break
    second = await look()
    note(second.findings)
  }
  return {findings: [...all.values()], counts: second.counts, repaired}
}

const nameOf = ({class: kind, subject}: Finding): string => `${kind}\n${subject}`
