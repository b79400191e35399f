import {describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../../src/lib/errors.js'
import {faultText} from '../../../../src/lib/mesos/plugin/fault.js'
import type {Settings} from '../../../../src/lib/settings/types.js'

const settings = (origin: string, ...value: string[]): Settings => ({datastore: {type: 'etcd', endpoints: {value, origin}}, warnings: []})
const AWAY = new CalicoError('unreachable', 'Nothing listens there', {hint: 'Is etcd running?'})

describe('etcd is away', () => {
  test.each([
    [settings('the default', 'http://127.0.0.1:2379'), 'Failed to communicate with etcd. ETCD_AUTHORITY is not set for this agent process.'],
    [
      settings('ETCD_AUTHORITY', 'https://10.0.0.1:2379'),
      "Failed to communicate with etcd at '10.0.0.1:2379'. Ensure that it is up and running or change ETCD_AUTHORITY environment variable used by the mesos-agent process.",
    ],
    [
      settings('ETCD_ENDPOINTS', 'http://a:1', 'http://b:2'),
      "Failed to communicate with etcd at 'http://a:1,http://b:2'. Ensure that it is up and running or change ETCD_ENDPOINTS environment variable used by the mesos-agent process.",
    ],
    [
      settings('CALICO_ETCD_ENDPOINTS', 'http://a:1'),
      "Failed to communicate with etcd at 'http://a:1'. Ensure that it is up and running or change CALICO_ETCD_ENDPOINTS environment variable used by the mesos-agent process.",
    ],
    [
      settings('/etc/calico/calicoctl.cfg', 'http://a:1'),
      "Failed to communicate with etcd at 'http://a:1'. Ensure that it is up and running or change the endpoints in /etc/calico/calicoctl.cfg.",
    ],
    [undefined, 'Nothing listens there. Is etcd running?'],
  ])('%j', (from, text) => expect(faultText(AWAY, from)).toBe(text))

  test('other failures of the datastore are told in their own words', () => {
    expect(faultText(new CalicoError('denied', 'No certificate', {hint: 'Set one.'}), settings('ETCD_ENDPOINTS', 'http://a:1'))).toBe('No certificate. Set one.')
  })
})

describe('one line', () => {
  test('message, details and hint', () => {
    const error = new CalicoError('unknown', 'Half done', {details: ['one\n  two', 'three:', 'four'], hint: 'Go on'})
    expect(faultText(error)).toBe('Half done. one two. three: four. Go on')
  })

  test('anything else that was thrown: no stack', () => {
    expect(faultText(new TypeError('x is\r\nundefined'))).toBe('Unhandled error x is undefined')
    expect(faultText('text')).toBe('Unhandled error text')
  })

  test('it fits into what net-modules reads', () => {
    expect(JSON.stringify(faultText(new CalicoError('invalid', '\u0001'.repeat(1_000_000)))).length).toBeLessThan(40_000)
  })
})
