/** Answers that are no Engine's: DOCKER_HOST may be any server. */
import {expect, test} from '@jest/globals'
import {containerDetailsOf, containerOf, containerStateOf, endpointContainerOf, imageOf, listedContainersOf, listedNetworksOf, networkOf} from '../../../src/lib/docker/answers.js'

const READERS = {containerOf, containerStateOf, containerDetailsOf: (answer: unknown) => containerDetailsOf(answer, ''), endpointContainerOf, imageOf, listedContainersOf, listedNetworksOf, networkOf}

test.each(Object.entries(READERS))('%s: what is no such answer is undefined', (_, read) => {
  for (const answer of [null, undefined, 7, '', 'x', true, {}, [null], [7], [{}], [[]], {Id: 7, Name: 7, Driver: 7, State: {Running: true}}, {Id: null, Name: 'a', State: null}, {Name: 'a', Driver: 'b', State: {Running: true}}]) expect(read(answer)).toBeUndefined()
})

test('of a container, what is empty or none of the Engine\'s is left out', () => {
  const answer = {Id: 'a', Name: '/web', State: {Running: true, Pid: '7', ExitCode: null}, Config: {Env: ['A=b', 7, 'C'], Labels: {x: 'y', z: 1}}, HostConfig: null, Mounts: [null, {Source: '/s', Destination: '/d'}], NetworkSettings: {Networks: {none: null, bridge: {NetworkID: 'n', EndpointID: null}, odd: {EndpointID: 'e'}}}, RestartCount: 2}
  expect(containerOf(answer)).toEqual({id: 'a', name: 'web', running: true, pid: 0, startedAt: '', networkMode: '', networks: [{name: 'bridge', id: 'n', endpointId: ''}]})
  expect(containerStateOf(answer)).toEqual({id: 'a', running: true, restarting: false, restartCount: 2, exitCode: 0, restartPolicy: ''})
  expect(containerDetailsOf(answer, 'Up')).toMatchObject({environment: new Map([['A', 'b'], ['C', '']]), labels: {x: 'y'}, mounts: new Map([['', ''], ['/d', '/s']]), binds: [], command: [''], privileged: false})
  expect(endpointContainerOf(answer)).toEqual({id: 'a', name: 'web', labels: {x: 'y'}})
})

test('of a network, its endpoints with their containers; an endpoint that none has is called by its own id', () => {
  const found = networkOf({Id: 'n', Name: 'net', Driver: 'calico', Options: {a: 'b', c: null}, IPAM: {Config: [null, {Subnet: '10.0.0.0/8'}]}, Containers: {c1: {EndpointID: 'e1'}, 'ep-e2': {EndpointID: 'e2'}, c3: null}})
  expect(found).toEqual({
    id: 'n', name: 'net', driver: 'calico', options: {a: 'b'}, ipamDriver: '', ipamOptions: {}, subnets: [{subnet: '', gateway: ''}, {subnet: '10.0.0.0/8', gateway: ''}], ipv6: false, endpoints: ['e1', 'e2', ''],
    containers: [{endpoint: 'e1', container: 'c1'}, {endpoint: 'e2', container: undefined}, {endpoint: '', container: 'c3'}],
  })
})

test('lists are whole or none', () => {
  expect(listedContainersOf([{Id: 'a', Names: ['/x', 7], State: 'running'}])).toEqual([{id: 'a', names: ['/x'], state: 'running', status: ''}])
  expect(listedContainersOf([{Id: 'a'}, null])).toBeUndefined()
  expect(listedNetworksOf([{Id: 'a', Driver: 'calico'}])).toEqual([{id: 'a', driver: 'calico'}])
  expect(imageOf({Id: 'i', Config: {Env: null, Entrypoint: ['a'], Cmd: ['b', 7]}})).toEqual({id: 'i', environment: [], command: ['a', 'b']})
})
