import {createHash} from 'node:crypto'
import {spawnSync} from 'node:child_process'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {endpointId, shortHash} from '../../../src/lib/model/hash.js'
import {
  addressName,
  bgpPeerName,
  convertName,
  convertNameNoDots,
  convertProfileName,
  isResourceName,
  nodeName,
  normalize,
  pluginTag,
  poolName,
  tagProblem,
} from '../../../src/lib/model/names.js'
import {ip, network} from '../net/parsed.js'
import {cpuMs} from '../../support/cpu-time.js'

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').slice(0, 8)
const typed = fc.oneof(
  fc.string({unit: fc.constantFrom(...Array.from('abcXYZ019_.-/ é'))}),
  fc.string({unit: fc.constantFrom('a', 'b', '.', '-'), minLength: 230, maxLength: 300}),
  fc.string(),
)

describe('convertName', () => {
  test.each([
    ['web', 'web'],
    ['prof_1', 'prof-1-fcc5726d'],
    ['PROF_TEST', 'prof-test-c85b7b95'],
    ['My/Name', 'my.name-0dcc07b3'],
    ['Web.Tier', 'web.tier-a58f7072'],
    ['a..b', `a.b-${sha1('a..b')}`],
    ['a.-b', `a.b-${sha1('a.-b')}`],
    ['a--b', 'a--b'],
    ['-var-run-netns-x', `var-run-netns-x-${sha1('-var-run-netns-x')}`],
    ['web ', `web-${sha1('web ')}`],
    ['é', sha1('é')],
    ['___', sha1('___')],
    ['...', sha1('...')],
    ['', sha1('')],
  ])('%j is stored as %s', (text, name) => expect(convertName(text)).toBe(name))

  test('a name too long is cut before the hash, and two of them stay apart', () => {
    const long = 'x'.repeat(300)
    expect(convertName(long)).toBe(`${'x'.repeat(244)}-${sha1(long)}`)
    expect(convertName('x'.repeat(253))).toBe('x'.repeat(253))
    expect(convertName('X'.repeat(244))).toBe(`${'x'.repeat(244)}-${sha1('X'.repeat(244))}`)
    expect(convertName('X'.repeat(245))).toBe(`${'x'.repeat(244)}-${sha1('X'.repeat(245))}`)
    expect(convertName(`${'x'.repeat(243)}.${'y'.repeat(50)}`)).toMatch(/^x{243}-[0-9a-f]{8}$/)
  })

  test('gives a name that Calico allows for any text, and leaves such names alone', () => {
    fc.assert(
      fc.property(typed, (text) => {
        expect(isResourceName(convertName(text))).toBe(true)
        expect(isResourceName(convertProfileName(text))).toBe(true)
        expect(convertName(convertName(text))).toBe(convertName(text))
        if (normalize(text) === text && text !== '' && text.length <= 253) expect(convertName(text)).toBe(text)
        else expect(convertName(text).endsWith(sha1(text))).toBe(true)
      }),
    )
  })

  test('without dots for policies, with kns for profiles of namespaces', () => {
    expect(convertNameNoDots('a.b-.c')).toBe('a-b-c-6c40f5e9')
    expect(convertNameNoDots('web')).toBe('web')
    expect(convertProfileName('k8s_ns.default')).toBe('kns.default')
    expect(convertProfileName('k8s_ns.De_fault')).toBe(`kns.de-fault-${sha1('kns.De_fault')}`)
    expect(convertProfileName('web_1')).toBe(convertName('web_1'))
    fc.assert(fc.property(typed, (text) => !convertNameNoDots(text).includes('.')))
  })

  test('hostile text takes no time', () => {
    for (const piece of ['-', '.', '-a', '/', '_', 'é-', '.-']) {
      const text = piece.repeat(100_000)
      const spent = cpuMs(() => {
        expect(convertName(`a${text}b`).length).toBeLessThanOrEqual(253)
        expect(isResourceName(text)).toBe(false)
      })
      expect(spent).toBeLessThan(500)
    }
  })

  test('loads node:crypto only for a hash', () => {
    const built = spawnSync(
      'node_modules/.bin/esbuild',
      ['src/lib/model/names.ts', '--bundle', '--platform=node', '--format=cjs', '--log-level=error'],
      {encoding: 'utf8'},
    )
    expect(built.stderr).toBe('')
    expect(built.stdout).not.toMatch(/require\("(node:)?crypto"\)/)
    const count = `{
      const {convertName} = module.exports
      const loaded = []
      const load = process.getBuiltinModule
      process.getBuiltinModule = (id) => (loaded.push(id), load.call(process, id))
      convertName('web')
      const before = loaded.length
      convertName('Web')
      process.stdout.write(JSON.stringify([before, loaded]))
    }`
    const {stdout} = spawnSync(process.execPath, ['--input-type=commonjs'], {encoding: 'utf8', input: built.stdout + count})
    expect(JSON.parse(stdout)).toEqual([0, ['node:crypto']])
  })
})

