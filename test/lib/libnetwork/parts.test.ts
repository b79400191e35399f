import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import {driverParts} from '../../../src/lib/libnetwork/parts.js'
import {listedLog} from '../../support/driver-parts.js'
import {faultyStore} from '../../support/faulty-store.js'

test('a network that Docker makes for the second time is not new: it must not be taken back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-parts-'))
  const store = await faultyStore()
  try {
    const session = newSession(store, {warn: () => undefined})
    const {parts} = driverParts({session, node: 'a', log: listedLog(), mtu: undefined, labelEndpoints: false, labelLimitMs: 100, networksFolder: folder})
    const request = {NetworkID: 'a4d2'.repeat(16), Options: {}, IPv4Data: [{AddressSpace: 'x', Gateway: '0.0.0.0/0', Pool: '0.0.0.0/0'}], IPv6Data: null}
    expect(await parts.createNetwork(request)).toEqual({created: true})
    expect(await parts.createNetwork(request)).toEqual({created: false})
    await parts.removeNetwork(request.NetworkID)
  } finally {
    store.close()
    rmSync(folder, {recursive: true})
  }
})
