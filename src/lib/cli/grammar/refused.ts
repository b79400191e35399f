import type {UsageLine} from './line.js'

/** A line that is refused for PROBLEMS, one sentence each. */
export function refused({problems, usage, commands, suggestion, help}: {
  problems: readonly string[]
  usage: readonly string[]
  commands?: UsageLine['commands']
  suggestion?: string | undefined
  help: readonly string[]
}): UsageLine {
  return {type: 'usage', problem: problems.join('; '), usage, ...(commands === undefined ? {} : {commands}), ...(suggestion === undefined ? {} : {suggestion}), help}
}
