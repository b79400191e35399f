/** The options of the commands that read files of objects, as the Go calicoctl has them, and what they lead to. */
import {Flags} from '@oclif/core'
import {sizeText} from '../../files/size.js'
import {LARGEST_FILE} from '../../resource-files/sources.js'
import {type Loaded, loadObjects} from '../../resource-files/load.js'
import {CalicoError} from '../../errors.js'
import {currentInvocation} from '../../cli/invocation.js'
import {nearest} from '../../cli/suggest.js'

export const filesFlag = (required: boolean) =>
  Flags.string({char: 'f', multiple: true, required, description: 'A file of objects in YAML or JSON, a folder of such files, or - for stdin. Can be repeated.', helpValue: 'FILE'})

export const readingFlags = {
  recursive: Flags.boolean({char: 'R', description: 'Read folders recursively.'}),
  'skip-empty': Flags.boolean({description: 'Ignore files that contain no objects.'}),
}

export const namespaceFlag = Flags.string({char: 'n', description: 'The namespace of namespaced objects that do not specify one. Default: default.', helpValue: 'NAME'})

export interface ReadingFlags {
  readonly filename?: readonly string[] | undefined
  readonly recursive: boolean
  readonly 'skip-empty': boolean
  readonly namespace?: string | undefined
}

/** The objects of the files that FLAGS name. JUDGE: their values are checked, too. @throws CalicoError `invalid` with all problems of all files */
export function loadFiles({filename = [], recursive, 'skip-empty': skipEmpty, namespace}: ReadingFlags, {judge}: {judge: boolean}): Promise<Loaded> {
  return loadObjects({paths: filename, recursive, skipEmpty, namespace, judge, nearest, stdin: readInput})
}

/** All of stdin. @throws CalicoError `invalid` if it is larger than a file may be, or a line of a batch cannot have it */
export async function readInput(): Promise<Buffer> {
  const invocation = currentInvocation()
  if (invocation.line) return Buffer.from(await invocation.line.stdin())
  if (process.stdin.isTTY) invocation.stderr('Reading the input from the terminal; end it with Ctrl-D.\n')
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of process.stdin) {
    size += (chunk as Buffer).length
    if (size > LARGEST_FILE) throw new CalicoError('invalid', `stdin has more than ${sizeText(LARGEST_FILE)}`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** `1 object`, `3 objects` */
export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`
