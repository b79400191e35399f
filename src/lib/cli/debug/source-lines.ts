/** What --debug adds to an error: stack traces that lead to the lines of the source, and where to report. A part of the bundle, loaded for --debug only. */
import {readFileSync} from 'node:fs'
import {SourceMap, type SourceMapPayload} from 'node:module'
import {join} from 'node:path'

/** A place in a chunk of the bundle, as V8 writes it. */
const PLACE = /([a-z0-9-]+-[0-9a-f]{12}\.js):(\d+):(\d+)/g

/** Makes the places in stack traces those of the source, by the source maps beside the chunks in DIST. A place without a map stays as it is. */
export function sourceLines(dist: string): (stack: string) => string {
  const maps = new Map<string, SourceMap | undefined>()
  const mapOf = (chunk: string): SourceMap | undefined => {
    if (!maps.has(chunk)) maps.set(chunk, readMap(join(dist, `${chunk}.map`)))
    return maps.get(chunk)
  }
  return (stack) =>
    stack.replaceAll(PLACE, (place, chunk: string, line: string, column: string) => {
      const entry = mapOf(chunk)?.findEntry(Number(line) - 1, Number(column) - 1)
      return entry !== undefined && 'originalSource' in entry ? `${entry.originalSource}:${entry.originalLine + 1}:${entry.originalColumn + 1}` : place
    })
}

/** The source map PATH; undefined if it is missing or damaged: an error must be printed all the same. */
function readMap(path: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(path, 'utf8')) as SourceMapPayload)
  } catch {
    return undefined
  }
}
