/** What the readers' inputs are made of, and what is asked of the readers. */
import {readdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {CalicoError} from '../../../src/lib/errors.js'
import {tryParseJson} from '../../../src/lib/json/json.js'

const FIXTURES = resolve(process.env.FUZZ_ROOT ?? '.', 'test/fixtures')

/** The lines of a golden file. */
export const golden = (name: string): Record<string, unknown>[] =>
  readFileSync(join(FIXTURES, 'golden', name), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)

/** COUNT of ITEMS, evenly. */
export const some = <T>(items: readonly T[], count: number): T[] => items.filter((_, at) => at % Math.max(1, Math.ceil(items.length / count)) === 0)

export const texts = (values: readonly unknown[]): string[] => [...new Set(values.filter((value): value is string => typeof value === 'string'))]

export const filesOf = (folder: string): Buffer[] => readdirSync(join(FIXTURES, 'golden', folder)).filter((name) => /\.(txt|json)$/.test(name)).map((name) => readFileSync(join(FIXTURES, 'golden', folder, name)))

/** @throws Error saying that a promise was broken, unless it HOLDS */
export function promise(holds: boolean, text: string): void {
  if (!holds) throw new Error(text)
}

export const text = (input: Buffer): string => input.toString('utf8')

/** INPUT as JSON, if it is. */
export const json = (input: Buffer): {readonly value: unknown} | undefined => {
  const read = tryParseJson(text(input))
  return read.error ? undefined : read
}

/** Does WORK; what it refuses is undefined. */
export function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof CalicoError) return undefined
    throw error
  }
}

/** A store as JSON, `{key: value}`: what is stored of it. */
export function entriesOf(input: Buffer): {key: string; value: string}[] {
  const value = json(input)?.value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, stored]) => (typeof stored === 'string' ? [{key, value: stored}] : []))
}

export const V3_WORDS = ['"spec"', '"metadata"', 'projectcalico.org/v3', 'all()', 'has(', 'global()', 'Allow', 'Deny', 'Pass', 'Log', 'ingress', 'egress', 'selector', 'nets', 'ports', '1:65535', 'ICMP', 'TCP', 'IPv4', 'IPv6', '/calico/resources/v3/projectcalico.org/', 'calicoctl/name']
