/** Rows of a table as blocks of lines, for tables whose cells are too long for a terminal's columns: pure, on texts that are escaped already. */
import type {FitColumn} from './fit.js'
import {foldText, textWidth} from './text-width.js'

const COMMAND_INDENT = '    '

/**
 * The rows of COLUMNS in lines of at most LINEWIDTH columns: `Header: cell` for each, and a command that does not fit there under its header, so that it can be copied.
 * Between rows is an empty line.
 */
export function blockLines(columns: readonly FitColumn[], lineWidth: number): string[] {
  const label = Math.max(...columns.filter(({command}) => command !== true).map(({header}) => textWidth(header))) + 2
  const rows = columns[0]?.cells.length ?? 0
  return Array.from({length: rows}).flatMap((_, row) => [
    ...(row === 0 ? [] : ['']),
    ...columns.flatMap(({header, command, cells, short = cells}) => {
      const lines = (command === true ? cells : short)[row] ?? []
      const [only = ''] = lines
      if (command === true && (lines.length > 1 || textWidth(`${header}: `.padEnd(label) + only) > lineWidth)) return [`${header}:`, ...lines.flatMap((line) => commandLines(line, lineWidth - COMMAND_INDENT.length)).map((line) => `${COMMAND_INDENT}${line}`)]
      return lines.flatMap((line) => foldText(line, lineWidth - label)).map((line, at) => `${at === 0 ? `${header}: `.padEnd(label) : ' '.repeat(label)}${line}`)
    }),
  ])
}

/** What a shell takes as more than words: between its parts, a line cannot be ended just so. */
const NOT_WORDS = /['"\\;,|&$`#]/

/** TEXT in lines of WIDTH: a command of plain words goes on in the next line as a shell has it, other texts are folded as sentences. */
function commandLines(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text]
  if (!/^(?:calicoctl|etcdctl) /.test(text) || NOT_WORDS.test(text)) return foldText(text, width)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line === '' || textWidth(longer) <= width - ' \\'.length) line = longer
    else {
      lines.push(`${line} \\`)
      line = word
    }
  }
  return [...lines, line].flatMap((each) => foldText(each, width))
}
