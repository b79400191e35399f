import {chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../src/lib/errors.js'
import {nearest} from '../../../src/lib/cli/suggest.js'
import {hazardProblems, type LoadOptions, loadObjects} from '../../../src/lib/resource-files/load.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-files-'))
})
afterEach(() => rmSync(folder, {recursive: true, force: true}))

const load = (paths: readonly string[], options: Partial<LoadOptions> = {}) =>
  loadObjects({paths, recursive: false, skipEmpty: false, namespace: undefined, judge: true, nearest, stdin: () => Promise.resolve(Buffer.alloc(0)), ...options})

const loadText = (text: string | Buffer, options: Partial<LoadOptions> = {}) => load(['-'], {stdin: () => Promise.resolve(Buffer.from(text)), ...options})

async function problemsOf(text: string | Buffer, options: Partial<LoadOptions> = {}): Promise<readonly string[]> {
  try {
    await loadText(text, options)
    return []
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    expect(error.kind).toBe('invalid')
    return error.details
  }
}

const HEAD = 'apiVersion: projectcalico.org/v3\n'
const profile = (name: string, spec = '{}'): string => `${HEAD}kind: Profile\nmetadata: {name: ${name}}\nspec: ${spec}\n`

describe('all problems of all documents, with their places', () => {
  const PROBLEMS: readonly (readonly [string, string, ...string[]])[] = [
    ['an unknown field', profile('web', '{ingres: []}'), '-:4:8: profile/web: spec.ingres: is not a field of a Profile in this place. Did you mean ingress?'],
    ['an unknown field in a rule', profile('web', '{ingress: [{action: Allow, srouce: {}}]}'), '-:4:34: profile/web: spec.ingress[0].srouce: is not a field of a Profile in this place. Did you mean source?'],
    ['another case', `${HEAD}kind: Profile\nmetadata: {Name: web}\n`, '-:3:11: profile: metadata.name: must be set', '-:3:12: profile: metadata.Name: is not a field of a Profile in this place. Did you mean name?'],
    ['a wrong type', profile('web', '{ingress: {}}'), '-:4:17: profile/web: spec.ingress: must be a list, not an object'],
    ['a number for a text', profile('010'), '-:3:18: profile: metadata.name: must be a string, which 010 without quotes is not: write "010"'],
    ['a text of YAML 1.2 only', profile('y'), '-:3:18: profile/y: metadata.name: without quotes, y is not a string for every reader of YAML: write "y"'],
    ['a text that is a number in YAML 1.1', profile('web', '{labelsToApply: {a: 0X10}}'), '-:4:27: profile/web: spec.labelsToApply.a: without quotes, 0X10 is not a string for every reader of YAML: write "0X10"'],
    ['a number with a zero before it', profile('web', '{ingress: [{action: Allow, protocol: 010}]}'), '-:4:44: profile/web: spec.ingress[0].protocol: 010 is 8 for some readers of YAML and 10 for others: write the number that is meant, without the leading zero'],
    ['a tag', profile('web', '!!timestamp 2001-01-01'), '-:4:19: profile/web: spec: the tag tag:yaml.org,2002:timestamp is not supported'],
    ['a control character', profile('web', '{labelsToApply: {a: "x\u001by"}}'), '-:4:29: it contains the control character U+001B; in a string, write "\\u001B" in double quotes'],
    ['a control character in a comment', `# \u0080\n${profile('web')}`, '-:1:3: it contains the control character U+0080; in a string, write "\\u0080" in double quotes'],
    ['an unknown field of the metadata of a list', `${HEAD}kind: ProfileList\nmetadata: {continu: a}\nitems:\n- ${profile('a').replaceAll('\n', '\n  ')}`, "-:3:12: ProfileList: metadata.continu: is not a field of a list's metadata. Did you mean continue?"],
    ['a list as the metadata of a list', `${HEAD}kind: ProfileList\nmetadata: []\nitems:\n- ${profile('a').replaceAll('\n', '\n  ')}`, '-:3:11: ProfileList: metadata: must be an object'],
    ['a label that is a number', profile('web', '{labelsToApply: {a: 1.10}}'), '-:4:27: profile/web: spec.labelsToApply["a"]: must be a string, which 1.10 without quotes is not: write "1.10"'],
    ['a number too large for one', `${HEAD}kind: Tier\nmetadata: {name: t}\nspec: {order: 1e400}\n`, '-:4:15: tier/t: spec.order: must be a number, not 1e400, which is too large'],
    ['the same in JSON', JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: {name: 't'}, spec: {order: 0}}).replace(':0}', ':-1e400}'), '-:1:92: tier/t: spec.order: must be a number, not -1e400, which is too large'],
    ['a whole number too large for one', `${HEAD}kind: Tier\nmetadata: {name: t}\nspec: {order: ${'9'.repeat(400)}}\n`, `-:4:15: tier/t: spec.order: must be a number, not ${'9'.repeat(40)}…, which is too large`],
    ['no number, and infinity', profile('web', '{ingress: [{action: Allow, protocol: .nan, destination: {ports: [.inf, -.inf], nets: .nan}}]}'),
      '-:4:44: profile/web: spec.ingress[0].protocol: must be a protocol name or a number from 0 to 255, not .nan',
      '-:4:72: profile/web: spec.ingress[0].destination.ports[0]: must be a port from 1 to 65535, a range such as "1024:2048", or a port name, not .inf',
      '-:4:78: profile/web: spec.ingress[0].destination.ports[1]: must be a port from 1 to 65535, a range such as "1024:2048", or a port name, not -.inf',
      '-:4:92: profile/web: spec.ingress[0].destination.nets: must be a list, not .nan'],
    ['a whole number above the limit of its field', profile('web', `{ingress: [{action: Allow, ipVersion: ${'1234567890'.repeat(5)}, protocol: 12345678901234567890}]}`),
      `-:4:45: profile/web: spec.ingress[0].ipVersion: must be a whole number from -9007199254740991 to 9007199254740991, not ${'1234567890'.repeat(4)}…`,
      '-:4:107: profile/web: spec.ingress[0].protocol: must be a protocol name or a number from 0 to 255, not 12345678901234567890'],
    ['a key that is a number', profile('web', '{labelsToApply: {1: a}}'), '-:4:24: profile/web: spec.labelsToApply: a key must be a string: write "1" in quotes'],
    ['a key twice', profile('web', '{ingress: [], ingress: []}'), '-:4:21: profile/web: spec.ingress: the key is duplicated'],
    ['a kind misspelt', `${HEAD}kind: Profiles\nmetadata: {name: a}\n`, '-:2:7: profiles/a: kind: is not a kind that calicoctl reads: Profiles. Did you mean Profile?'],
    ['a key without a text', profile('web', '{labelsToApply: {? : a}}'), '-:4:26: profile/web: spec.labelsToApply: a key must not be empty'],
    ['a key of YAML 1.2 only', profile('web', '{labelsToApply: {y: a, "n": b}}'), '-:4:24: profile/web: spec.labelsToApply.y: without quotes, y is not a string for every reader of YAML: write "y"'],
    ['an apiVersion and a kind that are null', 'apiVersion: null\nkind: null\nmetadata: {name: a}\n', '-:1:13: apiVersion: must be set: projectcalico.org/v3', '-:2:7: kind: must be set'],
    ['a kind that is a number', `${HEAD}kind: 7\nmetadata: {name: a}\n`, '-:2:7: kind: must be a string'],
    ['null', 'null\n', '-:1:1: must be an object with apiVersion, kind and metadata'],
    ['a list of nothing with a key twice', `${HEAD}kind: ProfileList\nitems: []\nitems: []\n`, '-:4:1: profilelist: items: the key is duplicated'],
    ['no apiVersion', 'kind: Profile\nmetadata: {name: a}\n', '-:1:1: profile/a: apiVersion: must be set: projectcalico.org/v3'],
    ["calicoctl 1.x's", 'apiVersion: v1\nkind: profile\nmetadata: {name: a}\n', "-:1:13: profile/a: apiVersion: must be projectcalico.org/v3, not v1, which was calicoctl 1.x's", '-:2:7: profile/a: kind: is not a kind that calicoctl reads: profile. Did you mean Profile?'],
    ["Kubernetes' list", 'apiVersion: v1\nkind: List\nitems: []\n', "-:2:7: list: kind: a Kubernetes List is not supported: write its objects as separate documents, with --- between them"],
    ['a namespace of a global kind', `${HEAD}kind: Profile\nmetadata: {name: a, namespace: b}\n`, '-:3:32: profile/a: metadata.namespace: must not be set: the kind Profile has no namespaces'],
    ['the same object twice', `${profile('a')}---\n${profile('b')}---\n${profile('a')}`, '-:13:18: profile/a: metadata.name: the same object is at -:1:1'],
    ['two documents', `${profile('A')}---\n${profile('web', '{x: 1}')}`,
      '-:3:18: profile/A: metadata.name: must be lower-case letters, digits, "-" and ".", each part beginning and ending with a letter or digit, not "A"',
      '-:9:8: profile/web: spec.x: is not a field of a Profile in this place'],
    ['an item of a list', `${HEAD}kind: ProfileList\nitems:\n- ${profile('a', '{x: 1}').replaceAll('\n', '\n  ')}`, '-:7:10: profile/a: spec.x: is not a field of a Profile in this place'],
    ['an item without kind', `${HEAD}kind: ProfileList\nitems:\n- metadata: {name: a}\n`, '-:4:3: apiVersion: must be set: projectcalico.org/v3', '-:4:3: kind: must be set'],
    ['a tab', `${HEAD}kind: Profile\nmetadata:\n\tname: web\n`, '-:4:1: not YAML: a tab at the beginning of a line; indent YAML with spaces'],
    ['something long that is no YAML', `a: b\n${'x'.repeat(100_000)}\n`, expect.stringMatching(/^-:2:\d+: not YAML: .{1,200}$/) as unknown as string],
    ['pools that overlap', `${HEAD}kind: IPPool\nmetadata: {name: a}\nspec: {cidr: 10.0.0.0/16}\n---\n${HEAD}kind: IPPool\nmetadata: {name: b}\nspec: {cidr: 10.0.1.0/24}\n`, '-:9:14: ippool/b: spec.cidr: overlaps the pool a (10.0.0.0/16)'],
    ['JSON without separators', JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name: 'a'}}).repeat(2), expect.stringContaining('-:1:79: not YAML:') as unknown as string],
    ['a version of YAML', `%YAML 1.1\n---\n${profile('a')}`, '-:2:1: %YAML 1.1: files are read as YAML 1.2. Remove the line.'],
    ['nothing', '', '-: it contains no objects (--skip-empty ignores such files)'],
    ['only comments', '# a\n---\n# b\n', '-: it contains no objects (--skip-empty ignores such files)'],
    ['an alias to nothing', profile('a', '*nothing'), expect.stringContaining('-:4:7: ') as unknown as string],
    ['merged twice', profile('a', '\n  ingress:\n  - &r {action: Allow, protocol: TCP}\n  - <<: *r\n    protocol: UDP'), '-:7:5: profile/a: spec.ingress[1].protocol: the key is duplicated: here and in the object merged with <<'],
  ]
  test.each(PROBLEMS)('%s', async (_, text, ...expected) => {
    expect(await problemsOf(text)).toEqual(expected)
  })

  test('aliases that explode end at once', async () => {
    const levels = Array.from({length: 12}, (_, level) => `x${level + 1}: &x${level + 1} [${Array(10).fill(`*x${level}`).join(', ')}]`)
    const problems = await problemsOf(`${HEAD}kind: Profile\nmetadata: {name: web}\nx0: &x0 [a]\n${levels.join('\n')}\n`)
    expect(problems.filter((problem) => problem.includes('its aliases make more than'))).toHaveLength(1)
  })
  test('an alias that contains itself', async () => {
    expect(await problemsOf(`${HEAD}kind: Profile\nmetadata: {name: web}\nspec: &a {ingress: [*a]}\n`)).not.toEqual([])
  })
  const indented = (levels: number, line: string): string => Array.from({length: levels}, (_, level) => `${' '.repeat(level * 2)}${line}\n`).join('')
  test.each([
    ['brackets', (levels: number) => '['.repeat(levels)],
    ['braces, and what ends none of them', (levels: number) => `${'{a: '.repeat(levels)}]`],
    ['dashes on a line', (levels: number) => `${'- '.repeat(levels)}x\n- y\n`],
    ['question marks on a line', (levels: number) => `${'? '.repeat(levels)}x\n: y\n`],
    ['keys on a line', (levels: number) => `${'a: '.repeat(levels)}x\nb: y\n`],
    ['keys with tags on a line', (levels: number) => '!x a: '.repeat(levels)],
    ['keys below each other', (levels: number) => `${indented(levels, 'a:')}b: y\n`],
    ['dashes below each other', (levels: number) => `${indented(levels, '-')}- y\n`],
    ['dashes, and another document', (levels: number) => `${'- '.repeat(levels)}\n---\n- x\n`],
  ])('deep nesting by %s', async (_what, text) => {
    // Stack traces of the parser, or the end of the process, if it went down as deep as this.
    for (const levels of [101, 5000]) expect(await problemsOf(text(levels))).toEqual(['-: not read: it has more than 100 lists or maps inside each other'])
    expect((await problemsOf(text(100))).filter((problem) => problem.includes('not read'))).toEqual([])
  })
  test('what only looks like nesting', async () => {
    const web = `${HEAD}kind: Profile\nmetadata: {name: web, annotations: {a: "${'['.repeat(500)}", b: '${'- '.repeat(500)}'}}\nspec:\n  labelsToApply:\n    a: b # ${'{'.repeat(500)} ${'a: '.repeat(500)}\n`
    expect(await problemsOf(web)).toEqual([])
    expect(await problemsOf(`${HEAD}kind: Profile\nmetadata:\n  name: web\n  annotations:\n    a: |\n      x\n${' '.repeat(500)}- - far to the right\n`)).toEqual([])
  })
  test('bytes that are no text', async () => {
    for (const bytes of [[0x61, 0xff, 0x62], [0xff, 0x61], [0xfe, 0x61], [0x61, 0xfe], [0xff, 0xff, 0x61, 0x00], [0xff, 0xfe, 0x00, 0xd8]]) expect(await problemsOf(Buffer.from(bytes))).toEqual(['-: it is not UTF-8 text (or UTF-16 text with a byte order mark)'])
  })
})

