/** What an Engine answers about networks: recorded answers (fixtures/docker/networks.json), and those that go wrong. */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {createServer, type Server} from 'node:http'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {dockerNetworks} from '../../../src/lib/docker/networks.js'

interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Network {
  readonly Id: string
  readonly Name: string
  Containers?: Record<string, {EndpointID: string}> | null
}

const {answers: recorded} = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../fixtures/docker/networks.json'), 'utf8')) as {answers: Record<string, Answer>}
const APPS = (recorded['/networks/apps']?.body as Network).Id
const APP_CONTAINER = '4f01939315e3ee47b70c04cd314856277abfcbed0cfd997448a5d3b32458849f'
const APP_ENDPOINT = '585b834b473502b0ac2ec5c2c4b476c9227f3a6d1484f6efedbe12890d9d2627'
const DATABASES = '1113ba976186b84e9a1127ff1406f056ac6293763974e8677fd3f365fb0ef54b'

let folder: string
let server: Server
let requests: string[]
/** In place of the recorded ones; 'hang' is never answered. */
let changed: Record<string, Answer | 'hang'>
const networks = (timeLimitMs?: number) => dockerNetworks({env: {DOCKER_HOST: `unix://${folder}/docker.sock`}, ...(timeLimitMs === undefined ? {} : {timeLimitMs})})

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-networks-'))
  requests = []
  changed = {}
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    const answer = changed[path] ?? recorded[path] ?? {status: 404, body: {message: 'page not found'}}
    if (answer !== 'hang') response.writeHead(answer.status, {'Content-Type': 'application/json'}).end(JSON.stringify(answer.body))
  })
  await new Promise<void>((done) => server.listen(join(folder, 'docker.sock'), done))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
  rmSync(folder, {recursive: true})
})

describe('one network', () => {
  test('Calico\'s IPAM with subnets of both families and an endpoint', async () => {
    expect(await networks().inspect('apps')).toEqual({
      id: APPS,
      name: 'apps',
      driver: 'helperc',
      options: {},
      ipamDriver: 'helperc',
      ipamOptions: {},
      subnets: [{subnet: '192.168.0.0/16', gateway: ''}, {subnet: 'fd80::/64', gateway: ''}],
      ipv6: true,
      endpoints: [APP_ENDPOINT],
    })
  })
  test('Docker\'s own IPAM, options, internal', async () => {
    expect(await networks().inspect('plain')).toMatchObject({
      options: {'nat-outgoing': 'true', x: 'y'},
      ipamDriver: 'default',
      subnets: [{subnet: '172.18.0.0/16', gateway: '172.18.0.1'}],
      ipv6: false,
      endpoints: [],
    })
  })
  test('by its id, and by how it begins', async () => {
    expect(await networks().inspect(DATABASES)).toMatchObject({name: 'databases', subnets: [{subnet: '0.0.0.0/0', gateway: '0.0.0.0'}]})
    expect(await networks().inspect(DATABASES.slice(0, 12))).toMatchObject({id: DATABASES})
  })
  test('not by its id\'s first digits, which may be meant for a name', async () => {
    changed['/networks/74c'] = recorded['/networks/apps'] ?? 'hang'
    expect(await networks().inspect('74c')).toBeUndefined()
  })
  test('a name that is not a word', async () => {
    expect(await networks().inspect('a/b')).toMatchObject({name: 'a/b'})
    expect(requests).toEqual(['GET /networks/a%2Fb'])
  })
  test('none', async () => {
    expect(await networks().inspect('nosuch')).toBeUndefined()
  })
  test.each(['', '.', '..', '\ud800'])('%j is not asked for', async (name) => {
    expect(await networks().inspect(name)).toBeUndefined()
    expect(requests).toEqual([])
  })
  test('two of one name', async () => {
    await expect(networks().inspect('databases')).rejects.toMatchObject({kind: 'conflict', message: 'More than one Docker network is named databases'})
  })
  test('an endpoint that no container has yet', async () => {
    changed['/networks/apps'] = {status: 200, body: {...(recorded['/networks/apps']?.body as Network), Containers: {[`ep-${APP_ENDPOINT}`]: {EndpointID: APP_ENDPOINT}}}}
    expect((await networks().inspect('apps'))?.endpoints).toEqual([APP_ENDPOINT])
  })
  test('null for what is empty', async () => {
    changed['/networks/apps'] = {status: 200, body: {Id: APPS, Name: 'apps', Driver: 'calico', IPAM: {Driver: 'calico', Options: null, Config: null}, Options: null, Containers: null}}
    expect(await networks().inspect('apps')).toEqual({id: APPS, name: 'apps', driver: 'calico', options: {}, ipamDriver: 'calico', ipamOptions: {}, subnets: [], ipv6: false, endpoints: []})
  })
})

