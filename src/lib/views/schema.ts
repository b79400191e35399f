/** `schema`: the kinds of documents, and the JSON schema of one. */
import {CalicoError} from '../errors.js'
import {DOCUMENT_KINDS, type DocumentKind, documentSchema} from '../documents/schemas.js'
import {findKind} from '../model/kinds.js'
import {ownDocument, type Presentation} from '../cli/output/presentation.js'
import {nearest} from '../cli/suggest.js'

/** The kind of documents that WORD means: its name in any case, or a kind as `get` takes it. @throws CalicoError `invalid` */
export function readDocumentKind(word: string): string {
  const names = DOCUMENT_KINDS.map(({kind}) => kind)
  const found = names.find((name) => name.toLowerCase() === word.toLowerCase()) ?? findKind(word)?.kind
  if (found !== undefined) return found
  const meant = nearest(word, names)
  throw new CalicoError('invalid', `There are no documents of the kind '${word}'.${meant === undefined ? '' : ` Did you mean ${meant}?`}`, {hint: 'To see all kinds: calicoctl schema'})
}

export const presentDocumentKinds = (): Presentation<DocumentKind> => ({
  rows: DOCUMENT_KINDS,
  columns: [
    {header: 'KIND', value: ({kind}) => kind},
    {header: 'APIVERSION', value: ({apiVersion}) => apiVersion, rank: 1},
    {header: 'PRINTED BY', value: ({commands}) => commands.join(', '), plain: ({commands}) => commands.join(','), prose: true},
  ],
  name: ({kind}) => kind,
  document: (items) => ownDocument('DocumentKindList', {items}),
  alignment: 'left',
})

/** The schema of KIND, in every format but YAML as JSON by FORMAT. */
export function presentSchema(kind: string, format: (value: unknown) => string): Presentation<string> {
  const schema = documentSchema(kind)
  return {
    rows: [kind],
    columns: [{header: 'SCHEMA', value: () => format(schema)}],
    name: (name) => name,
    document: () => schema,
    text: () => format(schema).split('\n'),
    wideText: true,
  }
}
