/** What is wrong in a file, and where. */

/** A place in a file: line and column count from 1; a column is a UTF-16 unit. */
export interface Position {
  readonly line: number
  readonly column: number
}

export interface FileProblem {
  /** The file as it was named; `-` is stdin. */
  readonly file: string
  readonly position: Position | undefined
  /** How the object is called, `profile/web`; undefined where it is not known yet. */
  readonly object?: string | undefined
  /** The field's path; empty for the object or the document itself. */
  readonly field: string
  readonly message: string
}

/** PROBLEM as compilers write them: `FILE:LINE:COLUMN: object: field: what is wrong`. */
export function problemLine({file, position, object, field, message}: FileProblem): string {
  const place = position === undefined ? file : `${file}:${position.line}:${position.column}`
  return [place, ...(object ? [object] : []), ...(field ? [field] : []), message].join(': ')
}