describe('what is taken', () => {
  const names = async (text: string | Buffer): Promise<readonly string[]> => (await loadText(text)).objects.map(({label}) => label)
  test.each([
    ['comments before and behind', `# licence\n---\n${profile('a')}--- # end`, ['profile/a']],
    ['empty documents', `---\n---\n${profile('a')}---\n---\n${profile('b')}---\n\n`, ['profile/a', 'profile/b']],
    ['what follows the end of a document', `${profile('a')}...\n${profile('b')}`, ['profile/a', 'profile/b']],
    ['a list', `${HEAD}kind: ProfileList\nmetadata: {resourceVersion: "5"}\nitems:\n- ${profile('a').replaceAll('\n', '\n  ')}`, ['profile/a']],
    ['a sequence', JSON.stringify(['a', 'b'].map((name) => ({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name}}))), ['profile/a', 'profile/b']],
    ['a byte order mark', `\ufeff${profile('a')}`, ['profile/a']],
    ['a byte order mark before the second document', `${profile('a')}---\n\ufeff${profile('b')}`, ['profile/a', 'profile/b']],
    ['UTF-16, the other way round', Buffer.from(`\ufeff${profile('a')}`, 'utf16le').swap16(), ['profile/a']],
    ['UTF-16', Buffer.from(`\ufeff${profile('a')}`, 'utf16le'), ['profile/a']],
    ['CRLF', profile('a').replaceAll('\n', '\r\n'), ['profile/a']],
    ['three dashes in a text', `${HEAD}kind: Profile\nmetadata:\n  name: a\n  annotations:\n    note: |\n      one\n      ---\n      two\n`, ['profile/a']],
  ])('%s', async (_, text, expected) => {
    expect(await names(text)).toEqual(expected)
  })
  test('pools that overlap, where files are not judged', async () => {
    const pool = (name: string, cidr: string): string => `${HEAD}kind: IPPool\nmetadata: {name: ${name}}\nspec: {cidr: ${cidr}}\n`
    expect((await loadText(`${pool('a', '10.0.0.0/16')}---\n${pool('b', '10.0.1.0/24')}`, {judge: false})).objects.map(({label, hazards}) => [label, hazards])).toEqual([['ippool/a', []], ['ippool/b', []]])
  })
  test.each([[true, ['open spec.ingress[0].source.nets']], [false, []]])('hazards, where files are judged: %s', async (judge, hazards) => {
    const {objects} = await loadText(profile('a', '{ingress: [{action: Allow, source: {nets: []}}]}'), {judge})
    expect(objects.map((object) => object.hazards.map(({level, field}) => `${level} ${field}`))).toEqual([hazards])
    expect(hazardProblems(objects).map(({file, position, object, field}) => ({file, position, object, field}))).toEqual(judge ? [{file: '-', position: {line: 4, column: 49}, object: 'profile/a', field: 'spec.ingress[0].source.nets'}] : [])
  })
  test('numbers of 64 bits', async () => {
    const {objects} = await loadText(`${HEAD}kind: WorkloadEndpoint\nmetadata: {name: h1-docker-w-e}\nspec: {node: h1, orchestrator: docker, workload: w, endpoint: e, interfaceName: cali1, qosControls: {ingressBurst: 9007199254740993, ingressBandwidth: 2000}}\n`)
    expect((objects[0]?.wanted.spec as {qosControls: object}).qosControls).toMatchObject({ingressBurst: 9007199254740993n})
  })
})

