/** Which entry is meant, and what of it undo would revert. */
import {describe, expect, test} from '@jest/globals'
import {initialValues} from '../../../src/lib/client/cluster.js'
import {labelOf, wordOf} from '../../../src/lib/journal/objects.js'
import type {Entry, KeyChange, Part} from '../../../src/lib/journal/read.js'
import {chooseEntry, planUndo} from '../../../src/lib/journal/undo.js'
import {resourceKey} from '../../../src/lib/model/keys.js'

const part = (...changes: readonly KeyChange[]): Part => ({of: [], unknown: false, cluster: 'g', revision: '1', changes})
const entry = (id: string, command: string, ...parts: readonly Part[]): Entry => ({id, time: '', user: '', sudoUser: undefined, host: 'h1', command, words: command.split(':'), parts, exitCode: 0, confirmation: undefined})
const made = (key: string): KeyChange => ({key, before: undefined, after: '{}'})
const PROFILE = made(resourceKey('Profile', 'web'))
const NODE = made(resourceKey('Node', 'h1'))
const handle = (name: string): KeyChange => made(`/calico/ipam/v2/handle/${name}`)
const INITIAL = initialValues().map(({key}) => made(key))

test('the entry of an ID, else the last one; else it is said what there is to do', () => {
  const entries = [entry('b2', 'profile:add'), entry('a1', 'profile:remove')]
  expect(chooseEntry(entries, undefined).id).toBe('b2')
  expect(chooseEntry(entries, 'a1').id).toBe('a1')
  const refusal = (given: readonly Entry[], id: string | undefined): unknown => expect(() => chooseEntry(given, id)).toThrow(expect.objectContaining({kind: 'not-found', message: id === undefined ? 'There is nothing to undo: the journal has no changes.' : `There is no change ${id} in the journal.`}))
  refusal(entries, 'c3')
  refusal([], 'c3')
  refusal([], undefined)
})

describe('what is reverted', () => {
  const plan = (one: Entry, parts?: readonly Part[]) => {
    const {changes, rest, initialised} = planUndo(one, parts)
    return {keys: changes.map(({key}) => key), rest, initialised}
  }
  test('objects are; IPAM, and the node that addresses were assigned on, are not', () => {
    const leftovers = 'calicoctl ipam check shows leftovers, calicoctl ipam release IP releases an address'
    expect(plan(entry('a', 'profile:add', part(PROFILE, NODE)))).toEqual({keys: [PROFILE.key, NODE.key], rest: [], initialised: false})
    expect(plan(entry('a', 'profile:add', part(PROFILE, NODE, handle('x'))))).toEqual({keys: [PROFILE.key], rest: [`The addresses and blocks of IPAM (1 key) are not reverted: ${leftovers}`], initialised: false})
    expect(plan(entry('a', 'ipam:assign', part(PROFILE, handle('x')), part(handle('y'))))).toEqual({keys: [PROFILE.key], rest: ['The addresses and blocks of IPAM (2 keys) are not reverted: calicoctl ipam release IP'], initialised: false})
    // A node that was there before is as it was.
    const updated = {...NODE, before: '{"metadata":{}}'}
    expect(plan(entry('a', 'ipam:assign', part(updated, handle('x')))).keys).toEqual([NODE.key])
  })
  test('what the command did to the host is named, of each line of a batch, too', () => {
    const host = 'Changes of the host h1 are not reverted: calicoctl container remove NAME'
    expect(plan(entry('a', 'container:add', part(PROFILE))).rest).toEqual([host])
    const lines = ['container:add', 'profile:add', 'container:add'].map((command, at) => ({...part(made(resourceKey('Profile', `p${at}`))), of: [{line: at + 1, command, words: []}]}))
    expect(plan(entry('a', 'batch', ...lines)).rest).toEqual([host])
  })
  test('the initialisation of the datastore stays; what a later version adds to one is reverted', () => {
    expect(plan(entry('a', 'profile:add', part(...INITIAL, PROFILE)))).toEqual({keys: [PROFILE.key], rest: [], initialised: true})
    expect(plan(entry('a', 'profile:add', part(...INITIAL.slice(1), PROFILE)))).toEqual({keys: [...INITIAL.slice(1), PROFILE].map(({key}) => key), rest: [], initialised: false})
  })
})

test.each<[string, Entry, readonly Part[] | undefined, object]>([
  ['only addresses', entry('a', 'ipam:assign', part(handle('x'))), undefined, {kind: 'refused', details: ['The addresses and blocks of IPAM (1 key) are not reverted: calicoctl ipam release IP'], message: expect.stringContaining('changed no stored object')}],
  ['only the initialisation', entry('a', 'profile:add', part(...INITIAL)), undefined, {kind: 'not-found', message: 'There is nothing to undo in a (profile add): it initialised the datastore, which is not reverted.', hint: undefined}],
  ['nothing in the end', entry('a', 'profile:add', part(PROFILE), part({...PROFILE, before: '{}', after: undefined})), undefined, {kind: 'not-found', message: 'There is nothing to undo in a (profile add): all objects have their previous values.', hint: undefined}],
  ['nothing: it was not made', entry('a', 'profile:add', part(PROFILE)), [], {kind: 'not-found', message: 'There is nothing to undo in a (profile add): it was not made.', hint: 'To revert an earlier change: calicoctl undo ID. To see the changes: calicoctl history'}],
])('there is nothing to revert: %s', (_, one, parts, error) => expect(() => planUndo(one, parts)).toThrow(expect.objectContaining(error)))

test('objects are called as their users call them, and by what became of them', () => {
  const pool = (name: string, spec: object): KeyChange => ({key: resourceKey('IPPool', name), before: JSON.stringify({metadata: {name}, spec}), after: undefined})
  expect([PROFILE, pool('10-9-0-0-24', {cidr: '10.9.0.0/24'}), pool('p', {cidr: 'none'}), pool('p', {}), made('/calico/x')].map((change) => `${labelOf(change)} ${wordOf(change)}`)).toEqual([
    'profile/web created', 'ippool/10.9.0.0/24 deleted', 'ippool/p deleted', 'ippool/p deleted', '/calico/x created',
  ])
  expect(wordOf({before: 'a', after: 'b'})).toBe('updated')
})
