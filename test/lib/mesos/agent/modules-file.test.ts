import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {parseJson} from '../../../../src/lib/json/index.js'
import {readModules, withNetModules} from '../../../../src/lib/mesos/agent/modules-file.js'
import {modulesJson} from '../../../support/mesos-agent.js'

const WANTED = {library: undefined, plugin: undefined, defaults: {library: '/usr/lib/mesos/libmesos_network_isolator.so', plugin: '/calico/calico_mesos'}}
const edit = (text: string | undefined, wanted: Partial<typeof WANTED> | {library?: string; plugin?: string} = {}): string => withNetModules('/calico/modules.json', text, {...WANTED, ...wanted})
const FOREIGN = {file: '/usr/lib/libother.so', modules: [{name: 'org_example_Other', parameters: [{key: 'k', value: 'v', note: 1}]}], note: {big: 1234567890123456789n.toString()}}

describe('net-modules in modules.json', () => {
  test('a new file is that of the guides', () => {
    expect(JSON.parse(edit(undefined))).toEqual(JSON.parse(modulesJson()))
    expect(edit('')).toBe(edit(undefined))
  })
  test('a right one keeps every byte', () => expect(edit(modulesJson())).toBe(modulesJson()))
  test('foreign libraries and members are kept', () => {
    const text = JSON.stringify({note: 'mine', libraries: [FOREIGN]})
    expect(JSON.parse(edit(text))).toEqual({note: 'mine', libraries: [FOREIGN, ...(JSON.parse(modulesJson()) as {libraries: unknown[]}).libraries]})
  })
  test('64-bit numbers are exact, and the indent is kept', () => {
    const after = edit('{\n    "big": 1234567890123456789,\n    "libraries": []\n}\n')
    expect(after).toContain('\n    "big": 1234567890123456789,\n')
  })
  test('what is missing is added: a module, a parameter; what is there is kept', () => {
    const text = JSON.stringify({libraries: [{file: '/opt/x/libmesos_network_isolator.so', modules: [{name: 'com_mesosphere_mesos_NetworkIsolator', parameters: [{key: 'other', value: 'o'}, {key: 'isolator_command', value: '/opt/mine'}]}]}]})
    expect(JSON.parse(edit(text))).toEqual({
      libraries: [{
        file: '/opt/x/libmesos_network_isolator.so',
        modules: [
          {name: 'com_mesosphere_mesos_NetworkIsolator', parameters: [{key: 'other', value: 'o'}, {key: 'isolator_command', value: '/opt/mine'}, {key: 'ipam_command', value: '/opt/mine'}]},
          {name: 'com_mesosphere_mesos_NetworkHook'},
        ],
      }],
    })
  })
  test('--plugin and --library replace', () => {
    const after = edit(modulesJson(), {library: '/l/libmesos_network_isolator.so', plugin: '/usr/bin/calico_mesos'})
    expect(after).toContain('"/l/libmesos_network_isolator.so"')
    expect(after.match(/"\/usr\/bin\/calico_mesos"/g)).toHaveLength(2)
    expect(after).not.toContain('/calico/calico_mesos')
  })
  test('a library with a name gets a file where one is asked for', () => {
    const text = JSON.stringify({libraries: [{name: 'mesos_network_isolator', modules: [{name: 'com_mesosphere_mesos_NetworkHook'}]}]})
    expect(edit(text)).toContain('"name": "mesos_network_isolator"')
    expect(JSON.parse(edit(text, {library: '/l.so'}))).toMatchObject({libraries: [{file: '/l.so', modules: [{name: 'com_mesosphere_mesos_NetworkHook'}, {name: 'com_mesosphere_mesos_NetworkIsolator'}]}]})
    expect(edit(text, {library: '/l.so'})).not.toContain('"name": "mesos_network_isolator"')
  })
  test('the hook in a library of its own is found', () => {
    const text = JSON.stringify({libraries: [{file: '/a.so', modules: [{name: 'com_mesosphere_mesos_NetworkIsolator'}]}, {file: '/b.so', modules: [{name: 'com_mesosphere_mesos_NetworkHook'}]}]})
    expect(edit(text).match(/NetworkHook/g)).toHaveLength(1)
  })
  test.each([
    ['{', 'json'], ['[]', 'shape'], ['{}', 'shape'], ['{"libraries":{}}', 'shape'], ['{"libraries":[1]}', 'shape'], ['{"libraries":[{}]}', 'shape'], ['{"libraries":[{"file":1}]}', 'shape'],
    ['{"libraries":[{"file":"/a","modules":{}}]}', 'shape'], ['{"libraries":[{"file":"/a","modules":[{}]}]}', 'shape'], ['{"libraries":[{"file":"/a","modules":[{"name":"n","parameters":{}}]}]}', 'shape'],
    ['{"libraries":[{"file":"/a","modules":[{"name":"n","parameters":[{"key":"k"}]}]}]}', 'shape'], ['{"libraries":[],"libraries":[]}', 'json'],
  ])('what cannot be read is refused: %s', (text, fault) => {
    expect(readModules(text)).toMatchObject({fault})
    expect(() => edit(text)).toThrow(/modules\.json cannot be edited/)
  })
  test('a file of strings that do not end takes no time by the square of its length', () => {
    const began = process.cpuUsage()
    expect(readModules('\\"x'.repeat(300_000))).toMatchObject({fault: 'json'})
    expect(readModules('# x\n'.repeat(100_000))).toMatchObject({fault: 'json'})
    // By the square they take minutes.
    expect(process.cpuUsage(began).user).toBeLessThan(20_000_000)
  })
  test('comments are read past, with their lines; what is written has none', () => {
    const text = `# written by hand\n{\n  "libraries": [{"file": "/a#b//c.so", "modules": []}] // ours\n  # end\n}\n`
    const read = readModules(text)
    expect(read).toEqual({document: {libraries: [{file: '/a#b//c.so', modules: []}]}, comments: [1, 3, 4]})
    const after = edit(text)
    expect(JSON.parse(after)).toMatchObject({libraries: [{file: '/a#b//c.so'}, {}]})
    expect(readModules(after)).toMatchObject({comments: []})
    expect(edit(modulesJson().replace('{', '{ # x\n'))).not.toContain('#')
  })
  test.each([
    ['{\n  "libraries": [\n    {,\n', 'line 3: '],
    ['{\n  "libraries": [', 'line 2: '],
    ['# a\n{\n  libraries: []}\n', 'line 3: '],
  ])('the line of an error is named: %j', (text, words) => expect(readModules(text)).toMatchObject({fault: 'json', problem: expect.stringContaining(words) as unknown}))
  test('idempotent, and nothing foreign is lost, whatever stands there', () => {
    const module = fc.record({name: fc.constantFrom('a', 'com_mesosphere_mesos_NetworkHook', 'com_mesosphere_mesos_NetworkIsolator'), parameters: fc.array(fc.record({key: fc.constantFrom('x', 'isolator_command', 'ipam_command'), value: fc.constantFrom('', '/p')}), {maxLength: 3})}, {requiredKeys: ['name']})
    const library = fc.record({file: fc.constantFrom('/a.so', '/usr/lib/mesos/libmesos_network_isolator-0.2.0.so'), modules: fc.array(module, {maxLength: 3}), extra: fc.jsonValue()}, {requiredKeys: ['file']})
    fc.assert(fc.property(fc.array(library, {maxLength: 3}), fc.option(fc.constantFrom('/new.so'), {nil: undefined}), fc.option(fc.constantFrom('/new'), {nil: undefined}), (libraries, file, plugin) => {
      const wanted = {...(file !== undefined && {library: file}), ...(plugin !== undefined && {plugin})}
      const after = edit(JSON.stringify({libraries}), wanted)
      expect(edit(after, wanted)).toBe(after)
      const read = readModules(after)
      if ('problem' in read) throw new Error(read.problem)
      expect(read.document.libraries.length).toBeGreaterThanOrEqual(libraries.length)
      for (const [at, each] of libraries.entries()) {
        expect(read.document.libraries[at]).toMatchObject('extra' in each ? {extra: parseJson(JSON.stringify(each.extra))} : {})
        const names = read.document.libraries[at]?.modules?.map(({name}) => name) ?? []
        expect(names.slice(0, each.modules?.length ?? 0)).toEqual(each.modules?.map(({name}) => name) ?? [])
      }
    }))
  })
})
