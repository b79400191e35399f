import {stringifyJson} from '../../json/json.js'
import {stringifyYaml} from '../../json/yaml.js'
import {escapeJson, escapeText} from '../../printable.js'
import {cellLines, type OutputFormat, type Presentation, type Screen} from './presentation.js'
import {documentPieces, growingPieces, JSON_LAYOUT, YAML_LAYOUT} from './pieces.js'
import {isSafeName} from './safe-name.js'

/**
 * PRESENTATION in FORMAT, as pieces of text to be written in order, in which nothing steers a terminal. Streams where the format allows it: `name`, `plain`,
 * and documents that grow by their rows. On a terminal, tables fit SCREEN, which is informed what they leave out.
 */
export async function* render<Row>(presentation: Presentation<Row>, format: OutputFormat, screen: Screen): AsyncGenerator<string> {
  const {rows, name, columns} = presentation
  if (format === 'name') {
    const unsafe: string[] = []
    for await (const row of rows) {
      if (isSafeName(name(row))) yield `${name(row)}\n`
      else unsafe.push(name(row))
    }
    if (unsafe.length > 0) screen.warn(leftOutText(unsafe))
    return
  }
  if (format === 'plain') {
    for await (const row of rows) yield `${columns.map(({value, plain = value}) => cellLines(plain(row)).map(escapeText).join(',')).join('\t')}\n`
    return
  }
  const {growing, document} = presentation
  if (growing && format === 'json') {
    yield* growingPieces(rows, {...growing, document}, JSON_LAYOUT, indentedJson)
    yield '\n'
    return
  }
  if (growing && format === 'yaml') {
    yield* growingPieces(rows, {...growing, document}, YAML_LAYOUT, stringifyYaml)
    return
  }
  if (format === 'table' || format === 'wide') {
    const {renderTables} = await import('./tables.js')
    yield* renderTables(presentation, format, screen)
    return
  }
  const all: Row[] = []
  for await (const row of rows) all.push(row)
  if (format === 'json') {
    yield* await documentPieces(presentation.document(all), JSON_LAYOUT, indentedJson)
    yield '\n'
  } else yield* await documentPieces(presentation.document(all), YAML_LAYOUT, stringifyYaml)
}

/** Names that a warning repeats before it only counts the rest. */
const NAMED = 3

function leftOutText(names: readonly string[]): string {
  const more = names.length - NAMED
  const named = names.slice(0, NAMED).map((name) => JSON.stringify(name)).join(', ')
  return `-o name leaves out ${named}${more > 0 ? ` and ${more} more` : ''}: in a shell, such a name could be an option or code. The other formats show ${names.length === 1 ? 'it' : 'them'}.`
}

/** VALUE as JSON, two spaces deep, 64-bit numbers exact, for a terminal: what is not printable is escaped as JSON has it. */
export function indentedJson(value: unknown): string {
  return escapeJson(stringifyJson(value, 2))
}
