import {expect, test} from '@jest/globals'
import {readPrefix, unknownVariables, watchingName} from '../../../src/lib/views/libnetwork.js'

test('another name of the node is told once, and the rounds go on', async () => {
  let name = 'host1'
  let rounds = 0
  const errors: string[] = []
  const round = watchingName(() => Promise.resolve(++rounds), {
    node: 'host1',
    look: () => ({name, origin: '/var/lib/calico/nodename'}),
    log: {error: (text) => errors.push(text)},
  })
  await round()
  expect(errors).toEqual([])
  name = 'rack1-host1'
  expect([await round(), await round()]).toEqual([2, 3])
  expect(errors).toEqual(['This host\'s node is now rack1-host1 (/var/lib/calico/nodename), but this service still creates endpoints for host1, which calico-node does not program: restart this service'])
  name = 'host1'
  await round()
  name = 'rack1-host1'
  await round()
  expect(errors).toHaveLength(2)
})

test.each([[undefined, undefined], ['', undefined], ['eth', 'eth'], ['abcdefghijkl', 'abcdefghijkl']])('CALICO_LIBNETWORK_IFPREFIX=%s', (text, prefix) => expect(readPrefix(text)).toBe(prefix))

test.each(['abcdefghijklm', '1', 'a b', 'a/b', '..'])('CALICO_LIBNETWORK_IFPREFIX=%s is refused', (text) => expect(() => readPrefix(text)).toThrow('CALICO_LIBNETWORK_IFPREFIX'))

test('variables that mean nothing here are named', () => {
  const env = {CALICO_LIBNETWORK_CREATE_PROFILES: 'false', CALICO_LIBNETWORK_VETH_MTU: '1400', CALICO_LIBNETWORK_X: '', CALICO_LIBNETWORK_ENABLED: 'true', CALICO_LIBNETWORK_A: '1', PATH: '/bin'}
  expect(unknownVariables(env)).toEqual(['CALICO_LIBNETWORK_A', 'CALICO_LIBNETWORK_CREATE_PROFILES'])
})
