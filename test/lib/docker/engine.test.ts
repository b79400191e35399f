/** Answers of a real Engine, byte by byte (golden/docker), and what becomes of connections. */
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {createServer, type Server, type Socket} from 'node:net'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {dockerEngine, engineTimeLimitMs} from '../../../src/lib/docker/engine.js'

const golden = (name: string): Buffer => readFileSync(resolve(import.meta.dirname, '../../fixtures/golden/docker', name))

let folder: string
let server: Server
let answer: (socket: Socket) => void
let requests: string[]
const engine = (options = {}) => dockerEngine({env: {DOCKER_HOST: `unix://${folder}/docker.sock`}, ...options})

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-engine-'))
  requests = []
  server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      requests.push(data.toString().split('\r\n', 1)[0] ?? '')
      answer(socket)
    })
  })
  await new Promise<void>((done) => server.listen(join(folder, 'docker.sock'), done))
})
afterEach(async () => {
  await new Promise((done) => server.close(done))
  rmSync(folder, {recursive: true})
})

/** A golden file as the answer: the status, and its body as one piece, since the files keep it without its chunks. */
function replay(name: string): void {
  const text = golden(name).toString('latin1')
  const [head = '', ...body] = text.split(/\r?\n\r?\n/)
  const [status = ''] = head.split(/\r?\n/)
  const content = body.join('\n\n')
  const type = /content-type: (.*)/i.exec(head)?.[1]?.trim() ?? 'application/json'
  answer = (socket) => socket.end(`${status}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(content, 'latin1')}\r\nConnection: close\r\n\r\n${content}`, 'latin1')
}

describe('answers of the Engine', () => {
  test('a container', async () => {
    replay('01-inspect-running.txt')
    expect(await engine().inspect('calico-node')).toEqual({
      id: 'c44f3c3133ecb1624f2bc18d672805864c5461a480ea24c9960e14e4df331485',
      name: 'calico-node',
      running: true,
      pid: 16226,
      startedAt: '2026-11-21T09:37:48.402678114Z',
      networkMode: 'host',
      networks: [{name: 'host', id: '2727fc62449464fc9ae69df2d7918e51d65007b41009245cf51d36de5d72bd89', endpointId: 'cbbf61d18e332ea0ae4a750d63876c7bb0dd45a7a489feec488550baf9a42138'}],
    })
    expect(requests).toEqual(['GET /containers/calico-node/json HTTP/1.1'])
  })
  test.each([
    ['c44f', 'c44f is the container calico-node (c44f3c3133ec)'],
    ['c44f3c3133ec', 'c44f3c3133ec is the container calico-node (c44f3c3133ec)'],
    ['calico-node', undefined],
    ['/calico-node', undefined],
    ['c44f3c3133ecb1624f2bc18d672805864c5461a480ea24c9960e14e4df331485', undefined],
  ])('%s means it; the name is said back where only the beginning of its id was given', async (word, said) => {
    replay('01-inspect-running.txt')
    const noted: string[] = []
    expect(await engine({note: (text: string) => noted.push(text)}).inspect(word)).toMatchObject({name: 'calico-node'})
    expect(noted).toEqual(said === undefined ? [] : [said])
  })
  test.each(['c', 'c4', 'c44', 'calico'])('%s is too little of an id: it means none', async (word) => {
    replay('01-inspect-running.txt')
    await expect(engine().inspect(word)).rejects.toMatchObject({kind: 'not-found', message: `Container ${word} was not found.`, details: [expect.stringContaining('calico-node (c44f3c3133ec)')]})
  })
  test('no such container', async () => {
    replay('02-inspect-404.txt')
    await expect(engine().inspect('nosuch')).rejects.toMatchObject({kind: 'not-found', exitCode: 4, message: 'Container nosuch was not found.'})
  })
  test.each([
    ['17-api-too-new.txt', 'The Docker Engine refused: client version 1.99 is too new. Maximum supported API version is 1.41'],
    ['18-api-too-old.txt', 'The Docker Engine refused: client version 1.11 is too old. Minimum supported API version is 1.12, please upgrade your client to a newer version'],
  ])('%s', async (name, message) => {
    replay(name)
    await expect(engine().inspect('web')).rejects.toMatchObject({kind: 'failed', message})
  })
  test('the list of containers', async () => {
    replay('19-list.txt')
    const all = await engine().list()
    expect(all.size).toBeGreaterThan(0)
    for (const [id, {running}] of all) {
      expect(id).toMatch(/^[0-9a-f]{64}$/)
      expect(typeof running).toBe('boolean')
    }
  })
  test.each(['../images/x', 'a/b', '', '-x', 'a b', 'ü', 'x'.repeat(256), 'a?b', '%2e%2e'])('%j is not a container, and is not asked for', async (name) => {
    await expect(engine().inspect(name)).rejects.toMatchObject({kind: 'not-found'})
    expect(requests).toEqual([])
  })
})