describe('files and folders', () => {
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  const names = async (path: string, options: Partial<LoadOptions> = {}): Promise<readonly string[]> => (await load([path], options)).objects.map(({file, label}) => `${file.slice(folder.length + 1)} ${label}`)

  test('of a folder: .yaml, .yml and .json in byte order; with -R what is below, each at its place', async () => {
    mkdirSync(join(folder, 'b'))
    put('c.YML', profile('c'))
    put('a.yaml', profile('a'))
    put('.hidden.json', JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Profile', metadata: {name: 'h'}}))
    put('notes.txt', 'x')
    writeFileSync(join(folder, 'b/d.yaml'), profile('d'))
    mkdirSync(join(folder, '..', `${folder.split('/').at(-1) ?? ''}-other`), {recursive: true})
    symlinkSync(`${folder}-other`, join(folder, 'link.yaml'))
    symlinkSync('a.yaml', join(folder, 'twice.txt'))
    rmSync(`${folder}-other`, {recursive: true})
    mkdirSync(`${folder}-other`)
    try {
      expect(await names(folder)).toEqual(['.hidden.json profile/h', 'a.yaml profile/a', 'c.YML profile/c'])
      expect(await names(folder, {recursive: true})).toEqual(['.hidden.json profile/h', 'a.yaml profile/a', 'b/d.yaml profile/d', 'c.YML profile/c'])
    } finally {
      rmSync(`${folder}-other`, {recursive: true})
    }
  })
  test('a device, a missing file and a file too large are told together', async () => {
    symlinkSync('/dev/zero', join(folder, 'p.yaml'))
    writeFileSync(join(folder, 'q.yaml'), '')
    truncateSync(join(folder, 'q.yaml'), 100 * 1024 * 1024)
    await expect(load([join(folder, 'p.yaml'), join(folder, 'none.yaml'), join(folder, 'q.yaml')])).rejects.toMatchObject({
      details: [`${folder}/p.yaml: it is not a regular file; to read from a pipe, give - and redirect the pipe to stdin`, `${folder}/none.yaml: there is no such file`, `${folder}/q.yaml: it has more than 32 MiB`],
    })
  })
  test('a link to a file is read, wherever that is; a link to nothing, and a chain of links without end, are told', async () => {
    const outside = mkdtempSync(`${folder}-outside-`)
    try {
      writeFileSync(join(outside, 'x.yaml'), profile('x'))
      symlinkSync(join(outside, 'x.yaml'), join(folder, 'a.yaml'))
      expect(await names(folder)).toEqual(['a.yaml profile/x'])
      symlinkSync('nothing', join(folder, 'b.yaml'))
      symlinkSync('c.yaml', join(folder, 'c.yaml'))
      await expect(load([folder])).rejects.toMatchObject({details: [`${folder}/b.yaml: there is no such file`, `${folder}/c.yaml: too many symbolic links, or a symbolic link where none is allowed`]})
    } finally {
      rmSync(outside, {recursive: true})
    }
  })
  test('what the user may not read is told, and nothing is done with the rest', async () => {
    for (const name of ['closed', 'inner']) mkdirSync(join(folder, name))
    writeFileSync(join(folder, 'closed/a.yaml'), profile('a'))
    writeFileSync(join(folder, 'inner/b.yaml'), profile('b'), {mode: 0o600})
    put('c.yaml', profile('c'))
    chmodSync(join(folder, 'closed'), 0o000)
    chmodSync(join(folder, 'inner/b.yaml'), 0o000)
    chmodSync(folder, 0o755)
    const root = process.geteuid?.() === 0
    try {
      if (root) process.seteuid?.(65534)
      await expect(load([folder], {recursive: true})).rejects.toMatchObject({details: [`${folder}/closed: permission denied`, `${folder}/inner/b.yaml: permission denied`]})
      await expect(load([join(folder, 'closed')])).rejects.toMatchObject({details: [`${folder}/closed: permission denied`]})
      await expect(load([join(folder, 'closed/a.yaml')])).rejects.toMatchObject({details: [`${folder}/closed/a.yaml: permission denied`]})
    } finally {
      if (root) process.seteuid?.(0)
      chmodSync(join(folder, 'closed'), 0o700)
    }
  })
  test('stdin is read once', async () => {
    const stdin = () => Promise.resolve(Buffer.from(profile('a')))
    await expect(load(['-', '-'], {stdin})).rejects.toMatchObject({details: ['-: it is given twice, but stdin can only be read once']})
    put('b.yaml', profile('b'))
    expect((await load([join(folder, 'b.yaml'), '-'], {stdin})).objects.map(({label}) => label)).toEqual(['profile/b', 'profile/a'])
  })
  test('a folder without files is empty', async () => {
    chmodSync(folder, 0o700)
    await expect(load([folder])).rejects.toMatchObject({details: [`${folder}: it contains no objects (--skip-empty ignores such files)`]})
    expect(await names(folder, {skipEmpty: true})).toEqual([])
  })
})
