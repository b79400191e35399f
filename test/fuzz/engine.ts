/** Feeds a reader of foreign bytes, and judges what it does: it may refuse with a CalicoError, and nothing else, soon and without taking all memory. */
import {Buffer} from 'node:buffer'
import {CalicoError} from '../../src/lib/errors.js'
import {newRandom} from '../simulation/random.js'
import {type Coverage, newSeen} from './coverage.js'
import {mutated} from './mutate.js'

/** Something that reads what others wrote. */
export interface Target {
  readonly name: string
  /** Inputs that are right, or nearly. */
  readonly seeds: () => readonly (string | Buffer)[]
  /** Words of its language. */
  readonly dictionary: readonly string[]
  /** Reads INPUT. What it throws besides CalicoError is a fault; so is an Error of its own that says which promise was broken. */
  readonly run: (input: Buffer) => unknown
}

/** Time of a core for one input of at most 256 KB. */
const SLOW_MS = 2000
/** Growth of the heap by one input. */
const MUCH = 400 * 1024 * 1024

/** What is wrong with what TARGET does with INPUT; undefined if nothing is. */
export async function fault(target: Target, input: Buffer): Promise<string | undefined> {
  const first = await attempt(target, input)
  // A collection of garbage may have come in between: what is slow is so again.
  return first?.startsWith('takes ') ? attempt(target, input) : first
}

async function attempt(target: Target, input: Buffer): Promise<string | undefined> {
  const began = process.cpuUsage()
  const heap = process.memoryUsage().heapUsed
  try {
    await target.run(input)
  } catch (error) {
    if (!(error instanceof CalicoError)) return `throws ${error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}\n${(error.stack ?? '').split('\n').slice(1, 6).join('\n')}` : String(error)}`
  }
  const {user, system} = process.cpuUsage(began)
  if ((user + system) / 1000 > SLOW_MS) return `takes ${((user + system) / 1e6).toFixed(1)} s`
  const grown = process.memoryUsage().heapUsed - heap
  return grown > MUCH ? `takes ${Math.round(grown / 1e6)} MB` : undefined
}

/** The kind of a fault, by which a smaller input is known to show the same. */
const kindOf = (text: string): string => (text.startsWith('takes ') ? text.replace(/[\d.]+/, '') : (text.split('\n')[1] ?? text))

export interface Finding {
  readonly target: string
  readonly run: number
  readonly fault: string
  readonly input: Buffer
}

/** The input number RUN of TARGET: always the same for one SEED and the same seeds of the target. */
function inputOf(target: Target, seeds: readonly Buffer[], seed: string, run: number): Buffer {
  const random = newRandom(`${seed}/${target.name}/${run}`)
  return mutated(seeds.length > 0 ? random.pick(seeds) : Buffer.alloc(0), random, {seeds, dictionary: target.dictionary})
}

const seedsOf = (target: Target): Buffer[] => target.seeds().map((seed) => (typeof seed === 'string' ? Buffer.from(seed) : seed))

export interface Budget {
  readonly seed: string
  readonly from: number
  readonly runs: number
  /** Of a core. */
  readonly milliseconds: number
}

export interface Corpus {
  /** Inputs that earlier runs have kept. */
  readonly inputs: readonly Buffer[]
  /** Where it is given, inputs that reach something new are kept, and changed in turn. */
  readonly coverage?: Coverage | undefined
}

/** Inputs between two looks at what they have reached, which takes as long as they do. */
const TOGETHER = 64
/** Bytes of the largest input that is kept. */
const LARGEST_KEPT = 2_048

export interface Fed {
  /** How many inputs were run. */
  readonly ran: number
  readonly finding: Finding | undefined
  /** Inputs that have reached something new. */
  readonly kept: readonly Buffer[]
}

/**
 * Runs TARGET on its own seeds and on those of CORPUS, then on inputs made of them, until the BUDGET is used up or something is found, which is made small.
 * @param show is given each input before it is run
 */
export async function feed(target: Target, {seed, from, runs, milliseconds}: Budget, show: (input: Buffer) => void, {inputs = [], coverage}: Partial<Corpus> = {}): Promise<Fed> {
  const seeds = [...seedsOf(target), ...inputs]
  const kept: Buffer[] = []
  const began = process.cpuUsage()
  const used = (): number => {
    const {user, system} = process.cpuUsage(began)
    return (user + system) / 1000
  }
  const finding = async (run: number, found: string, input: Buffer): Promise<Finding> => ({target: target.name, run, fault: found, input: await smaller(target, input, found, show)})
  for (const [at, input] of from === 0 ? seeds.entries() : []) {
    show(input)
    const found = await fault(target, input)
    if (found !== undefined) return {ran: at, finding: await finding(-1 - at, found, input), kept}
  }
  const look = coverage && lookout(target, coverage)
  let together: Buffer[] = []
  for (let run = from; run < from + runs; run++) {
    if (run % 16 === 0 && used() > milliseconds) return {ran: run - from, finding: undefined, kept}
    const input = inputOf(target, seeds, seed, run)
    show(input)
    const found = await fault(target, input)
    if (found !== undefined) return {ran: run - from + 1, finding: await finding(run, found, input), kept}
    if (!look || input.length > LARGEST_KEPT || together.push(input) < TOGETHER) continue
    for (const each of await look(together)) {
      seeds.push(each)
      kept.push(each)
    }
    together = []
  }
  return {ran: runs, finding: undefined, kept}
}

/** Tells which inputs reach what no input of TARGET has reached, since it was asked first or before. */
function lookout(target: Target, coverage: Coverage): (inputs: readonly Buffer[]) => Promise<Buffer[]> {
  const seen = newSeen()
  seen.add(coverage.reached())
  async function reaching(inputs: readonly Buffer[], known?: ReturnType<Coverage['reached']>): Promise<Buffer[]> {
    let ranges = known
    if (!ranges) {
      coverage.reached()
      for (const input of inputs) await attempt(target, input)
      ranges = coverage.reached()
    }
    if (seen.fresh(ranges) === 0) return []
    const [only, second] = inputs
    if (only !== undefined && second === undefined) {
      seen.add(ranges)
      return [only]
    }
    const half = inputs.length >> 1
    return [...(await reaching(inputs.slice(0, half))), ...(await reaching(inputs.slice(half)))]
  }
  return (inputs) => reaching(inputs, coverage.reached())
}

/** Of INPUTS, the small ones first, those that reach what neither the seeds of TARGET nor those before do. */
export async function needed(target: Target, inputs: readonly Buffer[], coverage: Coverage): Promise<Buffer[]> {
  for (const seed of seedsOf(target)) await attempt(target, seed)
  const look = lookout(target, coverage)
  const found: Buffer[] = []
  for (const input of inputs.toSorted((a, b) => a.length - b.length || a.compare(b))) {
    await attempt(target, input)
    found.push(...(await look([input])))
  }
  return found
}

/** A part of INPUT that shows FOUND, too: pieces are left out as long as it does. */
async function smaller(target: Target, input: Buffer, found: string, show: (input: Buffer) => void): Promise<Buffer> {
  const kind = kindOf(found)
  let best = input
  let tries = kind.startsWith('takes') ? 24 : 3000
  for (let size = Math.ceil(input.length / 2); size >= 1 && tries > 0; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < best.length && tries > 0; ) {
      tries--
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)])
      show(shorter)
      const again = await fault(target, shorter)
      if (again !== undefined && kindOf(again) === kind) best = shorter
      else at += size
    }
  }
  return best
}
