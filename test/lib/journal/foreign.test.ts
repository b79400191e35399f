/** Lines of a journal, and files of waiting changes, that are torn, or that something else wrote. */
import {describe, expect, test} from '@jest/globals'
import {type Waiting, waitingIn} from '../../../src/lib/journal/confirm/waiting.js'
import {type Entry, parseJournal} from '../../../src/lib/journal/read.js'
import {planUndo} from '../../../src/lib/journal/undo.js'

const line = (fields: object): string => `${JSON.stringify({v: 1, id: 'a1', ...fields})}\n`
const IPAM = {key: '/calico/ipam/v2/handle/x', before: null, after: '{}'}

describe('the journal', () => {
  test('words that are no texts are shown as JSON', () => {
    const [entry] = parseJournal([line({begin: {command: 'batch', words: ['a', {toString: 1}, 7]}, of: {line: 1, command: 'x', words: [null]}, revision: '1', changes: [IPAM]})])
    expect(entry?.words).toEqual(['a', '{"toString":1}', '7'])
    expect(entry?.parts[0]?.of[0]?.words).toEqual(['null'])
  })

  test('who made it, where and when is what is there, and nothing where that is no text', () => {
    const begun = {time: 't', user: 'u', sudoUser: 's', host: 'h', command: 'c'}
    const read = (begin: object): object => {
      const [{time, user, sudoUser, host, command} = {}] = parseJournal([line({begin, revision: '1', changes: [IPAM]})]) as [Partial<Entry>?]
      return {time, user, sudoUser, host, command}
    }
    expect(read({...begun, words: []})).toEqual(begun)
    expect(read({time: 1, user: null, sudoUser: [], host: {}})).toEqual({time: '', user: '', sudoUser: undefined, host: '', command: ''})
  })

  test('lines that are none of a journal are skipped, and counted', () => {
    const counted: number[] = []
    const whole = line({begin: {command: 'batch', words: ['a']}, revision: '1', changes: [IPAM]})
    expect(parseJournal([`garbage\n${whole}\n\n{"v":1`, '{"v":2,"id":"x"}\n'], (lines) => counted.push(lines))).toHaveLength(1)
    expect(parseJournal([`${whole}\n`], (lines) => counted.push(lines))).toHaveLength(1)
    expect(counted).toEqual([3])
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
    expect(waitingIn(JSON.stringify({...WAITING, timer: PROCESS, deadline: '2026-01-01T00:00:00.000Z', failed: 'x', begun: true, tried: '2026-01-01T00:00:00.000Z', late: [0, 2]}))).toBeDefined()
  })
  /** Of each field, what it cannot be; undefined = it is missing. */
  const WRONG: Readonly<Record<keyof Waiting, readonly unknown[]>> = {
    v: [undefined, 2, '1'], id: [undefined, 7, '', '--x', 'x'.repeat(33)], words: [undefined, 'x', [7]], cluster: [undefined, 7], host: [undefined, 7], within: [undefined, '60000'], deadline: [undefined, 5, 'x'],
    command: [undefined, null, '77', {...PROCESS, pid: '../1'}, {...PROCESS, started: 7}, {pid: '77', started: '1'}], timer: [undefined, {...PROCESS, pid: 77}], begun: [1, false, null], tried: [1, null, 'x'], late: [1, null, ['0'], [0.5]], failed: [undefined, 7],
    options: [undefined, null, 'x'], folder: [undefined, 7], env: [undefined, null, {A: 1}],
  }
  test.each(Object.entries(WRONG).flatMap(([field, values]) => values.map((value) => ({field, value}))))('whose $field is $value is none', ({field, value}) => expect(waitingIn(JSON.stringify({...WAITING, [field]: value}))).toBeUndefined())
  test('null is none', () => expect(waitingIn('null')).toBeUndefined())
})
