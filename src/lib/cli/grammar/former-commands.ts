/** Commands of calicoctl v0.1 to v0.8 that v0.20 had under other names: what they are called since. Pure. */

/** As typed then → as typed now. `<X>` is a word that is carried over, `...` all that follow. */
const FORMER: readonly (readonly [then: string, now: string])[] = [
  ['bgppeer rr add <IP>', 'bgp peer add <IP> as AS_NUM'],
  ['bgppeer rr remove <IP>', 'bgp peer remove <IP>'],
  ['bgppeer rr show', 'bgp peer show'],
  ['bgppeer ...', 'bgp peer ...'],
  ['node bgppeer ...', 'node bgp peer ...'],
  ['bgp-node-mesh ...', 'bgp node-mesh ...'],
  ['default-node-as ...', 'bgp default-node-as ...'],
  ['shownodes', 'node show'],
  ['ipv4 pool show', 'pool show --ipv4'],
  ['ipv6 pool show', 'pool show --ipv6'],
  ['ipv4 pool ...', 'pool ...'],
  ['ipv6 pool ...', 'pool ...'],
  ['profile <P> member add <C>', 'container <C> profile append <P>'],
  ['profile <P> member remove <C>', 'container <C> profile remove <P>'],
  ['profile <P> member ...', 'endpoint show --detailed'],
  ['container <C> endpoint-id ...', 'container <C> endpoint show'],
  ['endpoint-id show <C>', 'container <C> endpoint show'],
  ['endpoint-id ...', 'endpoint show'],
  ['group add <G>', 'profile add <G>'],
  ['group remove <G>', 'profile remove <G>'],
  ['group show ...', 'profile show'],
  ['group <G> member add <C>', 'container <C> profile append <G>'],
  ['group <G> member remove <C>', 'container <C> profile remove <G>'],
  ['addgroup <G>', 'profile add <G>'],
  ['removegroup <G>', 'profile remove <G>'],
  ['showgroups ...', 'profile show'],
  ['addtogroup <C> <G>', 'container <C> profile append <G>'],
  ['removefromgroup <C> <G>', 'container <C> profile remove <G>'],
]

const REST = '...'

/** What WORDS, a line of a command of then, is now; undefined for any other line. */
export function formerCommand(words: readonly string[]): string[] | undefined {
  for (const [then, now] of FORMER) {
    const values = valuesOf(then.split(' '), words)
    if (values) return now.split(' ').flatMap((token) => values.get(token) ?? [token])
  }
  return undefined
}

/** The words that stand for the placeholders of PATTERN; undefined if WORDS do not fit it. */
function valuesOf(pattern: readonly string[], words: readonly string[]): ReadonlyMap<string, readonly string[]> | undefined {
  const values = new Map<string, readonly string[]>()
  for (const [at, token] of pattern.entries()) {
    const word = words[at]
    if (token === REST) {
      values.set(token, words.slice(at))
      return values
    }
    if (word === undefined) return undefined
    if (token.startsWith('<')) values.set(token, [word])
    else if (token !== word) return undefined
  }
  return words.length === pattern.length ? values : undefined
}
