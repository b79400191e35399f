/** The pages that people read (README and docs/*.md), and the examples in them that tests type. */
import {readdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')

/** Their paths from the project's folder. The reference is made from the help, whose examples have a test of their own. */
export const PAGES: readonly string[] = ['README.md', ...readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)]

/** The text of the page PATH, `docs/mesos.md`. */
export const page = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

const EXAMPLES = new Map(
  PAGES.flatMap((path) => [...page(path).matchAll(/<!-- example: (\S+) -->\n *```sh\n([^`]+)```/g)].map(([, name = '', text = '']) => [name, text.trim()] as const)),
)

/** The lines of the example NAME, on whichever page it stands. */
export function example(name: string): string[] {
  const text = EXAMPLES.get(name)
  if (text === undefined) throw new Error(`no page has an example ${name}`)
  return text.split('\n').map((line) => line.replace(/^ {3}(?=calicoctl)/, ''))
}

/** The names of all marked examples, page by page. */
export const marked = (): string[] => PAGES.flatMap((path) => [...page(path).matchAll(/<!-- example: (\S+) -->/g)].map(([, name = '']) => name))

/** The blocks of the page PATH that are set off as code and not marked: a fence, or lines that begin with four blanks. Their lines, without the blanks. */
export function unmarked(path: string): string[] {
  const text = page(path).replaceAll(/<!-- \S+: \S+ -->\n *```\w*\n[^`]+```/g, '')
  const fenced = [...text.matchAll(/^ *```\w*\n([^`]+)```/gm)].map(([, block = '']) => block.trimEnd())
  const indented = [...text.matchAll(/(?<=\n\n)(?: {4}.*\n)+/g)].map(([block]) => block.replaceAll(/^ {4}/gm, '').trimEnd())
  return [...fenced, ...indented]
}
