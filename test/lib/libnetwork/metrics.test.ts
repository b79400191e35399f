import {chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {newMetrics, writeMetrics} from '../../../src/lib/libnetwork/metrics.js'

test('counters in Prometheus\' text format', () => {
  const metrics = newMetrics(() => 1_700_000_000_999)
  expect(metrics.text()).toContain('calicoctl_libnetwork_datastore_up 0\n')
  expect(metrics.text()).not.toContain('last_success')
  metrics.request('NetworkDriver.Join', 'ok', 0.25)
  metrics.request('NetworkDriver.Join', 'ok', 0.5)
  metrics.request('NetworkDriver.Join', 'timeout', 5)
  metrics.request('IpamDriver.RequestPool', 'refused', 0.001)
  metrics.reconciled({removedEndpoints: 2, releasedAddresses: 3})
  metrics.reconciled({removedEndpoints: 1, releasedAddresses: 0})
  metrics.datastore(true)
  expect(metrics.text()).toBe(`# HELP calicoctl_libnetwork_requests_total Requests of the Docker Engine by method and outcome.
# TYPE calicoctl_libnetwork_requests_total counter
calicoctl_libnetwork_requests_total{method="IpamDriver.RequestPool",outcome="refused"} 1
calicoctl_libnetwork_requests_total{method="NetworkDriver.Join",outcome="ok"} 2
calicoctl_libnetwork_requests_total{method="NetworkDriver.Join",outcome="timeout"} 1
# HELP calicoctl_libnetwork_request_seconds Time that requests took, by method.
# TYPE calicoctl_libnetwork_request_seconds summary
calicoctl_libnetwork_request_seconds_sum{method="IpamDriver.RequestPool"} 0.001
calicoctl_libnetwork_request_seconds_count{method="IpamDriver.RequestPool"} 1
calicoctl_libnetwork_request_seconds_sum{method="NetworkDriver.Join"} 5.75
calicoctl_libnetwork_request_seconds_count{method="NetworkDriver.Join"} 3
# HELP calicoctl_libnetwork_reconciliation_last_success_timestamp_seconds When endpoints and addresses were last compared with what Docker knows.
# TYPE calicoctl_libnetwork_reconciliation_last_success_timestamp_seconds gauge
calicoctl_libnetwork_reconciliation_last_success_timestamp_seconds 1700000000
# HELP calicoctl_libnetwork_reconciliation_endpoints_removed_total Endpoints removed because Docker no longer knew them.
# TYPE calicoctl_libnetwork_reconciliation_endpoints_removed_total counter
calicoctl_libnetwork_reconciliation_endpoints_removed_total 3
# HELP calicoctl_libnetwork_reconciliation_addresses_released_total Addresses released because no endpoint had them.
# TYPE calicoctl_libnetwork_reconciliation_addresses_released_total counter
calicoctl_libnetwork_reconciliation_addresses_released_total 3
# HELP calicoctl_libnetwork_datastore_up Whether the datastore answered the last request.
# TYPE calicoctl_libnetwork_datastore_up gauge
calicoctl_libnetwork_datastore_up 1
`)
})

describe('the file', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'calicoctl-metrics-'))
  })
  afterAll(() => rmSync(folder, {recursive: true, force: true}))

  test('is replaced whole, readable by all, with nothing beside it', async () => {
    const path = join(folder, 'calico.prom')
    await writeMetrics(path, 'a 1\n')
    const {ino} = statSync(path)
    await writeMetrics(path, 'a 2\n')
    expect(readFileSync(path, 'utf8')).toBe('a 2\n')
    expect(statSync(path).ino).not.toBe(ino)
    expect(statSync(path).mode & 0o777).toBe(0o644)
    expect(readdirSync(folder)).toEqual(['calico.prom'])
  })

  test('cannot be written: nothing is left', async () => {
    chmodSync(folder, 0o755)
    await expect(writeMetrics(join(folder, 'none/calico.prom'), '')).rejects.toThrow('ENOENT')
    await expect(writeMetrics(folder, 'x')).rejects.toThrow()
    expect(readdirSync(folder)).toEqual(['calico.prom'])
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`${folder.split('/').at(-1) ?? ''}.`))).toEqual([])
  })
})
