/**
 * Time that a simulation owns: clocks stand still while code runs, and go on to the next thing that is due. What is due at the same time is
 * done in the order in which it was asked for, so that a run depends on nothing but its seed.
 */
import type {Random} from './random.js'

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

export interface VirtualTime {
  /** Milliseconds since the beginning. */
  readonly now: number
  /** Things done so far. */
  readonly steps: number
  /** Has RUN done in so many milliseconds. */
  in(milliseconds: number, run: () => void): () => void
  /** Does what is due, one thing after another, until ISOVER. @returns why it ended */
  run(isOver: () => boolean, limits: {readonly steps: number; readonly milliseconds: number}): Promise<'over' | 'nothing left' | 'too long'>
}

/** Of the real world: taken before anything is replaced. */
const real = {setImmediate: globalThis.setImmediate, Date: globalThis.Date}

/** When all simulations begin: what is stored has the same times in each. */
const BEGIN = Date.UTC(2026, 0, 1)

/** All microtasks, and what they bring about, are done when this resolves. */
const settled = (): Promise<void> => new Promise((resolve) => {
    real.setImmediate(resolve)
  })

export function newVirtualTime(): VirtualTime {
  let now = 0
  let steps = 0
  let order = 0
  /** Sorted, the first to come at the end. */
  const due: Due[] = []
  const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

  function add(next: Due): void {
    let i = due.length
    for (let before = due[i - 1]; before !== undefined && isBefore(before, next); before = due[i - 1]) {
      due[i] = before
      i--
    }
    due[i] = next
  }

  return {
    get now() {
      return now
    },
    get steps() {
      return steps
    },
    in(milliseconds, run) {
      let wanted = true
      add({at: now + Math.max(0, milliseconds), order: order++, run: () => wanted && run()})
      return () => (wanted = false)
    },
    async run(isOver, limits) {
      const end = {steps: steps + limits.steps, now: now + limits.milliseconds}
      for (;;) {
        await settled()
        if (isOver()) return 'over'
        if (steps >= end.steps || now >= end.now) return 'too long'
        const next = due.pop()
        if (next === undefined) return 'nothing left'
        now = next.at
        steps++
        next.run()
      }
    },
  }
}

let present: {readonly time: VirtualTime; readonly random: Random} | undefined

/** `setTimeout` of node:timers/promises; the bundle has it instead of that (scripts/simulation.mjs). */
export async function sleep(milliseconds = 0, value?: unknown): Promise<unknown> {
  await new Promise<void>((resolve) => {
    if (present) present.time.in(milliseconds, resolve)
    else real.setImmediate(resolve)
  })
  return value
}

/** Of a world with processes: what `process.kill` does, and whether clocks show whole milliseconds, as true ones do. */
export const signals: {kill: (pid: number) => void; whole: boolean} = {kill: () => undefined, whole: false}

/** Does WORK with all clocks, timers and chance of this process from TIME and RANDOM. One at a time. */
export async function within<T>(time: VirtualTime, random: Random, work: () => Promise<T>): Promise<T> {
  if (present) throw new Error('there is a simulation already')
  present = {time, random}
  const chance = random.fork('of the process')
  const dateOf = () => BEGIN + (signals.whole ? Math.floor(time.now) : time.now)
  globalThis.Date = class extends real.Date {
    constructor(...args: readonly unknown[]) {
      super(...((args.length === 0 ? [dateOf()] : args) as [number]))
    }
    static override now = dateOf
  } as DateConstructor
  const timers = new WeakMap<object, () => void>()
  const replaced = [
    replace(globalThis, 'setTimeout', (run: (...args: unknown[]) => void, milliseconds = 0, ...args: readonly unknown[]) => {
      const timer = {unref: () => timer, ref: () => timer}
      timers.set(timer, time.in(milliseconds, () => run(...args)))
      return timer
    }),
    replace(globalThis, 'clearTimeout', (timer?: object) => timer && timers.get(timer)?.()),
    replace(process, 'geteuid', () => 0),
    replace(process, 'kill', (pid: number) => signals.kill(pid)),
    replace(globalThis, 'setImmediate', (run: (value?: unknown) => void) => void time.in(0, run)),
    replace(globalThis, 'performance', {now: () => time.now}),
    replace(Math, 'random', () => chance.next()),
    replace(globalThis.crypto, 'randomUUID', () => uuid(chance)),
    replace(process.hrtime, 'bigint', () => BigInt(Math.floor(time.now * 1_000_000))),
  ]
  try {
    return await work()
  } finally {
    globalThis.Date = real.Date
    for (const restore of replaced) restore()
    signals.whole = false
    present = undefined
  }
}

function replace(object: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(object, name)
  Object.defineProperty(object, name, {value, configurable: true, writable: true})
  return () => {
    if (before) Object.defineProperty(object, name, before)
    else Reflect.deleteProperty(object, name)
  }
}

function uuid(random: Random): string {
  const hex = (): string => random.below(0x1_0000_0000).toString(16).padStart(8, '0')
  const [a, b, c, d] = [hex(), hex(), hex(), hex()]
  return `${a}-${b.slice(0, 4)}-4${b.slice(5)}-a${c.slice(1, 4)}-${c.slice(4)}${d}`
}