describe('other names', () => {
  test('a node keeps its name, in lower case', () => {
    expect(nodeName('Host-1.Example')).toBe('host-1.example')
    for (const bad of ['', 'host_1', '-h', 'h-', 'a..b', 'h/1', 'é', 'x'.repeat(254)]) expect(() => nodeName(bad)).toThrow(/node name/)
  })

  test.each([
    ['10.0.0.1', '10-0-0-1'],
    ['aa:bb::1', '00aa-00bb-0000-0000-0000-0000-0000-0001'],
  ])('the address %s in a name is %s', (text, name) => {
    const address = ip(text)
    expect(addressName(address)).toBe(name)
    expect(bgpPeerName(address)).toBe(name)
    expect(bgpPeerName(address, 'host-1')).toBe(`host-1.${name}`)
  })

  test.each([
    ['192.168.0.0/16', '192-168-0-0-16'],
    ['10.0.0.5/24', '10-0-0-0-24'],
    ['fd80:24e2:f998:72d6::/64', 'fd80-24e2-f998-72d6---64'],
    ['::/64', 'pool---64'],
    ['::1:0/112', 'pool--1-0-112'],
  ])('the pool %s is called %s', (cidr, name) => {
    expect(poolName(network(cidr))).toBe(name)
    expect(isResourceName(name)).toBe(true)
  })

  test('every pool and peer has a name that Calico allows', () => {
    const address = fc.oneof(
      fc.record({family: fc.constant(4 as const), value: fc.bigInt(0n, (1n << 32n) - 1n)}),
      fc.record({family: fc.constant(6 as const), value: fc.bigInt(0n, (1n << 128n) - 1n)}),
      fc.record({family: fc.constant(6 as const), value: fc.bigInt(0n, 0xffffffn)}),
    )
    fc.assert(
      fc.property(address, fc.integer({min: 0, max: 32}), (value, prefix) => {
        expect(isResourceName(poolName({...value, prefix}))).toBe(true)
        expect(isResourceName(poolName({...value, prefix: value.family === 6 ? prefix + 96 : prefix}))).toBe(true)
        expect(isResourceName(bgpPeerName(value, 'h'.repeat(253)))).toBe(true)
      }),
    )
  })
})

describe('tags', () => {
  test.each(['web', 'A', '0', 'a.b-c_D', 'x'.repeat(63)])('%s can be one', (tag) => {
    expect(tagProblem(tag)).toBeUndefined()
    expect(pluginTag(tag)).toBe(tag)
  })

  test.each([
    ['_x', /begin with/],
    ['x-', /end with/],
    ['.', /begin with/],
    ['x'.repeat(64), /longer than the 63/],
    ['a b', /only letters/],
    ['a/b', /only letters/],
    ['', /only letters/],
    ['x\n', /only letters/],
    ['é', /only letters/],
  ])('%j cannot, and the reason is told', (tag, reason) => expect(tagProblem(tag)).toMatch(reason))

  test('the plugins have a tag for every name', () => {
    expect(pluginTag('_x')).toBe(`x-${sha1('_x')}`)
    expect(pluginTag('x'.repeat(70))).toBe(`${'x'.repeat(54)}-${sha1('x'.repeat(70))}`)
    fc.assert(fc.property(typed, (name) => tagProblem(pluginTag(name)) === undefined))
  })
})

describe('hashes', () => {
  test('are those of SHA-1 and SHA-256', () => {
    expect(shortHash('prof_1')).toBe('fcc5726d')
    expect(endpointId('host-1', 'docker', 'w')).toBe(createHash('sha256').update('host-1\0docker\0w').digest('hex').slice(0, 32))
    expect(endpointId('host', '1docker', 'w')).not.toBe(endpointId('host1', 'docker', 'w'))
  })
})
