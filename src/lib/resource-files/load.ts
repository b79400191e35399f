/** All objects that a command's `-f` options name, or every problem of every file: nothing is done with a part of them. */
import {CalicoError} from '../errors.js'
import {kindOfList} from '../model/kinds.js'
import {parseFile} from './documents.js'
import {type FileObject, objectsOf, type ReadOptions} from './objects.js'
import {type FileProblem, problemLine} from './problem.js'
import {readSources, type ReadSources} from './sources.js'

export interface LoadOptions extends ReadOptions, ReadSources {
  readonly paths: readonly string[]
  /** Files without objects count for nothing. */
  readonly skipEmpty: boolean
}

export interface Loaded {
  readonly objects: readonly FileObject[]
  /** How many files had objects. */
  readonly files: number
}

/** @throws CalicoError `invalid` with all problems of all files, each with its place */
export async function loadObjects(options: LoadOptions): Promise<Loaded> {
  const {sources, problems: unread} = await readSources(options.paths, options)
  const files = sources.map(parseFile)
  const {objects, problems} = objectsOf(files, options)
  const without = files.filter(({items, problems: found}) => found.length === 0 && !items.some(hasObjects))
  const empty: FileProblem[] = options.skipEmpty ? [] : without.map(({file}) => ({file, position: undefined, field: '', message: 'it contains no objects (--skip-empty ignores such files)'}))
  refuse([...unread, ...problems, ...empty])
  return {objects, files: files.length - without.length}
}

/** A list of nothing, `[]` or `items: []`, holds no objects. */
function hasObjects({value, findings}: {value: unknown; findings: readonly unknown[]}): boolean {
  if (findings.length > 0 || typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.length > 0
  const {kind, items} = value as {kind?: unknown; items?: unknown}
  return !(typeof kind === 'string' && kindOfList(kind) !== undefined && (items === undefined || items === null || (Array.isArray(items) && items.length === 0)))
}

/** @throws CalicoError of KIND with PROBLEMS, if there are any: each a line with its place */
export function refuse(problems: readonly FileProblem[], kind: 'invalid' | 'conflict' | 'not-found' | 'refused' = 'invalid'): void {
  if (problems.length === 0) return
  throw new CalicoError(kind, `${problems.length === 1 ? 'There is a problem' : `There are ${problems.length} problems`}; nothing was changed:`, {details: problems.map(problemLine)})
}

/** The hazards of OBJECTS that a command refuses: all that it adds (decisions.md 11). */
export const hazardProblems = (objects: readonly FileObject[]): FileProblem[] =>
  objects.flatMap(({file, label, locate, hazards}) => hazards.filter(({level}) => level !== 'wider').map(({field, message}) => ({file, position: locate(field), object: label, field, message})))
