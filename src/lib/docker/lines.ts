/** Text that comes in pieces, as lines. */

/** The longest line that is kept: a container may write anything. */
const LONGEST_LINE = 64 * 1024

/** Gives whole lines of what is pushed to ONLINE, without their end; `end` gives what is left. Characters may be cut between pieces. */
export function lineSplitter(onLine: (line: string) => void): {push: (data: Uint8Array) => void; end: () => void} {
  const decoder = new TextDecoder()
  let rest = ''
  const take = (text: string): void => {
    const lines = (rest + text).split('\n')
    rest = (lines.pop() ?? '').slice(0, LONGEST_LINE)
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line)
  }
  return {
    push: (data) => take(decoder.decode(data, {stream: true})),
    end() {
      take(decoder.decode())
      if (rest !== '') onLine(rest)
      rest = ''
    },
  }
}
