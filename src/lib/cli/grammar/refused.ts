import type {UsageLine} from './line.js'

/** A line that is refused for PROBLEMS, told in one sentence each. */
export function refused({problems, usage, suggestion, help}: {
  problems: readonly string[]
  usage: readonly string[]
  suggestion?: string | undefined
  help: readonly string[]
}): UsageLine {
  return {type: 'usage', problem: problems.join('; '), usage, ...(suggestion === undefined ? {} : {suggestion}), help}
}
