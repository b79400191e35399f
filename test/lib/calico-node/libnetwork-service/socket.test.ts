import {mkdtempSync, rmSync} from 'node:fs'
import {createServer, type RequestListener, type Server} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {askDriver, waitForDriver} from '../../../../src/lib/calico-node/libnetwork-service/socket.js'

let folder: string
let path: string
let servers: Server[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-driver-'))
  path = join(folder, 'calico.sock')
  servers = []
})
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  rmSync(folder, {recursive: true})
})

const serve = (listener: RequestListener): Promise<void> =>
  new Promise((done) => {
    const server = createServer(listener)
    servers.push(server)
    server.listen(path, done)
  })
const goOn = (): Promise<undefined> => Promise.resolve(undefined)

test('a network driver answers', async () => {
  const asked: string[] = []
  await serve((request, response) => {
    asked.push(`${request.method ?? ''} ${request.url ?? ''}`)
    response.end('{"Implements":["NetworkDriver","IpamDriver"]}')
  })
  expect(await askDriver(path)).toEqual({state: 'answers'})
  expect(asked).toEqual(['POST /Plugin.Activate'])
})

test.each([['another plugin', '{"Implements":["VolumeDriver"]}'], ['no JSON', 'hello'], ['null', 'null'], ['nothing', '']])('%s is not a network driver', async (_, body) => {
  await serve((_request, response) => response.end(body))
  expect(await askDriver(path)).toEqual({state: 'silent', why: `what answers at ${path} is not a network driver`})
})

test('no socket, one that hangs, one that hangs up', async () => {
  expect(await askDriver(path)).toEqual({state: 'silent', why: `${path} does not exist`})
  await serve(() => undefined)
  expect(await askDriver(path, 50)).toEqual({state: 'silent', why: 'no answer within 0.05 s'})
  servers[0]?.removeAllListeners('request').on('request', (request) => request.socket.destroy())
  expect(await askDriver(path)).toMatchObject({state: 'silent'})
})

test('is waited for', async () => {
  setTimeout(() => void serve((_request, response) => response.end('{"Implements":["NetworkDriver"]}')), 150)
  expect(await waitForDriver(path, 5_000, goOn)).toEqual({state: 'answers'})
})

test('is not waited for when it has ended, nor for ever', async () => {
  expect(await waitForDriver(path, 60_000, () => Promise.resolve('it ended'))).toEqual({state: 'silent', why: 'it ended'})
  expect(await waitForDriver(path, 50, goOn)).toEqual({state: 'silent', why: `${path} does not exist`})
})
