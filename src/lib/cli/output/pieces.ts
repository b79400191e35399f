/**
 * Long documents and tables are made piece by piece, and everything else that waits gets its turn in between: Ctrl-C, SIGTERM, the end of the time.
 * What comes out is the same as if it were made at once.
 */

/** So many rows or items are made without a pause, some milliseconds, and kept together. */
export const PIECE = 50

/** Lets timers, signals and sockets have their turn. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** ITEMS in pieces of SIZE. */
export function* piecesOf<T>(items: readonly T[], size = PIECE): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size)
}

type Write = (value: unknown) => string | Promise<string>

/** How one format puts a list into a document, one of whose fields it is. */
interface Layout {
  readonly begin: string
  /** NAME and its value, any but a long list. */
  readonly field: (name: string, value: unknown, write: Write) => Promise<string>
  /** One piece of the long list NAME, without what stands around the whole of it. */
  readonly piece: (name: string, items: readonly unknown[], write: Write) => Promise<string>
  readonly listBegin: (name: string, write: Write) => Promise<string>
  readonly listEnd: string
  /** Between pieces of a list, and between fields. */
  readonly separator: string
  readonly end: string
}

/** JSON, indented by two spaces, as JSON.stringify does it. Texts in it have no line feeds. */
export const JSON_LAYOUT: Layout = {
  begin: '{\n',
  field: async (name, value, write) => `  ${await write(name)}: ${(await write(value)).replaceAll('\n', '\n  ')}`,
  // As a list in a list, which is as deep as a list in an object, without the brackets.
  piece: async (_, items, write) => (await write([items])).slice('[\n  [\n'.length, -'\n  ]\n]'.length),
  listBegin: async (name, write) => `  ${await write(name)}: [\n`,
  listEnd: '\n  ]',
  separator: ',\n',
  end: '\n}',
}

/** YAML in blocks. */
export const YAML_LAYOUT: Layout = {
  begin: '',
  field: async (name, value, write) => write({[name]: value}),
  piece: async (name, items, write) => afterFirstLine(await write({[name]: items})),
  listBegin: async (name, write) => `${(await write({[name]: [0]})).split('\n', 1)[0] ?? ''}\n`,
  listEnd: '',
  separator: '',
  end: '',
}

const afterFirstLine = (text: string): string => text.slice(text.indexOf('\n') + 1)

/** A document with a list that is not all there yet. */
interface Growing<Row> {
  /** The document of ROWS; of none, it is the frame around the list. Asked when the first rows are there. */
  readonly document: (rows: readonly Row[]) => unknown
  /** The name of the list, and what it has of a row. */
  readonly list: string
  readonly itemOf: (row: Row) => unknown
}

/**
 * The document of ROWS as WRITE writes it, piece by piece as they come: no more than a piece is kept. Where ROWS fail after the first of them was written,
 * the document is not closed.
 */
export async function* growingPieces<Row>(rows: AsyncIterable<Row> | Iterable<Row>, {document, list, itemOf}: Growing<Row>, layout: Layout, write: Write): AsyncGenerator<string> {
  let waiting: Row[] = []
  let rest: readonly string[] | undefined
  for await (const row of rows) {
    if (waiting.length === PIECE) {
      if (rest === undefined) {
        const {before, after} = await frame(document([]), list, layout, write)
        rest = after
        yield before
      } else yield layout.separator
      yield await layout.piece(list, waiting.map(itemOf), write)
      waiting = []
      await breathe()
    }
    waiting.push(row)
  }
  if (rest === undefined) {
    yield await write(document(waiting))
    return
  }
  yield layout.separator + (await layout.piece(list, waiting.map(itemOf), write))
  yield* rest
}

/** What stands before the items of LIST in DOCUMENT, where it is empty, and behind them. */
async function frame(document: unknown, list: string, layout: Layout, write: Write): Promise<{before: string; after: readonly string[]}> {
  const fields = Object.entries(document as object).filter(([, value]) => value !== undefined)
  const texts: string[] = []
  let before = layout.begin
  for (const [at, [name, value]] of fields.entries()) {
    if (at > 0) texts.push(layout.separator)
    if (name !== list) texts.push(await layout.field(name, value, write))
    else {
      before += texts.splice(0).join('') + (await layout.listBegin(name, write))
      texts.push(layout.listEnd)
    }
  }
  return {before, after: [...texts, layout.end]}
}

/** DOCUMENT as WRITE writes it, in pieces where it has a long list as one of its fields. */
export async function documentPieces(document: unknown, layout: Layout, write: Write): Promise<string[]> {
  if (!hasLongField(document)) return [await write(document)]
  const texts = [layout.begin]
  const fields = Object.entries(document).filter(([, value]) => value !== undefined)
  for (const [i, [name, value]] of fields.entries()) {
    if (i > 0) texts.push(layout.separator)
    if (!isLong(value)) {
      texts.push(await layout.field(name, value, write))
      continue
    }
    texts.push(await layout.listBegin(name, write))
    for (const [at, items] of [...piecesOf(value)].entries()) {
      await breathe()
      texts.push((at === 0 ? '' : layout.separator) + (await layout.piece(name, items, write)))
    }
    texts.push(layout.listEnd)
  }
  texts.push(layout.end)
  return texts
}

const isLong = (value: unknown): value is readonly unknown[] => Array.isArray(value) && value.length > PIECE

const hasLongField = (document: unknown): document is Record<string, unknown> =>
  typeof document === 'object' && document !== null && Object.values(document).some(isLong)
