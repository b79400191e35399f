/** The manual and the reference say what the help says, of every command, in a form that man(1) can show. */
import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import type {ProgramText} from '../../scripts/man/describe.mjs'
import {page, PAGES} from '../support/pages.js'

const ROOT = resolve(import.meta.dirname, '../..')
let program: ProgramText
let out: string
let folder: string
let pages: {name: string; text: string}[]

const filesIn = (path: string): {name: string; text: string}[] => readdirSync(path).sort().map((name) => ({name, text: readFileSync(join(path, name), 'utf8')}))

beforeAll(() => {
  out = mkdtempSync(join(tmpdir(), 'calicoctl-manual-'))
  folder = join(out, 'man')
  execFileSync(process.execPath, [join(ROOT, 'scripts/docs.mjs'), '--out', out], {stdio: ['ignore', 'ignore', 'inherit']})
  program = JSON.parse(readFileSync(join(out, 'program.json'), 'utf8')) as ProgramText
  pages = filesIn(folder)
})
afterAll(() => rmSync(out, {recursive: true, force: true}))

/** What a reader sees of the page NAME, in one line. */
function shown(name: string): string {
  return spawnSync('mandoc', ['-T', 'utf8', join(folder, name)], {encoding: 'utf8'}).stdout.replace(/.\x08/g, '').replace(/[‐−]/g, '-').replace(/\s+/g, ' ')
}

test('docs/reference is what npm run docs writes now', () => {
  expect(filesIn(join(ROOT, 'docs/reference'))).toEqual(filesIn(join(out, 'reference')))
})

test('mandoc finds nothing wrong in any page', () => {
  const {stdout, stderr, status} = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...pages.map(({name}) => join(folder, name))], {encoding: 'utf8'})
  expect({stdout, stderr, status}).toEqual({stdout: '', stderr: '', status: 0})
})

test('every command has its usage, its examples and its options on the page of its topic, and every page that is named is there', () => {
  const names = new Set(pages.map(({name}) => name))
  for (const topic of new Set(program.commands.map(({id}) => id.split(':', 1)[0] ?? ''))) {
    const page = shown(`calicoctl-${topic}.1`)
    for (const {id, usage, examples, flags, args} of program.commands.filter((command) => command.id.split(':', 1)[0] === topic)) {
      for (const text of [...usage, ...examples, ...[...flags, ...args].flat()]) {
        expect({id, page}).toEqual({id, page: expect.stringContaining(text.replaceAll('`', '').replaceAll('…', '...').replace(/\s+/g, ' '))})
      }
    }
  }
  const named = pages.flatMap(({text}) => [...text.replaceAll('\\-', '-').matchAll(/\\fB(calico[\w.-]*)\\fR\(([1-8])\)/g)].map(([, name, section]) => `${name}.${section}`))
  expect(named.length).toBeGreaterThan(50)
  expect(named.filter((name) => !names.has(name))).toEqual([])
})

test('the page of the environment has every variable of ours that the program reads', () => {
  const sources = readdirSync(join(ROOT, 'src'), {recursive: true, encoding: 'utf8'}).filter((name) => name.endsWith('.ts')).map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
  const read = new Set(sources.flatMap((text) => text.match(/\b(?:CALICO|CALICOCTL)(?:_[A-Z]+)+\b/g) ?? []))
  expect(read.size).toBeGreaterThan(5)
  const page = shown('calicoctl-environment.7')
  // What calico-node gets, and a constant.
  const not = /^CALICO_(NETWORKING_BACKEND|MANAGE_CNI|PREFIX)$/
  expect([...read].filter((name) => !not.test(name) && !page.includes(name))).toEqual([])
})

test('every command line in README and docs/*.md is one of a command that there is, with options that it has', () => {
  const typed = PAGES.map(page).flatMap((text) => [
    ...[...text.matchAll(/`calicoctl ([^`]+)`/g)].map(([, line = '']) => line),
    ...[...text.matchAll(/^ *(?:\$ )?calicoctl (.*)$/gm)].flatMap(([, line = '']) => line.split(/ #|&&|[|;>]/)[0] ?? []),
  ])
  expect(typed.length).toBeGreaterThan(10)
  const wrong = typed.filter((line) => {
    const [topic = '', ...words] = line.split(' ').filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-'))
    // As typed, and without the name that may stand behind the topic: `profile db rule show`.
    const ids = [words, words.slice(1)].map((rest) => `${[topic, ...rest].join(':')}:`)
    const command = program.commands.filter(({id}) => ids.some((typed) => typed.startsWith(`${id}:`))).sort((a, b) => b.id.length - a.id.length)[0]
    const options = [...line.matchAll(/--([a-z-]+)/g)].map(([, name]) => name)
    const known = [...(command?.flags ?? []), ...program.globalFlags].flatMap(([term]) => [...term.matchAll(/--(?:\[no-\])?([a-z-]+)/g)].map(([, name]) => name))
    return command === undefined || options.some((name) => !known.includes(name))
  })
  expect(wrong).toEqual([])
})
