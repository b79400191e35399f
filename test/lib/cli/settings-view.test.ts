import {describe, expect, test} from '@jest/globals'
import {settingRows} from '../../../src/lib/cli/settings-view.js'
import type {EtcdSettings, Settings} from '../../../src/lib/settings/types.js'

const etcd: EtcdSettings = {
  type: 'etcd',
  endpoints: {value: ['https://a:2379', 'https://b:2379'], origin: 'ETCD_ENDPOINTS'},
  ca: {value: {file: '/etc/ca.pem', pem: 'SECRET-CA'}, origin: 'ETCD_CA_CERT_FILE'},
  cert: {value: {file: 'inline', pem: 'SECRET-CERT'}, origin: '/etc/calico/calicoctl.cfg'},
  key: {value: {file: 'inline', pem: 'SECRET-KEY'}, origin: '/etc/calico/calicoctl.cfg'},
  username: {value: 'root', origin: 'ETCD_USERNAME'},
  password: {value: 'SECRET-PASSWORD', origin: 'ETCD_PASSWORD'},
}
const settings: Settings = {datastore: etcd, expectCluster: {value: 'guid', origin: '--expect-cluster'}, warnings: []}

describe('the effective settings', () => {
  test('each has its value and its origin', () => {
    expect(settingRows(settings, {name: 'host-1', origin: 'NODENAME'}).map(({name, value, origin}) => `${name}|${value}|${origin}`)).toEqual([
      'datastore|etcd|ETCD_ENDPOINTS',
      'endpoints|https://a:2379,https://b:2379|ETCD_ENDPOINTS',
      'ca-certificate|/etc/ca.pem|ETCD_CA_CERT_FILE',
      'client-certificate|(inline)|/etc/calico/calicoctl.cfg',
      'client-key|(inline)|/etc/calico/calicoctl.cfg',
      'username|root|ETCD_USERNAME',
      'password|********|ETCD_PASSWORD',
      'expect-cluster|guid|--expect-cluster',
      'node|host-1|NODENAME',
    ])
  })

  test('no secret is among them, nor its length', () => {
    expect(JSON.stringify(settingRows(settings, undefined))).not.toContain('SECRET')
    const withPassword = (value: string) => settingRows({...settings, datastore: {...etcd, password: {value, origin: 'x'}}}, undefined)
    expect(withPassword('a')).toEqual(withPassword('a much longer password'))
  })

  test('the embedded store has a path', () => {
    const rows = settingRows({datastore: {type: 'embedded', path: {value: '/tmp/store.json', origin: '--datastore'}}, warnings: []}, undefined)
    expect(rows).toEqual([
      {name: 'datastore', value: 'embedded', origin: '--datastore'},
      {name: 'path', value: '/tmp/store.json', origin: '--datastore'},
    ])
  })
})
