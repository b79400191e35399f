/**
 * Long documents and tables are made piece by piece, and everything else that waits gets its turn in between: Ctrl-C, SIGTERM, the end of the time.
 * What comes out is the same as if it were made at once.
 */

/** So many rows or items are made without a pause: some 10 ms. */
export const PIECE = 200

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
  // Without the brackets, one level deeper.
  piece: async (_, items, write) => (await write(items)).slice(1, -2).replaceAll('\n', '\n  ').slice(1),
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
