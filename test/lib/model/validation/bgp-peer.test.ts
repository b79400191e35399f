import {describe, expect, test} from '@jest/globals'
import {formatAddress} from '../../../../src/lib/net/address.js'
import {parsePeerAddress} from '../../../../src/lib/model/validation/bgp-peer.js'

describe('parsePeerAddress', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1', undefined],
    ['10.0.0.1:179', '10.0.0.1', 179],
    ['10.0.0.1:0179', '10.0.0.1', 179],
    ['FD00::1', 'fd00::1', undefined],
    ['[fd00::1]:65535', 'fd00::1', 65535],
    ['[10.0.0.1]:179', '10.0.0.1', 179],
  ])('%s', (text, address, port) => {
    const peer = parsePeerAddress(text)
    expect([peer && formatAddress(peer.address), peer?.port]).toEqual([address, port])
  })

  test.each(['', '10.0.0.1:0', '10.0.0.1:65536', '10.0.0.1:', '[fd00::1]', '10.0.0.1/32', 'fd00::1%eth0', 'host', '10.0.0.1:1:1'])('%j is none', (text) => {
    expect(parsePeerAddress(text)).toBeUndefined()
  })
})
