import {expect, test} from '@jest/globals'
import {readProtocol} from '../../../../../scripts/bundle/protocol.mjs'
import {METHODS, PROTOCOL} from '../../../../../src/lib/datastore/etcd/unary/protocol.js'

/** The tables of the unary calls are those of the .proto files in etcd3's package. */

const whole = readProtocol()

test.each(Object.entries(PROTOCOL.messages))('the message %s', (name, fields) => expect(fields).toEqual(whole.messages[name]))

test.each(Object.entries(PROTOCOL.enums))('the enum %s', (name, values) => expect(values).toEqual(whole.enums[name]))

test('every message and enum that a field has is there', () => {
  for (const [name, , type, ref] of Object.values(PROTOCOL.messages).flat()) {
    if (type === 'message') expect([name, Object.keys(PROTOCOL.messages)]).toEqual([name, expect.arrayContaining([ref])])
    if (type === 'enum') expect([name, Object.keys(PROTOCOL.enums)]).toEqual([name, expect.arrayContaining([ref])])
  }
})

test.each(Object.entries(METHODS))('the call %s', (_, [path, request, response]) => {
  const [, service = '', method] = path.split('/')
  expect(whole.services[service]?.find(([name]) => name === method)?.slice(1, 5)).toEqual([request, response, false, false])
})
