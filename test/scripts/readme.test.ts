/** What the examples of README and docs/ say that no test runs, and where their links go. */
import {existsSync, readFileSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import {expect, test} from '@jest/globals'
import {page, PAGES, unmarked} from '../support/pages.js'

const ROOT = resolve(import.meta.dirname, '../..')

test('the Engine takes the names that the pages give to containers: two characters or more', () => {
  const names = [...PAGES.map(page).join('\n').matchAll(/docker run .*?--name[ =](\S+)/g)].map(([, name = '']) => name)
  expect(names.length).toBeGreaterThanOrEqual(5)
  for (const name of names) expect(name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/)
})

/** What README, first steps and installation show as code without a mark, and who types it or compares it with what is printed. */
const BLOCKS: readonly (readonly [block: RegExp, test: string])[] = [
  [/^npm run quickstart$/, 'test/e2e/examples.test.ts'],
  [/^npm ci && npm pack\nnpm install --global \.\/calicoctl-\d+\.\d+\.\d+\.tgz$/, 'test/e2e/package.test.ts'],
  [/^dpkg -i \S+\.deb$/, 'scripts/verify-packages.mjs'],
  [/^dpkg -i \S+\.deb\nrpm -i \S+\.rpm\ntar -xzf \S+\.tar\.gz$/, 'scripts/verify-packages.mjs'],
  [/^Inbound rules:\n/, 'test/e2e/examples.test.ts'],
  [/^\+-+\+-+\+-+\+\n\| From /, 'test/e2e/readme-two-hosts.test.ts'],
]

test('README, first steps and installation show nothing as code that no test types or compares', () => {
  const blocks = ['README.md', 'docs/first-steps.md', 'docs/installation.md'].flatMap(unmarked)
  expect(blocks.filter((block) => !BLOCKS.some(([pattern]) => pattern.test(block)))).toEqual([])
  expect(BLOCKS.filter(([pattern]) => !blocks.some((block) => pattern.test(block)))).toEqual([])
  for (const [, file] of BLOCKS) expect(existsSync(join(ROOT, file))).toBe(true)
})

test('every link of README and docs/ leads to a file that there is, and README to every page', () => {
  const links = (path: string) => [...page(path).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, to = '']) => to).filter((to) => !to.includes('://'))
  const broken = PAGES.flatMap((path) => links(path).filter((to) => !existsSync(join(ROOT, dirname(path), to))).map((to) => `${path}: ${to}`))
  expect(broken).toEqual([])
  expect(links('README.md')).toEqual(expect.arrayContaining(PAGES.slice(1)))
})

test('packages and images that the pages name are of this version', () => {
  const {version} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {version: string}
  const named = [...PAGES.map(page).join('\n').matchAll(/calicoctl(?:[_-]|\/libnetwork:)(\d+\.\d+\.\d+)/g)].map(([, found]) => found)
  expect(named.length).toBeGreaterThanOrEqual(5)
  expect(new Set(named)).toEqual(new Set([version]))
})
