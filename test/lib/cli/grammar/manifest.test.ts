/** What the line reader takes for granted of the commands as oclif knows them. */
import {execFileSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {attemptAll, v020Options} from '../../../../src/lib/cli/grammar/attempt.js'
import {OPTIONS, OWN_ARGUMENTS} from '../../../../src/lib/cli/completion/places.js'
import type {CommandTable} from '../../../../src/lib/cli/grammar/line.js'
import {optionsOf, parsePattern} from '../../../../src/lib/cli/grammar/pattern.js'
import {splitLine} from '../../../../src/lib/cli/grammar/split.js'
import {usageOfId, V020} from '../../../../src/lib/cli/grammar/v020.js'

const root = resolve(import.meta.dirname, '../../../..')
let scratch: string
let commands: CommandTable

/** In a process of its own: oclif imports all commands at once, which jest's loader cannot (toolchain.md §1). */
const PROGRAM = `
  const [manifest, root, source, scratch] = process.argv.slice(1)
  const {makeManifest} = await import(manifest)
  process.stdout.write(JSON.stringify(await makeManifest({root, source, scratch})))`

beforeAll(() => {
  mkdirSync(join(root, '.cache'), {recursive: true})
  scratch = mkdtempSync(join(root, '.cache', 'manifest-'))
  const words = ['--input-type=module', '-e', PROGRAM, join(root, 'scripts/bundle/manifest.mjs'), root, join(root, 'src'), scratch]
  commands = JSON.parse(execFileSync(process.execPath, words, {encoding: 'utf8', maxBuffer: 64 * 1024 * 1024})) as CommandTable
})
afterAll(() => rmSync(scratch, {recursive: true, force: true}))

describe('the commands', () => {
  test('an option of one name takes a value everywhere or nowhere, and has the same letter', () => {
    const kinds = new Map<string, Set<string>>()
    for (const {flags} of Object.values(commands)) {
      for (const [name, {type, char}] of Object.entries(flags)) kinds.set(name, (kinds.get(name) ?? new Set()).add(`${type} ${char ?? ''}`))
    }
    expect([...kinds].filter(([, variants]) => variants.size > 1)).toEqual([])
  })

  test('an option by its name in full is that option, also where it begins the name of another', () => {
    for (const [id, {flags}] of Object.entries(commands)) {
      for (const [name, {type}] of Object.entries(flags)) {
        const line = splitLine([...id.split(':'), type === 'option' ? `--${name}=x` : `--${name}`], commands, v020Options)
        expect([id, 'problem' in line ? line.problem : line.options.map(({kind, value}) => [kind.name, value])]).toEqual([id, [[name, type === 'option' ? 'x' : undefined]]])
      }
    }
  })

  test('every removal has --if-exists, every addition --may-exist', () => {
    const lacking = (verbs: RegExp, option: string): string[] => Object.keys(commands).filter((id) => verbs.test(id) && !(option in (commands[id]?.flags ?? {})))
    expect([...lacking(/(^|:)(remove|release|delete)$/, 'if-exists'), ...lacking(/(^|:)(add|append|assign|create)$/, 'may-exist')]).toEqual([])
  })

  test('completion knows what every argument and option takes, or there is a reason why it offers nothing', () => {
    const NEW = ['as', 'as_num', 'at', 'block-size', 'confirm-within', 'count', 'first', 'grace', 'interface', 'ip6', 'label', 'last', 'limit', 'max-blocks', 'max-blocks-per-host', 'max-size', 'mtu', 'new', 'number', 'patch', 'set', 'sort-by', 'sport', 'timeout', 'value', 'wait', 'wait-timeout', 'expect-cluster']
    const FILES = ['config', 'datastore', 'etcd-v2', 'etcd-v2-ca', 'etcd-v2-cert', 'etcd-v2-key', 'file', 'filename', 'library', 'log-dir', 'metrics', 'node-image', 'libnetwork-image', 'out', 'plan', 'plugin', 'root', 'socket']
    const OTHER = ['at', 'output', 'selector', 'ip', 'also', 'command', 'runtime', 'detach'] // revisions, formats, expressions, addresses, words of the program
    const known = [...NEW, ...FILES, ...OTHER, ...Object.keys(OPTIONS)]
    const options = Object.entries(commands).flatMap(([id, {flags, hidden}]) => Object.entries(hidden ? {} : flags).flatMap(([name, {type, options: words}]) => (type === 'option' && words === undefined && !known.includes(name) ? [`${id} --${name}`] : [])))
    const args = Object.entries(commands).flatMap(([id, {args: all, hidden}]) =>
      usageOfId(id) !== undefined || Object.hasOwn(OWN_ARGUMENTS, id) || hidden ? [] : Object.entries(all).flatMap(([name, {options: words}]) => (words === undefined && !known.includes(name) ? [`${id} <${name}>`] : [])),
    )
    expect([...options, ...args]).toEqual([])
    expect(Object.keys(OWN_ARGUMENTS).filter((id) => !Object.hasOwn(commands, id))).toEqual([])
  })

  test('one letter means one option', () => {
    const letters = new Map<string, Set<string>>()
    for (const {flags} of Object.values(commands)) {
      for (const [name, {char}] of Object.entries(flags)) if (char !== undefined) letters.set(char, (letters.get(char) ?? new Set()).add(name))
    }
    expect([...letters].filter(([letter, names]) => names.size > 1 || letter === 'h' || letter === 'V')).toEqual([])
  })

  test('a command of v0.20 has every option of its usage, of the same kind', () => {
    for (const [id, {flags}] of Object.entries(commands)) {
      const usage = usageOfId(id)
      if (usage === undefined) continue
      for (const [name, value] of optionsOf(parsePattern(usage))) {
        expect([id, name, flags[name]?.type]).toEqual([id, name, value === undefined ? 'boolean' : 'option'])
      }
    }
  })

  test('a command of v0.20 takes as many words as its usage hands to it', () => {
    for (const [id, {args, strict}] of Object.entries(commands)) {
      const usage = usageOfId(id)
      if (usage === undefined) continue
      const words = usage.replace(/\[?--[^\s\]|]+\]?/g, '').split(/[\s[\]()|]+/)
      const open = usage.includes('...') || usage.includes('<MATCH>')
      const names = Object.keys(args)
      if (open) expect([id, strict === false || names.some((name) => args[name]?.multiple)]).toEqual([id, true])
      else expect([id, names.length >= words.filter((word) => word.startsWith('<')).length]).toEqual([id, true])
    }
  })

  test('a command of ours alone is one that v0.20 refused', () => {
    for (const id of Object.keys(commands)) {
      if (usageOfId(id) !== undefined) continue
      const words = id.split(':')
      expect([id, attemptAll({words, options: []}).some((attempt) => attempt.match.fits)]).toEqual([id, false])
    }
  })
})

describe('v0.20\'s usages', () => {
  test('stand under their own id, and their options are read alike from text and pattern', () => {
    for (const [word, usages] of Object.entries(V020)) {
      const options = new Map<string, boolean>()
      for (const [id, usage] of Object.entries(usages)) {
        expect(usage.split(' ').filter((token) => /^[a-z]/.test(token) && token !== 'as').slice(0, id.split(':').length)).toEqual(id.split(':'))
        for (const [name, value] of optionsOf(parsePattern(usage))) options.set(name, value !== undefined)
      }
      expect(v020Options(word)).toEqual(options)
    }
  })
})