describe('all networks', () => {
  test('each with its endpoints, which the Engine\'s list leaves out', async () => {
    const all = await networks().list()
    expect(all.map(({name}) => name).sort()).toEqual(['a/b', 'apps', 'bridge', 'databases', 'databases', 'host', 'plain'])
    expect(all.find(({name}) => name === 'apps')?.endpoints).toEqual([APP_ENDPOINT])
  })
  test('of one driver: not of those whose name contains it', async () => {
    expect((await networks().list('helperc')).map(({name}) => name).sort()).toEqual(['a/b', 'apps', 'databases', 'databases', 'plain'])
    expect(decodeURIComponent(requests[0] ?? '')).toBe('GET /networks?filters={"driver":["helperc"]}')
    expect(await networks().list('helper')).toEqual([])
  })
  test('one that goes while they are asked for', async () => {
    changed[`/networks/${APPS}`] = {status: 404, body: {message: 'network not found'}}
    expect((await networks().list()).map(({name}) => name)).not.toContain('apps')
  })
})

describe('the container of an endpoint', () => {
  test('with its labels', async () => {
    expect(await networks().containerOf(APP_ENDPOINT, APPS)).toEqual({id: APP_CONTAINER, name: 'app', labels: {'org.projectcalico.label.role': 'db', other: '1'}})
  })
  test('not before the Engine shows it', async () => {
    changed[`/networks/${APPS}`] = {status: 200, body: {...(recorded['/networks/apps']?.body as Network), Containers: {[`ep-${APP_ENDPOINT}`]: {EndpointID: APP_ENDPOINT}}}}
    expect(await networks().containerOf(APP_ENDPOINT, APPS)).toBeUndefined()
    expect(await networks().containerOf('f'.repeat(64), APPS)).toBeUndefined()
  })
  test('not if it, or the network, has gone', async () => {
    changed[`/containers/${APP_CONTAINER}/json`] = {status: 404, body: {message: 'No such container'}}
    expect(await networks().containerOf(APP_ENDPOINT, APPS)).toBeUndefined()
    expect(await networks().containerOf(APP_ENDPOINT, 'f'.repeat(64))).toBeUndefined()
  })
  test('many that wait for one network ask for it once', async () => {
    const docker = networks()
    const found = await Promise.all(Array.from({length: 20}, () => docker.containerOf(APP_ENDPOINT, APPS)))
    expect(found.every((container) => container?.name === 'app')).toBe(true)
    expect(requests.filter((line) => line.includes('/networks/'))).toHaveLength(1)
    await docker.containerOf(APP_ENDPOINT, APPS)
    expect(requests.filter((line) => line.includes('/networks/'))).toHaveLength(2)
  })
})

describe('no answer', () => {
  test('an Engine that hangs is given up', async () => {
    changed = {'/networks/apps': 'hang', '/networks': 'hang', [`/networks/${APPS}`]: 'hang'}
    const docker = networks(150)
    for (const question of [docker.inspect('apps'), docker.list(), docker.containerOf(APP_ENDPOINT, APPS)]) {
      await expect(question).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('did not answer within 0.15 s') as unknown})
    }
  })
  test('what is not an Engine is told', async () => {
    changed = {'/networks/apps': {status: 200, body: 'hello'}, '/networks': {status: 200, body: {}}}
    await expect(networks().inspect('apps')).rejects.toMatchObject({message: expect.stringContaining('is not a Docker Engine') as unknown})
    await expect(networks().list()).rejects.toMatchObject({message: expect.stringContaining('is not a Docker Engine') as unknown})
  })
  test('its own errors are told', async () => {
    changed['/networks/apps'] = {status: 500, body: {message: 'the store is locked'}}
    await expect(networks().inspect('apps')).rejects.toMatchObject({kind: 'failed', message: 'The Docker Engine refused: the store is locked'})
  })
})

test('only a socket of this host is local', () => {
  expect(dockerNetworks({env: {}})).toMatchObject({local: true, address: 'unix:///var/run/docker.sock'})
  expect(dockerNetworks({env: {DOCKER_HOST: 'tcp://192.0.2.1:2375'}}).local).toBe(false)
})
