import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {namesOfThisHost, resolveNodeName, thisHostsName, type NodeNameInputs} from '../../../src/lib/client/node-name.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {isResourceName} from '../../../src/lib/model/names.js'
import {ANY_CHARACTER} from '../../support/any-character.js'

const inputs = (given: Partial<NodeNameInputs>): NodeNameInputs => ({env: {}, file: undefined, system: 'system', ...given})

const everything = inputs({
  option: 'option',
  env: {CALICO_NODENAME: 'calico', NODENAME: 'node', HOSTNAME: 'host'},
  file: 'file',
})

describe('the order of sources', () => {
  test.each([
    ['--node', 'option', everything],
    ['CALICO_NODENAME', 'calico', {...everything, option: undefined}],
    ['NODENAME', 'node', {...everything, option: undefined, env: {NODENAME: 'node', HOSTNAME: 'host'}}],
    ['HOSTNAME', 'host', {...everything, option: undefined, env: {HOSTNAME: 'host'}}],
    ['/var/lib/calico/nodename', 'file', {...everything, option: undefined, env: {}}],
    ['the host name', 'system', inputs({})],
  ])('%s', (origin, name, given) => {
    expect(resolveNodeName(given)).toMatchObject({origin, name})
  })

  test('the plugins ask the file before the environment, and --node before both', () => {
    expect(resolveNodeName(everything, {fileFirst: true}).name).toBe('option')
    expect(resolveNodeName({...everything, option: undefined}, {fileFirst: true}).name).toBe('file')
    expect(resolveNodeName(inputs({env: {NODENAME: 'node'}}), {fileFirst: true}).name).toBe('node')
  })

  test('empty variables of Calico count as unset, as a unit file writes them', () => {
    expect(resolveNodeName(inputs({env: {CALICO_NODENAME: '', NODENAME: ''}})).name).toBe('system')
    expect(resolveNodeName(inputs({file: ''})).name).toBe('system')
    expect(resolveNodeName(inputs({env: {CALICO_NODENAME: '', NODENAME: '', HOSTNAME: ''}, file: 'b'}))).toEqual({name: 'b', origin: '/var/lib/calico/nodename'})
  })
})

test('the name is lower-cased and never hashed', () => {
  expect(resolveNodeName(inputs({system: 'Rack3-Host.Example.ORG'})).name).toBe('rack3-host.example.org')
})

test.each([
  ['an empty --node', inputs({option: ''}), '--node is empty'],
  ['a slash', inputs({option: 'a/b'}), '--node: '],
  ['an underscore', inputs({env: {NODENAME: 'host_1'}}), 'NODENAME: '],
])('%s is refused, naming the source', (_, given, message) => {
  expect(() => resolveNodeName(given)).toThrow(CalicoError)
  expect(() => resolveNodeName(given)).toThrow(message)
})

describe('the warning that calico-node calls itself otherwise', () => {
  test('is given where the environment differs from the file', () => {
    expect(resolveNodeName(inputs({env: {HOSTNAME: 'a'}, file: 'b'})).warning).toContain('uses the name b')
  })
  test('is not given for another host by --node, nor for equal names in another case', () => {
    expect(resolveNodeName(inputs({option: 'a', file: 'b'})).warning).toBeUndefined()
    expect(resolveNodeName(inputs({env: {HOSTNAME: 'B'}, file: 'b'})).warning).toBeUndefined()
  })
})

describe('a command that looks at the host itself', () => {
  test.each([
    ['a variable', inputs({env: {HOSTNAME: 'node-0003'}, file: 'h1'}), /node h1 .*node node-0003 \(from HOSTNAME\)/, 'Unset HOSTNAME'],
    ['the first variable, whatever the next one says', inputs({env: {NODENAME: 'node-0003', HOSTNAME: 'h1'}, file: 'h1'}), /from NODENAME/, 'Unset NODENAME'],
    ['the option', inputs({option: 'node-0003', file: 'h1'}), /from --node/, 'Omit --node'],
  ])('%s that names another node than the nodename file is refused', (_, given, message, hint) => {
    const refusal = {kind: 'refused', message: expect.stringMatching(message) as unknown, hint: expect.stringContaining(hint) as unknown}
    expect(() => thisHostsName(given)).toThrow(expect.objectContaining(refusal))
  })
  test.each([
    ['names are compared as stored', inputs({env: {HOSTNAME: 'Rack1'}, file: 'RACK1'}), 'rack1'],
    ['the option holds against a variable', inputs({option: 'h1', env: {HOSTNAME: 'x'}, file: 'h1'}), 'h1'],
    ['without a file, a variable names this host', inputs({env: {HOSTNAME: 'a'}, system: 'b'}), 'a'],
    ['an empty file says nothing', inputs({env: {HOSTNAME: 'a'}, file: ''}), 'a'],
    ['nothing but the file', inputs({file: 'h1'}), 'h1'],
  ])('%s', (_, given, name) => {
    expect(thisHostsName(given).name).toBe(name)
  })
})

describe('the plugins', () => {
  test('take the name of the file, and tell of a variable that says otherwise', () => {
    expect(resolveNodeName(inputs({env: {NODENAME: '', HOSTNAME: 'other'}, file: 'h1'}), {fileFirst: true})).toMatchObject({name: 'h1', warning: expect.stringMatching(/^HOSTNAME is other/) as unknown})
    expect(resolveNodeName(inputs({env: {HOSTNAME: 'H1'}, file: 'h1'}), {fileFirst: true}).warning).toBeUndefined()
    expect(resolveNodeName(inputs({env: {HOSTNAME: ''}, file: 'h1'}), {fileFirst: true}).warning).toBeUndefined()
  })
  test('tell of --node too, which holds', () => {
    expect(resolveNodeName(inputs({option: 'x', file: 'h1'}), {fileFirst: true})).toMatchObject({name: 'x', warning: expect.stringContaining('uses the name h1') as unknown})
  })
})

test('what this host may be called: by the variables and by the file; what is not a name is left out', () => {
  expect(namesOfThisHost(inputs({option: 'x', env: {HOSTNAME: 'A'}, file: 'h1'}))).toEqual(['a', 'h1'])
  expect(namesOfThisHost(inputs({env: {HOSTNAME: 'a_b'}, file: 'h1'}))).toEqual(['h1'])
})

test('whatever the sources hold, the result is a name that Calico takes, or a refusal', () => {
  const text = fc.option(fc.oneof(fc.string({unit: ANY_CHARACTER}), fc.constantFrom('a', 'A.b', 'x_', '')), {nil: undefined})
  fc.assert(
    fc.property(text, text, text, fc.string(), (option, host, file, system) => {
      try {
        return isResourceName(resolveNodeName({option, env: {HOSTNAME: host}, file, system}).name)
      } catch (error) {
        return error instanceof CalicoError
      }
    }),
  )
})
