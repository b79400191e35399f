/** The control socket: a stand-in that speaks from golden transcripts, one that is ill, and Debian's BIRD with a real session. */
import {readFileSync, writeFileSync} from 'node:fs'
import {createServer, type Server, type Socket} from 'node:net'
import {resolve} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {askBird, BirdUnreachableError} from '../../../src/lib/bird/client.js'
import {bgpPeers} from '../../../src/lib/bird/peers.js'
import {readProtocols} from '../../../src/lib/bird/protocols.js'
import {socketFolder, startBird, startTranscriptServer, type TestBird, whyNoBird} from '../../support/bird.js'
import {suite} from '../../support/docker.js'
import {startNamespace, type TestNamespace, whyNoNamespaces} from '../../support/namespaces.js'

const golden = (name: string): Buffer => readFileSync(resolve(import.meta.dirname, '../../fixtures/golden/bird', name))

let folder: ReturnType<typeof socketFolder>
beforeEach(() => {
  folder = socketFolder()
})
afterEach(() => folder.remove())

describe('a stand-in that speaks from transcripts', () => {
  test.each([1, 7, 65536])('in pieces of %d bytes', async (piece) => {
    const server = await startTranscriptServer(folder.path('bird.ctl'), golden('07-global-node-connecting-1.v4.txt'), {piece})
    const reply = await askBird(server.path, 'show protocols')
    expect(reply.version).toBe('v0.3.3+birdv1.6.8')
    expect(bgpPeers(readProtocols(reply), 4)).toHaveLength(4)
    expect(server.questions).toEqual(['show protocols\n'])
    await server.stop()
  })
  test('a refusal', async () => {
    const server = await startTranscriptServer(folder.path('bird.ctl'), golden('syntaxerror.v4.txt'))
    expect((await askBird(server.path, 'show nothing')).lines).toEqual([{code: 9001, text: 'syntax error'}])
    await server.stop()
  })
})

describe('nobody who answers', () => {
  test('no socket', async () => {
    await expect(askBird(folder.path('bird.ctl'), 'show protocols')).rejects.toMatchObject({reason: 'missing', message: expect.stringContaining('does not exist') as unknown})
  })
  test('a socket that was left behind', async () => {
    writeFileSync(folder.path('bird.ctl'), '')
    await expect(askBird(folder.path('bird.ctl'), 'show protocols')).rejects.toMatchObject({reason: 'not-running', exitCode: 1})
  })

  let server: Server | undefined
  const held = new Set<Socket>()
  const serve = (onConnection: (socket: Socket) => void): Promise<string> =>
    new Promise((done) => {
      server = createServer((socket) => {
        held.add(socket)
        socket.on('error', () => undefined)
        onConnection(socket)
      }).listen(folder.path('ill.ctl'), () => done(folder.path('ill.ctl')))
    })
  afterEach(async () => {
    for (const socket of held) socket.destroy()
    held.clear()
    await new Promise((done) => (server ? server.close(done) : done(undefined)))
    server = undefined
  })

  test('silence', async () => {
    const path = await serve(() => undefined)
    await expect(askBird(path, 'show protocols', {timeLimitMs: 100})).rejects.toMatchObject({reason: 'silent'})
  })
  test('an answer that never ends, slowly', async () => {
    const path = await serve((socket) => {
      socket.write('0001 BIRD 1.6.8 ready.\n')
      const timer = setInterval(() => socket.write(' a'), 5)
      socket.on('close', () => clearInterval(timer))
    })
    await expect(askBird(path, 'show protocols', {timeLimitMs: 200})).rejects.toMatchObject({reason: 'silent'})
  })
  test('an answer without end, fast', async () => {
    const path = await serve((socket) => {
      const flood = (): void => {
        while (!socket.destroyed && socket.write('1002-row\n'.repeat(1000)));
        if (!socket.destroyed) socket.once('drain', flood)
      }
      flood()
    })
    await expect(askBird(path, 'show protocols', {sizeLimit: 100_000})).rejects.toThrow('larger than 100000 bytes')
  })
  test('the connection breaks off in the middle', async () => {
    const path = await serve((socket) => socket.end('0001 BIRD 1.6.8 ready.\n2002-name'))
    await expect(askBird(path, 'show protocols')).rejects.toMatchObject({reason: 'failed'})
    await expect(askBird(path, 'show protocols')).rejects.toBeInstanceOf(BirdUnreachableError)
  })
  test('bytes that are no text', async () => {
    const path = await serve((socket) => socket.write(Buffer.from([0xff, 0xfe, 0, 10, 0x30, 0x30, 0x30, 0x30, 0x20, 10])))
    expect((await askBird(path, 'show protocols')).complete).toBe(true)
  })
})

suite('Debian\'s BIRD: a real session between two namespaces', whyNoNamespaces() ?? whyNoBird(), () => {
  let one: TestNamespace
  let two: TestNamespace
  const birds: TestBird[] = []
  const config = (own: string, peer: string, extra: string): string => `
    router id ${own};
    protocol device { scan time 1; }
    protocol kernel { import none; export none; }
    protocol bgp Mesh_${peer.replaceAll('.', '_')} { local ${own} as 64512; neighbor ${peer} as 64512; connect delay time 1; ${extra} }
    protocol bgp Global_${peer.replaceAll('.', '_')}_port_1790 { local ${own} as 64512; neighbor ${peer} port 1790 as 64513; connect delay time 1; connect retry time 1; }
    protocol bgp Node_10_88_0_9 { disabled yes; local ${own} as 64512; neighbor 10.88.0.9 as 64514; }`

  beforeAll(async () => {
    one = await startNamespace()
    two = await startNamespace()
    one.run('ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(two.pid))
    for (const [namespace, address] of [[one, '10.88.0.1'], [two, '10.88.0.2']] as const) {
      namespace.run('ip', 'address', 'add', `${address}/24`, 'dev', 'eth0')
      namespace.run('ip', 'link', 'set', 'eth0', 'up')
    }
    birds.push(await startBird(one, config('10.88.0.1', '10.88.0.2', 'passive;')))
  })
  afterAll(async () => {
    for (const bird of birds) await bird.stop()
    await one.stop()
    await two.stop()
  })
  const peers = async () => bgpPeers(readProtocols(await askBird(birds[0]?.path ?? '', 'show protocols')), 4)

  test('alone: the passive side waits, the other tries, the disabled one is there', async () => {
    expect(await peers()).toMatchObject([
      {address: '10.88.0.2', type: 'node-to-node mesh', state: 'start', bgpState: 'Passive', health: 'waiting'},
      {address: '10.88.0.2', port: 1790, type: 'global', state: 'start', health: 'down'},
      {address: '10.88.0.9', type: 'node specific', state: 'down', info: '', health: 'down'},
    ])
  })
  test('with the other side: established', async () => {
    birds.push(await startBird(two, config('10.88.0.2', '10.88.0.1', '')))
    const deadline = Date.now() + 60_000
    while ((await peers())[0]?.health !== 'established' && Date.now() < deadline) await new Promise((done) => setTimeout(done, 100))
    const [mesh, global] = await peers()
    expect(mesh).toMatchObject({state: 'up', bgpState: 'Established', lastError: '', since: expect.stringMatching(/^\d\d:\d\d:\d\d$|^\d{4}-\d\d-\d\d/) as unknown})
    expect(global?.health).toBe('down')
  })
  test('what it does not understand', async () => {
    await expect(askBird(birds[0]?.path ?? '', 'nonsense').then(readProtocols)).rejects.toThrow('BIRD refused')
  })
})
