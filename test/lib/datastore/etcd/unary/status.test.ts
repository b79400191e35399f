import {describe, expect, test} from '@jest/globals'
import {classify} from '../../../../../src/lib/datastore/etcd/failure.js'
import {framed, unframed} from '../../../../../src/lib/datastore/etcd/unary/framing.js'
import {asUnsent, CallError, failureOf, type Ended} from '../../../../../src/lib/datastore/etcd/unary/status.js'

const ended = (found: Partial<Ended>): Ended => ({httpStatus: undefined, trailers: undefined, resetCode: 0, passedOver: false, reason: undefined, ...found})

describe('how a call ends', () => {
  test('status 0: well', () => {
    expect(failureOf(ended({httpStatus: 200, trailers: {'grpc-status': '0'}}))).toBeUndefined()
    // Whatever became of the connection after it.
    expect(failureOf(ended({httpStatus: 200, trailers: {'grpc-status': '0'}, resetCode: 8, reason: 'reset'}))).toBeUndefined()
  })

  test.each<[string, Partial<Ended>, message: string, fate: string]>([
    ['a status of etcd', {trailers: {'grpc-status': '14', 'grpc-message': 'etcdserver: no leader'}}, '14 UNAVAILABLE: etcdserver: no leader', 'not-executed'],
    ['a status of etcd in doubt', {trailers: {'grpc-status': '14', 'grpc-message': 'etcdserver: request timed out'}}, '14 UNAVAILABLE: etcdserver: request timed out', 'unknown'],
    ['a percent-encoded message', {trailers: {'grpc-status': '3', 'grpc-message': '100%25 %C3%A4'}}, '3 INVALID_ARGUMENT: 100% ä', 'not-executed'],
    ['a message that only looks encoded', {trailers: {'grpc-status': '3', 'grpc-message': '100% of'}}, '3 INVALID_ARGUMENT: 100% of', 'not-executed'],
    ['a status that gRPC does not have', {trailers: {'grpc-status': '99'}}, '99 UNKNOWN: ', 'unknown'],
    ['a status that is empty', {trailers: {'grpc-status': ''}}, '2 UNKNOWN: ', 'unknown'],
    ['a status that is none, though a number', {trailers: {'grpc-status': '0x0', 'grpc-message': 'a'}}, '2 UNKNOWN: a', 'unknown'],
    ['no status, but a proxy\'s', {httpStatus: 503, trailers: {}}, '14 UNAVAILABLE: Received HTTP status code 503', 'unknown'],
    ['no status, refused before etcd', {httpStatus: 404}, '12 UNIMPLEMENTED: Received HTTP status code 404', 'not-executed'],
    ['trailers without a status', {httpStatus: 200, trailers: {}}, '2 UNKNOWN: No status information received', 'unknown'],
    ['the end without trailers', {httpStatus: 200}, '13 INTERNAL: Received RST_STREAM with code 0 (Call ended without gRPC status)', 'unknown'],
    ['reset', {resetCode: 2}, '13 INTERNAL: Received RST_STREAM with code 2', 'unknown'],
    ['the connection lost', {resetCode: 8}, '14 UNAVAILABLE: Connection dropped', 'unknown'],
    ['the connection lost, and why', {reason: 'read ECONNRESET'}, '14 UNAVAILABLE: Connection dropped: read ECONNRESET', 'unknown'],
    ['refused', {resetCode: 7}, '14 UNAVAILABLE: Stream refused by server', 'never-sent'],
    ['passed over by GOAWAY', {passedOver: true, reason: 'read ECONNRESET'}, '14 UNAVAILABLE: Stream refused by server', 'never-sent'],
    ['reset as refused, although something was answered', {httpStatus: 200, resetCode: 7}, '13 INTERNAL: Received RST_STREAM with code 7', 'unknown'],
  ])('%s', (_, found, message, fate) => {
    const error = failureOf(ended(found))
    expect(error?.message).toBe(message)
    expect(classify(error).fate).toBe(fate)
  })

  test.each([[400, 'INTERNAL'], [401, 'UNAUTHENTICATED'], [403, 'PERMISSION_DENIED'], [404, 'UNIMPLEMENTED'], [429, 'UNAVAILABLE'], [502, 'UNAVAILABLE'], [503, 'UNAVAILABLE'], [504, 'UNAVAILABLE'], [500, 'UNKNOWN'], [302, 'UNKNOWN']])('HTTP %d without a status of gRPC: %s', (httpStatus, name) =>
    expect(failureOf(ended({httpStatus}))?.message).toContain(` ${name}: Received HTTP status code ${httpStatus}`))

  test('what waited for something that failed was not sent', () => {
    expect(classify(asUnsent(new CallError(4, 'Deadline exceeded')))).toMatchObject({fate: 'never-sent', problem: 'timeout', remedy: 'elsewhere'})
    expect(classify(asUnsent(new CallError(3, 'etcdserver: authentication failed, invalid user ID or password')))).toMatchObject({fate: 'never-sent', problem: 'wrong-password', remedy: 'none'})
    expect(classify(asUnsent(new RangeError('the message ends')))).toMatchObject({fate: 'never-sent'})
  })
})

describe('frames', () => {
  test('a message comes through, in whatever parts', () => {
    for (const size of [0, 1, 300, 70_000]) {
      const message = Buffer.alloc(size, 7)
      const bytes = framed(message)
      expect(unframed([bytes]).equals(message)).toBe(true)
      expect(unframed([bytes.subarray(0, 3), bytes.subarray(3, 5), bytes.subarray(5)]).equals(message)).toBe(true)
    }
  })

  test.each([
    ['nothing', [], 'no message'],
    ['a part of the head', [0, 0, 0], 'ends within the head'],
    ['a part of the message', [0, 0, 0, 0, 2, 1], 'ends within its message of 2 bytes'],
    ['more than one message', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'more than one message'],
    ['a compressed message', [1, 0, 0, 0, 0], 'compressed'],
  ])('%s is refused, and says nothing about what became of the request', (_, bytes, words) => {
    let error: unknown
    try {
      unframed([Buffer.from(bytes)])
    } catch (thrown) {
      error = thrown
    }
    expect(String(error)).toContain(words)
    expect(classify(error)).toMatchObject({fate: 'unknown', remedy: 'elsewhere'})
  })
})
