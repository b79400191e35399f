/** What every command prints with `-o json` on a store that has something of everything, held to the schema that `calicoctl schema` prints for its kind. */
import {mkdtempSync, readdirSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {DOCUMENT_KINDS} from '../../src/lib/documents/schemas.js'
import {parseJson} from '../../src/lib/json/json.js'
import {KINDS} from '../../src/lib/model/kinds.js'
import {checkBuild, startCalicoctl} from '../support/cli.js'
import {schemaFaults} from '../support/schemas.js'
import {fillStore, type Output, runLines, SHOWING} from '../support/whole-store.js'

let folder: string
beforeAll(() => {
  checkBuild()
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-schema-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const run = (lines: readonly string[]): Output[] => runLines(folder, lines)

/** Commands that need a Docker Engine or the whole host: their own tests hold what they print to the schemas. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'container endpoint show': 'container-namespaces.test.ts',
  'container profile show': 'container-namespaces.test.ts',
  'endpoint gc': 'container.test.ts',
  'checksystem': 'checksystem.test.ts',
  'policy picture': 'policy-picture.test.ts', // prints no document
}
/** Documents of which that is so, and those whose lines have no end. */
const KINDS_ELSEWHERE = ['NodeStatus', 'SystemCheck', 'WatchEvent']

/** Documents that have no kind: what they are called. */
const BARE: Readonly<Record<string, string>> = {'profile rule json': 'RulesDocument'}

describe('every document', () => {
  let outputs: ReadonlyMap<string, Output>
  /** The kinds that each command printed. */
  const seen = new Map<string, Set<string>>()

  beforeAll(() => {
    fillStore(folder)
    const all = Object.values(SHOWING).flat()
    const ran = run(all.map((line) => `${line} -o json`))
    outputs = new Map(all.map((line, at) => [line, ran[at] ?? {code: -1, stdout: '', stderr: ''}]))
  })

  test.each(Object.entries(SHOWING))('%s', (command, lines) => {
    const documents = lines.map((line) => {
      const {code = -1, stdout = '', stderr = ''} = outputs.get(line) ?? {}
      if (stdout === '') throw new Error(`${line}: ${code}, nothing on stdout; stderr: ${stderr}`)
      return {line, value: parseJson(stdout)}
    })
    const faults = documents.flatMap(({line, value}) => [value].flat().flatMap((each) => schemaFaults(each, BARE[command]).map((fault) => `${line}: ${fault}`)))
    expect(faults).toEqual([])
    seen.set(command, new Set(documents.flatMap(({value}) => [value].flat().map((each) => BARE[command] ?? (each as {kind: string}).kind))))
  })

  test('is that of the commands that calicoctl schema names, and of no others', () => {
    const printed = [...seen].flatMap(([command, kinds]) => [...kinds].map((kind) => `${command}: ${kind}`)).sort()
    const named = DOCUMENT_KINDS.flatMap(({kind, commands}) => (KINDS_ELSEWHERE.includes(kind) ? [] : commands.filter((command) => !(command in ELSEWHERE)).map((command) => `${command}: ${kind}`)))
    const single = Object.keys(KINDS).map((kind) => `get: ${kind}`) // not one object of each kind is shown by its name
    expect(printed.filter((each) => !named.includes(each))).toEqual([])
    expect(named.filter((each) => !printed.includes(each) && !single.includes(each))).toEqual([])
  })

  test('of every command that has -o is held to its schema', () => {
    const help = resolve(import.meta.dirname, '../../dist/help')
    const pages = readdirSync(help).filter((name) => /--output=FORMAT|--json\b/.test(readFileSync(join(help, name), 'utf8')))
    const commands = pages.map((name) => name.replace(/^calicoctl\.|\.txt$/g, '').replaceAll('.', ' '))
    expect(commands.length).toBeGreaterThan(40)
    expect(commands.filter((command) => !(command in SHOWING) && !(command in ELSEWHERE)).sort()).toEqual([])
  })
})

test('a line of get --watch', async () => {
  const {process: child, result} = startCalicoctl(['get', 'profile', 'web', '-w', '-o', 'json'], {env: {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`, XDG_STATE_HOME: folder}})
  child.stdout?.once('data', () => child.kill('SIGINT'))
  expect(schemaFaults(parseJson((await result).stdout), 'WatchEvent')).toEqual([])
})

describe('calicoctl schema', () => {
  test('prints what documents are held to', () => {
    const [all, one, yaml, alias] = run(['schema -o json', 'schema profilelist', 'schema ProfileList -o yaml', 'schema pool'])
    expect((JSON.parse(all?.stdout ?? '') as {items: unknown}).items).toEqual(DOCUMENT_KINDS)
    expect(JSON.parse(one?.stdout ?? '')).toMatchObject({$schema: 'https://json-schema.org/draft/2020-12/schema', title: 'ProfileList', properties: {items: {items: {properties: {kind: {const: 'Profile'}}}}}})
    expect(yaml?.stdout).toContain('title: ProfileList\n')
    expect(JSON.parse(alias?.stdout ?? '')).toMatchObject({title: 'IPPool'})
  })
  test('marks numbers of 64 bits and more', () => {
    const [block, use] = run(['schema IPAMBlock', 'schema AddressUseList'])
    expect(JSON.parse(block?.stdout ?? '')).toMatchObject({properties: {value: {properties: {sequenceNumber: {type: 'integer', format: 'int64'}}}}})
    expect(JSON.parse(use?.stdout ?? '')).toMatchObject({properties: {items: {items: {properties: {total: {type: 'integer', format: 'large'}}}}}})
  })
  test('says which kinds there are where one is misspelt', () => {
    const [wrong] = run(['schema ProfilList'])
    expect(wrong).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining("There are no documents of the kind 'ProfilList'. Did you mean ProfileList?") as unknown})
  })
})
