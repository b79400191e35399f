import {expect, test} from '@jest/globals'
import type {Attribute} from '../../../src/lib/ipam/block.js'
import {driverHandleOf, endpointAttributes, endpointHandle, isYoung, newPendingHandle, ORPHAN_AGE_MS, pendingAttributes, requestedAt} from '../../../src/lib/ipam/driver-handles.js'

const ID = 'ab'.repeat(32)
const attribute = (handle: string | undefined, secondary?: Record<string, string>): Attribute => ({...(handle === undefined ? {} : {handle_id: handle}), ...(secondary === undefined ? {} : {secondary})})

test('what the driver assigned is its own, on its node and for whoever asks of any', () => {
  const ofEndpoint = attribute(endpointHandle(ID), endpointAttributes('a'))
  const pending = attribute(newPendingHandle('host.a'), pendingAttributes('host.a'))
  for (const node of [undefined, 'a']) expect(driverHandleOf(ofEndpoint, node)).toEqual({type: 'endpoint', endpointId: ID})
  for (const node of [undefined, 'host.a']) expect(driverHandleOf(pending, node)).toEqual({type: 'pending', node: 'host.a'})
  expect(driverHandleOf(ofEndpoint, 'b')).toBeUndefined()
  expect(driverHandleOf(pending, 'a')).toBeUndefined()
})

test.each([
  ['no handle', attribute(undefined, endpointAttributes('a'))],
  ['no attributes', attribute(endpointHandle(ID))],
  ['another type', attribute(endpointHandle(ID), {node: 'a', type: 'ipipTunnelAddress'})],
  ['a handle of somebody else', attribute('docker.web', endpointAttributes('a'))],
  ['the id of no endpoint', attribute(endpointHandle('ab'), endpointAttributes('a'))],
  ['a pending handle of another node', attribute(newPendingHandle('b'), pendingAttributes('a'))],
  ['a pending handle of no node', attribute(newPendingHandle(''), pendingAttributes(''))],
  ['a pending handle without its number', attribute('libnetwork.pending.a.1', pendingAttributes('a'))],
])('%s: nothing of the driver\'s', (_, other) => expect(driverHandleOf(other)).toBeUndefined())

test('an address is young until it is a minute old; one that does not say when it was asked for is not', () => {
  const at = new Date('2026-01-01T00:00:00.000Z')
  const pending = attribute(newPendingHandle('a'), pendingAttributes('a', at))
  expect(requestedAt(pending)).toEqual(at)
  expect([0, ORPHAN_AGE_MS - 1, ORPHAN_AGE_MS].map((age) => isYoung(pending, at.getTime() + age))).toEqual([true, true, false])
  for (const other of [attribute('h'), attribute('h', {requestedAt: 'never'}), attribute(endpointHandle(ID), endpointAttributes('a'))]) {
    expect(requestedAt(other)).toBeUndefined()
    expect(isYoung(other, 0)).toBe(false)
  }
})
