/**
 * Does a line fit a usage? With the meaning of docopt 0.6.2, which v0.20 used (cli-v0.20 §1.3): words in strict order, keywords only by
 * position, options anywhere, everything taken as soon as it fits, of alternatives the one that leaves the least over.
 */
import type {Pattern} from './pattern.js'

/** A line without the order of its options. Options by their full name without dashes; a switch has the value undefined. */
export interface Given {
  readonly words: readonly string[]
  readonly options: ReadonlyMap<string, string | undefined>
}

/** Judges the match words of a rule; AT is the index of the word that does not fit, their number if one is missing. */
export type RuleJudge = (words: readonly string[]) => {readonly ok: true} | {readonly ok: false; readonly problem: string; readonly at: number}

/** One word of the line, as the usage names it. */
interface Taken {
  /** `<PROFILE>` for an argument, the word itself for a keyword, `<MATCH>` for a word of a rule. */
  readonly name: string
  readonly word: string
  /** Handed to the command (a keyword outside brackets only selects it). */
  readonly value: boolean
}

/** How far a usage went along with a line, whether it fitted or not: what errors and completion are made from. */
interface Trace {
  /** Index of the first word that did not fit; the number of words if all did. */
  furthest: number
  /** What the usage would have taken at that place: keywords, `<NAMES>`, `--options` that must not be left out. */
  expected: string[]
  /** Keywords and arguments up to that place. */
  taken: readonly Taken[]
  /** What the judge of rules had to say. */
  problem: string | undefined
}

export interface Match {
  /** Words and options fit. */
  readonly fits: boolean
  /** The words fit, whatever the options do. */
  readonly wordsFit: boolean
  /** The usage lacks nothing, even if the line has more. */
  readonly complete: boolean
  /** Options of the line that the usage has no place for. */
  readonly leftOptions: readonly string[]
  readonly taken: readonly Taken[]
  readonly trace: Trace
}

interface State {
  readonly at: number
  readonly taken: readonly Taken[]
  readonly left: readonly string[]
}

/** Matches GIVEN against PATTERN. */
export function match(pattern: Pattern, given: Given, judgeRule: RuleJudge): Match {
  const {words} = given
  const trace: Trace = {furthest: 0, expected: [], taken: [], problem: undefined}

  const note = (state: State, expected?: string, problem?: string): void => {
    if (state.at > trace.furthest) Object.assign(trace, {furthest: state.at, expected: [], taken: state.taken, problem: undefined})
    if (state.at < trace.furthest) return
    if (expected !== undefined && !trace.expected.includes(expected)) trace.expected.push(expected)
    trace.problem ??= problem
  }
  const take = (state: State, taken: Taken): State => ({at: state.at + 1, taken: [...state.taken, taken], left: state.left})
  let optional = 0
  const remains = (state: State): number => words.length - state.at + state.left.length

  const step = (part: Pattern, state: State): State | undefined => {
    const word = words[state.at]
    switch (part.type) {
      case 'keyword':
        note(state, part.word)
        return word === part.word ? take(state, {name: word, word, value: part.value}) : undefined
      case 'argument':
        note(state, `<${part.name}>`)
        return word === undefined ? undefined : take(state, {name: `<${part.name}>`, word, value: true})
      case 'option':
        if (state.left.includes(part.name)) return {...state, left: state.left.filter((name) => name !== part.name)}
        if (optional === 0) note(state, `--${part.name}${part.value === undefined ? '' : `=<${part.value}>`}`)
        return undefined
      case 'rule':
        return rule(state)
      case 'optional': {
        optional++
        const after = step(part.part, state) ?? state
        optional--
        return after
      }
      case 'all':
        return part.parts.reduce<State | undefined>((before, next) => before && step(next, before), state)
      case 'either':
        return part.parts.reduce<State | undefined>((best, next) => {
          const outcome = step(next, state)
          return outcome !== undefined && (best === undefined || remains(outcome) < remains(best)) ? outcome : best
        }, undefined)
      case 'repeat': {
        let last = step(part.part, state)
        for (let next = last; next !== undefined; next = step(part.part, next)) last = next
        return last
      }
    }
  }
  const rule = (state: State): State | undefined => {
    const rest = words.slice(state.at)
    const taken = (count: number): State => ({
      at: state.at + count,
      taken: [...state.taken, ...rest.slice(0, count).map((word) => ({name: '<MATCH>', word, value: true}))],
      left: state.left,
    })
    const verdict = judgeRule(rest)
    if (verdict.ok) {
      note(taken(rest.length), '<MATCH>')
      return taken(rest.length)
    }
    note(taken(verdict.at), '<MATCH>', verdict.problem)
    return undefined
  }

  const start: State = {at: 0, taken: [], left: [...given.options.keys()]}
  const end = step(pattern, start)
  if (end !== undefined) note(end)
  const wordsFit = end?.at === words.length
  return {
    fits: wordsFit && end.left.length === 0,
    wordsFit,
    complete: end !== undefined,
    leftOptions: wordsFit ? end.left : [],
    taken: wordsFit ? end.taken : trace.taken,
    trace,
  }
}