describe('no answer', () => {
  test('no Engine', async () => {
    const address = `unix://${folder}/nosuch.sock`
    await expect(dockerEngine({env: {DOCKER_HOST: address}}).inspect('web')).rejects.toMatchObject({
      kind: 'failed',
      message: `Cannot connect to the Docker Engine at ${address}: is the docker daemon running?`,
    })
  })
  test('an Engine that goes away', async () => {
    answer = (socket) => socket.destroy()
    await expect(engine().inspect('web')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('Cannot connect to the Docker Engine') as unknown})
  })
  test('an Engine that goes away in the middle of its answer', async () => {
    answer = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"Id":')
    await expect(engine({timeLimitMs: 200}).inspect('web')).rejects.toMatchObject({kind: 'failed'})
  })
  test('an Engine that hangs', async () => {
    const held: Socket[] = []
    answer = (socket) => void held.push(socket)
    await expect(engine({timeLimitMs: 200}).inspect('web')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('did not answer within 0.2 s') as unknown})
    for (const socket of held) socket.destroy()
  })
  test('what is not an Engine', async () => {
    answer = (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nwhat')
    await expect(engine().inspect('web')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('is not a Docker Engine') as unknown})
    await expect(engine().list()).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('is not a Docker Engine') as unknown})
  })
  test('SSH is refused before anything is started', async () => {
    await expect(dockerEngine({env: {DOCKER_HOST: 'ssh://root@host'}}).inspect('web')).rejects.toMatchObject({kind: 'invalid'})
  })
})

test('without DOCKER_HOST, it is the Engine of this host', () => {
  expect(dockerEngine({env: {}})).toMatchObject({address: 'unix:///var/run/docker.sock', local: true})
  expect(dockerEngine({env: {DOCKER_HOST: 'tcp://192.0.2.1:2375'}})).toMatchObject({address: 'tcp://192.0.2.1:2375', local: false})
})

test('a password in DOCKER_HOST is not part of the address that messages name', async () => {
  for (const host of ['tcp://rw:s3cret@127.0.0.1:1', 'ssh://rw:s3cret@127.0.0.1', 'rw:s3cret@127.0.0.1:1']) {
    const {address, local} = dockerEngine({env: {DOCKER_HOST: host}})
    expect({address, local}).toEqual({address: expect.stringContaining('…@127.0.0.1') as unknown, local: false})
    expect(address).not.toContain('s3cret')
  }
  await expect(dockerEngine({env: {DOCKER_HOST: 'ssh://rw:s3cret@host'}}).inspect('web')).rejects.toMatchObject({message: expect.not.stringContaining('s3cret') as unknown})
})

test('an answer may take 4 s, and two fifths of a --timeout that is longer than the default', () => {
  expect([undefined, 500, 10_000, 60_000].map((timeoutMs) => engineTimeLimitMs(timeoutMs))).toEqual([4_000, 4_000, 4_000, 24_000])
})
