/** The notation of usages (see `v020.ts`) as a tree that `match.ts` interprets. */

export type Pattern =
  /** A word that must stand here as it is. `value`: it is handed to the command. */
  | {readonly type: 'keyword'; readonly word: string; readonly value: boolean}
  /** Any word; NAME without its brackets. */
  | {readonly type: 'argument'; readonly name: string}
  /** An option, anywhere on the line. `value`: the name of its value, if it takes one. */
  | {readonly type: 'option'; readonly name: string; readonly value: string | undefined}
  /** The match words of a rule: all the words that remain. */
  | {readonly type: 'rule'}
  | {readonly type: 'all'; readonly parts: readonly Pattern[]}
  | {readonly type: 'either'; readonly parts: readonly Pattern[]}
  | {readonly type: 'optional'; readonly part: Pattern}
  | {readonly type: 'repeat'; readonly part: Pattern}

/** Reads one usage. The notation is ours, so that a slip in it is a programming error and throws. */
export function parsePattern(usage: string): Pattern {
  const tokens = usage.replace(/[[\]()|]|\.\.\./g, ' $& ').split(' ').filter((token) => token !== '')
  let at = 0

  const either = (depth: number): Pattern => {
    const parts = [all(depth)]
    while (tokens[at] === '|') {
      at++
      parts.push(all(depth))
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : {type: 'either', parts}
  }
  const all = (depth: number): Pattern => {
    const parts: Pattern[] = []
    for (let token = tokens[at]; token !== undefined && token !== '|' && token !== ']' && token !== ')'; token = tokens[at]) {
      const part = one(token, depth)
      if (tokens[at] === '...') at++
      parts.push(tokens[at - 1] === '...' ? {type: 'repeat', part} : part)
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : {type: 'all', parts}
  }
  const one = (token: string, depth: number): Pattern => {
    at++
    if (token === '[' || token === '(') {
      const part = either(depth + 1)
      if (tokens[at++] !== (token === '[' ? ']' : ')')) throw new Error(`unbalanced brackets in the usage: ${usage}`)
      return token === '[' ? {type: 'optional', part} : part
    }
    return leaf(token, depth > 0)
  }

  const pattern = either(0)
  if (at < tokens.length) throw new Error(`unbalanced brackets in the usage: ${usage}`)
  return pattern
}

function leaf(token: string, value: boolean): Pattern {
  if (token === '<MATCH>') return {type: 'rule'}
  if (token.startsWith('<')) return {type: 'argument', name: token.slice(1, -1)}
  if (!token.startsWith('--')) return {type: 'keyword', word: token, value}
  const [name = '', placeholder] = token.slice(2).split('=')
  return {type: 'option', name, value: placeholder?.slice(1, -1)}
}

/** The options of PATTERN, in its order: name → name of its value, undefined if it takes none. */
export function optionsOf(pattern: Pattern, found = new Map<string, string | undefined>()): Map<string, string | undefined> {
  if (pattern.type === 'option') found.set(pattern.name, pattern.value)
  else if ('parts' in pattern) for (const part of pattern.parts) optionsOf(part, found)
  else if ('part' in pattern) optionsOf(pattern.part, found)
  return found
}
