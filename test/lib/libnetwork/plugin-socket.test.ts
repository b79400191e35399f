import {chmodSync, existsSync, linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, unlinkSync, writeFileSync} from 'node:fs'
import {createServer, type Server} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {spawnSync} from 'node:child_process'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../src/lib/errors.js'
import {listenOn, socketPaths} from '../../../src/lib/libnetwork/plugin-socket.js'
import {callPlugin} from '../../support/plugin-client.js'

const owner = process.getuid?.() ?? 0
let folder: string
let path: string
const servers: Server[] = []

function newServer(text = 'mine'): Server {
  const server = createServer((_, response) => response.end(JSON.stringify(text)))
  servers.push(server)
  return server
}

/** Leaves a socket at PATH whose process is gone. */
function leaveStale(at: string): void {
  const {status} = spawnSync(process.execPath, ['-e', 'require("net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))', at])
  expect(status).toBeNull()
  expect(lstatSync(at).isSocket()).toBe(true)
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-socket-'))
  path = join(folder, 'calico.sock')
})
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => {
    server.closeAllConnections()
    server.close(resolve)
  })))
  rmSync(folder, {recursive: true, force: true})
})

describe('socketPaths', () => {
  test('the twin stands beside it', () => expect(socketPaths('/run/docker/plugins/calico.sock')).toEqual({main: '/run/docker/plugins/calico.sock', ipam: '/run/docker/plugins/calico-ipam.sock'}))

  test.each(['calico.sock', '/run/calico', '/run/.sock', '/run/calico.sock/', '', `/${'x'.repeat(98)}.sock`])('refuses %j', (text) => {
    expect(() => socketPaths(text)).toThrow(CalicoError)
    expect(() => socketPaths(text)).toThrow('--socket')
  })
})

describe('listenOn', () => {
  // Nobody can make a socket there, root neither.
  test('a folder that takes no socket is an error of this command', async () => {
    await expect(listenOn(newServer(), '/sys/calico.sock', {owner: statSync('/sys').uid})).rejects.toMatchObject({kind: 'failed', message: expect.stringMatching(/^The socket \/sys\/\.\S+ cannot be created: /)})
  })

  test('makes the folder; the socket is its owner\'s alone; nothing else is left there', async () => {
    const deep = join(folder, 'docker/plugins/calico.sock')
    const bound = await listenOn(newServer(), deep, {owner})
    writeFileSync(join(folder, 'as before'), '')
    expect(statSync(join(folder, 'as before')).mode & 0o777).toBe(0o644)
    expect(statSync(deep).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'docker/plugins')).mode & 0o777).toBe(0o755)
    expect(readdirSync(join(folder, 'docker/plugins'))).toEqual(['calico.sock'])
    expect((await callPlugin(deep, 'x')).body).toBe('mine')
    bound.remove()
    expect(existsSync(deep)).toBe(false)
    bound.remove()
  })

  test('replaces a socket that nobody answers on', async () => {
    leaveStale(path)
    await listenOn(newServer(), path, {owner})
    expect((await callPlugin(path, 'x')).body).toBe('mine')
    expect(readdirSync(folder)).toEqual(['calico.sock'])
  })

  test('leaves a socket alone that somebody answers on', async () => {
    await listenOn(newServer('first'), path, {owner})
    await expect(listenOn(newServer('second'), path, {owner})).rejects.toMatchObject({kind: 'refused', message: `Another plugin already serves ${path}`})
    expect((await callPlugin(path, 'x')).body).toBe('first')
    expect(readdirSync(folder)).toEqual(['calico.sock'])
  })

  test('several at once on a stale one: one of them wins', async () => {
    leaveStale(path)
    const outcomes = await Promise.allSettled(Array.from({length: 8}, (_, i) => listenOn(newServer(`server ${i}`), path, {owner})))
    const winner = outcomes.findIndex(({status}) => status === 'fulfilled')
    expect(outcomes.filter(({status}) => status === 'fulfilled')).toHaveLength(1)
    expect((await callPlugin(path, 'x')).body).toBe(`server ${winner}`)
    expect(readdirSync(folder)).toEqual(['calico.sock'])
  })

  test('what is not a socket stays', async () => {
    writeFileSync(path, 'text')
    await expect(listenOn(newServer(), path, {owner})).rejects.toMatchObject({kind: 'failed', message: `${path} exists and is not a socket`})
    expect(lstatSync(path).isFile()).toBe(true)
    unlinkSync(path)
    symlinkSync('/nowhere', path)
    await expect(listenOn(newServer(), path, {owner})).rejects.toMatchObject({kind: 'failed'})
    expect(lstatSync(path).isSymbolicLink()).toBe(true)
    expect(readdirSync(folder)).toEqual(['calico.sock'])
  })

  test('neither closing nor remove() touches the socket of a successor', async () => {
    const first = newServer()
    const bound = await listenOn(first, path, {owner})
    unlinkSync(path)
    await listenOn(newServer('successor'), path, {owner})
    bound.remove()
    await new Promise((resolve) => first.close(resolve))
    expect((await callPlugin(path, 'x')).body).toBe('successor')
  })

  test('a folder of somebody else, or open to others, is refused; one like /tmp is not', async () => {
    await expect(listenOn(newServer(), path, {owner: owner + 1})).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining(`belongs to the user ${owner}`) as unknown})
    const open = join(folder, 'open')
    mkdirSync(open)
    chmodSync(open, 0o775)
    await expect(listenOn(newServer(), join(open, 'calico.sock'), {owner})).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('is writable by other users') as unknown})
    chmodSync(open, 0o1777)
    await listenOn(newServer(), join(open, 'calico.sock'), {owner})
    writeFileSync(join(folder, 'file'), '')
    await expect(listenOn(newServer(), join(folder, 'file/calico.sock'), {owner})).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('cannot be created') as unknown})
  })

  test('a hard link to a socket that is served is one that is served', async () => {
    await listenOn(newServer('first'), join(folder, 'other.sock'), {owner})
    linkSync(join(folder, 'other.sock'), path)
    await expect(listenOn(newServer(), path, {owner})).rejects.toMatchObject({kind: 'refused'})
  })
})
