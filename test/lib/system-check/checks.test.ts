import {describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../src/lib/errors.js'
import {type Check, ok, skipped, type Verdict, wrong} from '../../../src/lib/system-check/check.js'
import {runnable} from '../../../src/lib/system-check/checks.js'
import {capabilities, nodeAddress, nodeName, nodenameFile} from '../../../src/lib/system-check/names.js'
import {recordedHost} from './host.js'

const OPTIONS = {libnetwork: false}
const check = (required: boolean, gather: () => Verdict): Check<Verdict> => ({name: 'c', required, gather, judge: (verdict) => verdict, remedy: 'Mend it.'})
const run = (required: boolean, gather: () => Verdict) => runnable(check(required, gather))(recordedHost({}), OPTIONS)

describe('what becomes of a check', () => {
  test('wrong fails what is required, and warns else', async () => {
    expect(await run(true, () => wrong('w'))).toEqual({name: 'c', required: true, state: 'failed', found: 'w', remedy: 'Mend it.'})
    expect(await run(false, () => wrong('w'))).toMatchObject({state: 'warning', remedy: 'Mend it.'})
  })
  test('what is good or was not looked at has no remedy', async () => {
    expect(await run(true, () => ok('o'))).toMatchObject({state: 'ok', remedy: undefined})
    expect(await run(true, () => skipped('s'))).toMatchObject({state: 'skipped', remedy: undefined})
  })
  test('what cannot be gathered is wrong, with the error\'s own hint', async () => {
    const failing = (hint?: string) => (): never => {
      throw new CalicoError('failed', 'no engine', hint === undefined ? {} : {hint})
    }
    expect(await run(true, failing('Start it.'))).toMatchObject({state: 'failed', found: 'no engine', remedy: 'Start it.'})
    expect(await run(true, failing())).toMatchObject({remedy: 'Mend it.'})
  })
  test('a fault of ours is not hidden', () => expect(run(true, () => { throw new TypeError('fault') })).rejects.toThrow(TypeError))
})

describe('names and rights', () => {
  const inputs = (more: object) => ({env: {}, file: undefined, system: 'host-1', ...more})
  test.each([
    [{}, 'ok', 'host-1 (from the host name)'],
    [{system: 'Host-1'}, 'ok', 'host-1 (from the host name; Host-1 in lower case)'],
    [{env: {NODENAME: 'rack1'}}, 'ok', 'rack1 (from NODENAME)'],
  ])('%j: %s', (more, state, found) => expect(nodeName.judge(inputs(more), OPTIONS)).toEqual({state, found}))
  test.each([{system: 'host_1'}, {system: '-host'}, {env: {HOSTNAME: '_'}}, {system: 'a b'}])('%j cannot be a node\'s', (more) => expect(nodeName.judge(inputs(more), OPTIONS).state).toBe('wrong'))
  test('calico-node uses the name otherwise', () => {
    expect(nodenameFile.judge(inputs({file: 'other', env: {NODENAME: 'rack1'}}), OPTIONS)).toMatchObject({state: 'wrong', found: expect.stringContaining('uses the name other') as unknown})
    expect(nodenameFile.judge(inputs({file: 'host-1'}), OPTIONS).state).toBe('ok')
    expect(nodenameFile.judge(inputs({}), OPTIONS).state).toBe('ok')
  })
  test.each([['000001ffffffffff', 'ok'], ['00000000a80425fb', 'wrong'], ['0000000000201000', 'ok'], ['0000000000001000', 'wrong']])('effective capabilities %s: %s', (mask, state) => {
    expect(capabilities.judge(`Name:\tnode\nCapEff:\t${mask}\n`, OPTIONS).state).toBe(state)
  })
  test('without the datastore nobody knows who else has the name', async () => {
    const sources = {...recordedHost({}), datastore: () => Promise.resolve({state: 'fails' as const, error: new CalicoError('unreachable', 'away')})}
    expect(nodeAddress.judge(await nodeAddress.gather(sources), OPTIONS)).toEqual({state: 'skipped', found: 'the nodes are not known without the datastore'})
  })
})
