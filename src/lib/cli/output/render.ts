import {stringifyJson} from '../../json/json.js'
import {stringifyYaml} from '../../json/yaml.js'
import {escapeLines, escapeText} from './escape.js'
import type {OutputFormat, Presentation} from './presentation.js'
import {renderTable} from './table.js'

/** PRESENTATION in FORMAT, as pieces of text to be written in order. Streams where the format allows it: `name` and `plain`. */
export async function* render<Row>(presentation: Presentation<Row>, format: OutputFormat): AsyncGenerator<string> {
  const {rows, name, columns} = presentation
  if (format === 'name') {
    for await (const row of rows) yield `${escapeText(name(row))}\n`
    return
  }
  if (format === 'plain') {
    for await (const row of rows) yield `${columns.map(({value}) => escapeText(value(row).replaceAll('\n', ','))).join('\t')}\n`
    return
  }
  const all: Row[] = []
  for await (const row of rows) all.push(row)
  if (format === 'json') yield `${indentedJson(presentation.document(all))}\n`
  else if (format === 'yaml') yield await stringifyYaml(presentation.document(all))
  else if (format === 'table' && presentation.text) yield escapeLines(await presentation.text(all))
  else {
    const shown = columns.filter(({wide}) => !wide || format === 'wide')
    const table = await renderTable(
      shown.map(({header}) => header),
      all.map((row) => shown.map(({value}) => value(row))),
      presentation.alignment,
    )
    yield `${table}\n${presentation.blankAfter ? '\n' : ''}`
  }
}

/** VALUE as JSON, two spaces deep, 64-bit numbers exact. */
export function indentedJson(value: unknown): string {
  return stringifyJson(value, 2)
}
