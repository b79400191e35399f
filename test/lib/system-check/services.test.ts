import {describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../src/lib/errors.js'
import {type EtcdMember, type HttpAnswer, readMember} from '../../../src/lib/system-check/etcd-members.js'
import {clock, datastore, docker, etcd, etcdMembers} from '../../../src/lib/system-check/services.js'

const PLAIN = {libnetwork: false}
const good = (url: string, version = '3.4.23'): EtcdMember => ({url, version, healthy: true, clock: {aheadMs: 0, uncertainMs: 500}})
const away = (url: string): EtcdMember => ({url, problem: 'connect ECONNREFUSED'})

describe('Docker', () => {
  test.each([['1.41', false, 'ok'], ['1.16', false, 'ok'], ['1.16.0', false, 'ok'], ['1.9', false, 'wrong'], ['1.15', false, 'wrong'], ['1.20', true, 'wrong'], ['1.21', true, 'ok'], ['2', true, 'ok'], ['', false, 'wrong'], ['new', false, 'wrong']])(
    'API %s, libnetwork %s: %s',
    (api, libnetwork, state) => expect(docker.judge({version: '20.10.24', api}, {libnetwork}).state).toBe(state),
  )
  test('names the least version', () => {
    expect(docker.judge({version: '1.8', api: '1.20'}, {libnetwork: true}).found).toBe('Docker 1.8 has API 1.20; with --libnetwork 1.21 is needed')
  })
})

describe('etcd', () => {
  const judge = (members: EtcdMember[] | undefined, answers = true) => etcd.judge({members, answers}, PLAIN)
  test('good', () => expect(judge([good('http://a:1')])).toEqual({state: 'ok', found: 'etcd 3.4.23 is healthy (http://a:1)'}))
  test('away, too old, not healthy', () => {
    expect(judge([away('http://a:1')], false)).toEqual({state: 'wrong', found: 'http://a:1: connect ECONNREFUSED'})
    expect(judge([good('http://a:1', '3.3.27')]).found).toBe('http://a:1: etcd 3.3.27 is older than 3.4.0')
    expect(judge([{...good('http://a:1'), healthy: false}])).toEqual({state: 'wrong', found: 'http://a:1: etcd 3.4.23 is not healthy'})
  })
  test('one of three away: Calico works, the other check warns', () => {
    const members = [good('http://a:1'), away('http://b:1'), good('http://c:1')]
    expect(judge(members).state).toBe('ok')
    expect(etcdMembers.judge({members, answers: true}, PLAIN)).toEqual({state: 'wrong', found: 'http://b:1: connect ECONNREFUSED'})
    expect(etcdMembers.judge({members: [away('http://b:1')], answers: false}, PLAIN).state).toBe('skipped')
  })
  test('one of them too old is wrong', () => expect(judge([good('http://a:1'), good('http://b:1', '2.3.8')]).state).toBe('wrong'))
  test('serves gRPC but no HTTP: not known', () => expect(judge([away('http://a:1')], true).state).toBe('skipped'))
  test('the embedded store', () => expect(judge(undefined)).toMatchObject({state: 'wrong', found: expect.stringContaining('embedded') as unknown}))
})

describe('what etcd answers over HTTP', () => {
  const at = Date.parse('2026-11-21T12:00:00.250Z')
  const answer = (body: string, more: Partial<HttpAnswer> = {}): HttpAnswer => ({status: 200, body, date: 'Sat, 21 Nov 2026 12:00:00 GMT', sentAt: at, receivedAt: at + 20, ...more})
  const version = '{"etcdserver":"3.5.1","etcdcluster":"3.5.0"}'
  test.each([['{"health":"true"}', 200, true], ['{"health":"true","reason":""}', 200, true], ['{"health":true}', 200, true], ['{"health":"false","reason":"NOSPACE"}', 503, false], ['', 404, false]])('health %s %s', (body, status, healthy) => {
    expect(readMember('u', answer(version), answer(body, {status}))).toMatchObject({version: '3.5.1', healthy})
  })
  test('something else answers', () => expect(readMember('u', answer('<html>', {status: 404}), answer(''))).toEqual({url: 'u', problem: 'the server is not etcd (status 404)'}))
  test('clocks that agree differ by less than what is uncertain', () => {
    const {clock: found} = readMember('u', answer(version), answer(''))
    expect(found).toEqual({aheadMs: 240, uncertainMs: 510})
  })
  test('without a Date there is no clock', () => expect(readMember('u', answer(version, {date: undefined}), answer('')).clock).toBeUndefined())
  test.each([['2026-11-21T12:00:30Z', 'the clock of u is 30 s behind this host\'s'], ['2026-11-21T11:59:30Z', 'the clock of u is 31 s ahead of this host\'s']])('this host at %s', (here, found) => {
    const sentAt = Date.parse(here)
    expect(clock.judge([readMember('u', answer(version, {sentAt, receivedAt: sentAt}), answer(''))], PLAIN)).toEqual({state: 'wrong', found})
  })
  test('5 s and what is uncertain are allowed; a slow answer makes more uncertain', () => {
    const judge = (aheadMs: number, uncertainMs: number) => clock.judge([{...good('u'), clock: {aheadMs, uncertainMs}}], PLAIN).state
    expect([judge(5_500, 500), judge(-5_500, 500), judge(5_501, 500), judge(-5_501, 500), judge(7_000, 2_000)]).toEqual(['ok', 'ok', 'wrong', 'wrong', 'ok'])
    expect(clock.judge([away('u')], PLAIN).state).toBe('skipped')
  })
})

test('the datastore: the reason in one line', () => {
  const error = new CalicoError('unreachable', 'etcd does not answer', {details: ['nor does the other']})
  expect(datastore.judge({state: 'fails', error}, PLAIN)).toEqual({state: 'wrong', found: 'etcd does not answer; nor does the other'})
})
