/** Lines of a journal, and files of waiting changes, that are torn, or that something else wrote. */
import {describe, expect, test} from '@jest/globals'
import {type Waiting, waitingIn} from '../../../src/lib/journal/confirm/waiting.js'
import {parseJournal} from '../../../src/lib/journal/read.js'
import {planUndo} from '../../../src/lib/journal/undo.js'

const line = (fields: object): string => `${JSON.stringify({v: 1, id: 'a1', ...fields})}\n`
const IPAM = {key: '/calico/ipam/v2/handle/x', before: null, after: '{}'}

describe('the journal', () => {
  test('words that are no texts are shown as JSON', () => {
    const [entry] = parseJournal([line({begin: {command: 'batch', words: ['a', {toString: 1}, 7]}, of: {line: 1, command: 'x', words: [null]}, revision: '1', changes: [IPAM]})])
    expect(entry?.words).toEqual(['a', '{"toString":1}', '7'])
    expect(entry?.parts[0]?.of[0]?.words).toEqual(['null'])
  })

  test('a change of no key is none', () => {
    const [entry] = parseJournal([line({begin: {command: 'batch', words: []}, revision: '1', changes: [{key: {toString: 1}}, {key: 7, before: 'x'}, IPAM]})])
    expect(entry?.parts[0]?.changes).toEqual([{key: IPAM.key, before: undefined, after: '{}'}])
  })

  test.each(['__proto__', 'constructor', 'toString', 'profile:add'])('a command called %s has no way back of its own', (command) => {
    const [entry] = parseJournal([line({begin: {command, words: [command]}, revision: '1', changes: [IPAM, {key: '/calico/resources/v3/projectcalico.org/profiles/web', before: null, after: '{}'}]})])
    expect(entry && planUndo(entry).rest).toEqual(['The addresses and blocks of IPAM (1 key) are not reverted: calicoctl ipam check shows leftovers, calicoctl ipam release IP releases an address'])
  })
})

describe('a waiting change', () => {
  const PROCESS = {pid: '77', started: '12345', namespace: '4026531836'}
  const WAITING: Waiting = {v: 1, id: 'a1', words: ['profile', 'add', 'x'], cluster: 'g', host: 'h', within: 60_000, deadline: null, command: PROCESS, timer: null, failed: null, options: {}, folder: '/', env: {A: 'b'}}
  test('is read as it was written', () => {
    expect(waitingIn(JSON.stringify(WAITING))).toEqual(WAITING)
    expect(waitingIn(JSON.stringify({...WAITING, timer: PROCESS, deadline: '2026-01-01T00:00:00.000Z', failed: 'x', begun: true}))).toBeDefined()
  })
  test.each<[string, object]>([
    ['no options', {options: null}], ['no environment', {env: null}], ['an environment of numbers', {env: {A: 1}}], ['an id that is a number', {id: 7}], ['no host', {host: undefined}], ['a time that is a number', {deadline: 5}], ['a time that is none', {deadline: 'x'}],
    ['a process that is another path', {command: {...PROCESS, pid: '../1'}}], ['a process without a number', {timer: {...PROCESS, pid: 77}}], ['another version', {v: 2}], ['begun, perhaps', {begun: 1}], ['words that are none', {words: [7]}],
  ])('with %s is none', (_, fields) => expect(waitingIn(JSON.stringify({...WAITING, ...fields}))).toBeUndefined())
  test('null is none', () => expect(waitingIn('null')).toBeUndefined())
})
