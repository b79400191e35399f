/** `profile ID …` where ID is a Docker network's (decisions.md 29): with an Engine that only answers what a test gives it, and with a real one. */
import {mkdtempSync, rmSync} from 'node:fs'
import {createServer, type Server} from 'node:http'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {type Options, type Result} from '../support/cli.js'
import {startEngine, suite, type TestEngine, whyNoEngine} from '../support/docker.js'
import {calicoctl} from '../support/warm.js'

const ID = '7d86d31b1478e7cca9ebed7e73aa0fdeec46c5ca29497431d3007d2d9e15ed99'

let folder: string
let store: Record<string, string>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-network-'))
  store = {CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`}
  for (const name of ['databases', 'web']) await run(`profile add ${name}`, {DOCKER_HOST: 'unix:///nowhere.sock'})
})
afterEach(() => rmSync(folder, {recursive: true}))

const run = (line: string, env: Record<string, string>, options: Options = {}): Promise<Result> => calicoctl(line.split(' '), {...options, env: {...store, ...env}})

describe('an Engine that knows one network', () => {
  let engine: Server
  let asked: string[]
  let network: object
  let env: Record<string, string>
  beforeEach(async () => {
    asked = []
    network = {Id: ID, Name: 'databases', Driver: 'calico', Options: {}, IPAM: {Driver: 'calico', Config: []}, Containers: {}}
    engine = createServer((request, response) => {
      const path = request.url ?? ''
      asked.push(path)
      const word = /\/networks\/([^/?]*)/.exec(path)?.[1] ?? ''
      const found = word !== '' && (ID.startsWith(word) || word === (network as {Name: string}).Name)
      response.writeHead(found ? 200 : 404, {'Content-Type': 'application/json'}).end(JSON.stringify(found ? network : {message: 'not found'}))
    })
    await new Promise<void>((done) => engine.listen(join(folder, 'docker.sock'), done))
    env = {DOCKER_HOST: `unix://${join(folder, 'docker.sock')}`}
  })
  afterEach(async () => {
    engine.closeAllConnections()
    await new Promise((done) => engine.close(done))
  })
  const NOTE = `${ID} is the Docker network databases; its profile is databases.\n`

  test('each command on tags and rules means the network\'s profile, and says so', async () => {
    expect(await run(`profile ${ID} tag add shared`, env)).toEqual(expect.objectContaining({code: 0, stdout: 'Tag shared added to profile databases\n', stderr: expect.stringContaining(NOTE) as unknown}))
    expect(await run(`profile ${ID} tag show`, env)).toMatchObject({code: 0, stdout: 'databases\nshared\n', stderr: NOTE})
    expect(await run(`profile ${ID} tag remove shared`, env)).toMatchObject({code: 0, stdout: 'Tag shared removed from profile databases\n'})
    expect(await run(`profile ${ID} rule add inbound allow tcp from tag web to ports 3306`, env)).toMatchObject({code: 0})
    expect(await run(`profile ${ID} rule show`, env)).toMatchObject({code: 0, stdout: 'Inbound rules:\n   1 allow from tag databases\n   2 allow tcp from tag web to ports 3306\nOutbound rules:\n   1 allow\n', stderr: NOTE})
    const {stdout: json} = await run(`profile ${ID} rule json`, env)
    expect(JSON.parse(json)).toMatchObject({id: 'databases'})
    expect(await run(`profile ${ID} rule remove inbound --at=1`, env)).toMatchObject({code: 0})
    expect(await run(`profile ${ID} rule update`, env, {stdin: json})).toMatchObject({code: 0, stdout: 'Successfully updated rules on profile databases\n'})
    expect((await run('profile databases rule show', env)).stdout).toContain('3306')
  })

  test('the beginning of an id is enough, if it has 12 digits', async () => {
    expect(await run(`profile ${ID.slice(0, 12)} rule show`, env)).toMatchObject({code: 0, stderr: expect.stringContaining('is the Docker network databases') as unknown})
    asked = []
    expect(await run(`profile ${ID.slice(0, 11)} rule show`, env)).toMatchObject({code: 4, stderr: expect.stringContaining(`Profile ${ID.slice(0, 11)} not found.`) as unknown})
    expect(asked).toEqual([])
  })

  test('the option profile names another one', async () => {
    network = {...network, Options: {profile: 'web'}}
    expect(await run(`profile ${ID} tag show`, env)).toMatchObject({code: 0, stdout: 'web\n', stderr: `${ID} is the Docker network databases; its profile is web.\n`})
  })

  test('a network without a profile: that one is what is not found', async () => {
    network = {...network, Name: 'applications'}
    expect(await run(`profile ${ID} rule show`, env)).toMatchObject({code: 4, stdout: '', stderr: expect.stringMatching(/its profile is applications\.\n[^]*Profile applications not found\./) as unknown})
  })

  describe('a network whose profile is missing', () => {
    beforeEach(() => {
      network = {...network, Name: 'applications'}
    })
    const CREATED = 'applications is a Calico Docker network of this host: its profile was created, with the default rules.\n'
    const STOCK = 'Inbound rules:\n   1 allow from tag applications\n'

    test.each([
      ['rule add inbound allow tcp to ports 80', `${STOCK}   2 allow tcp to ports 80\nOutbound rules:\n   1 allow\n`],
      ['rule remove outbound --at=1', `${STOCK}Outbound rules:\n`],
      ['tag add shared', `${STOCK}Outbound rules:\n   1 allow\n`],
    ])('%s: it is created first, by name and by id, and said', async (words, rules) => {
      for (const typed of ['applications', ID.slice(0, 12)]) {
        const dry = await run(`profile ${typed} ${words} --dry-run`, env)
        expect(dry).toMatchObject({code: 0, stderr: expect.stringContaining(CREATED.replace('was created', 'would be created')) as unknown})
        expect(await run('profile show', env)).toMatchObject({stdout: expect.not.stringContaining('applications') as unknown})
        expect(await run(`profile ${typed} ${words}`, env)).toMatchObject({code: 0, stderr: expect.stringContaining(CREATED) as unknown})
        expect(await run('profile applications rule show', env)).toMatchObject({code: 0, stdout: rules})
        asked = []
        expect((await run(`profile applications ${words}`, env)).stderr).not.toContain('created')
        expect(asked).toEqual([])
        await run('profile remove applications', env)
      }
    })

    test('what is only shown is not created; nor what the edit refuses', async () => {
      expect(await run('profile applications rule show', env)).toMatchObject({code: 4})
      const refused = await run('profile applications rule add inbound --at=9 allow', env)
      expect(refused).toMatchObject({code: 1, stderr: expect.not.stringContaining('created') as unknown})
      expect(await run('profile applications tag remove nosuch', env)).toMatchObject({code: 4, stderr: expect.not.stringContaining('created') as unknown})
      expect((await run('profile show', env)).stdout).not.toContain('applications')
    })

    test('not for another driver\'s network, nor one with another profile, nor without Docker, nor for an Engine elsewhere', async () => {
      const line = 'profile applications rule add inbound allow tcp to ports 80'
      const notFound = {code: 4, stdout: '', stderr: expect.stringContaining('Profile applications not found.') as unknown}
      network = {...network, Driver: 'bridge'}
      expect(await run(line, env)).toMatchObject(notFound)
      network = {...network, Driver: 'calico', Options: {profile: 'web2'}}
      expect(await run(line, env)).toMatchObject({...notFound, stderr: expect.stringContaining('calicoctl profile web2') as unknown})
      expect(await run(line, {DOCKER_HOST: 'unix:///nowhere.sock'})).toMatchObject(notFound)
      network = {...network, Options: {}}
      expect(await run(line, {DOCKER_HOST: 'tcp://127.0.0.1:1'})).toMatchObject(notFound)
      engine.removeAllListeners('request').on('request', () => undefined)
      expect(await run(line, env)).toMatchObject(notFound)
    })
  })

  test('a network that is called like an id is not meant by its name', async () => {
    const word = ID.slice(0, 12)
    network = {...network, Id: 'f'.repeat(64), Name: word}
    expect(await run(`profile ${word} rule show`, env)).toMatchObject({code: 4, stderr: expect.stringContaining(`Profile ${word} not found.`) as unknown})
  })

  test('Docker is not asked where the profile is stored, or the name is not an id, or the command is another', async () => {
    await run(`profile add ${ID.slice(0, 12)}`, env)
    expect(await run(`profile ${ID.slice(0, 12)} tag show`, env)).toMatchObject({code: 0, stdout: `${ID.slice(0, 12)}\n`, stderr: ''})
    expect(await run('profile databases rule show', env)).toMatchObject({code: 0})
    expect(await run('profile nothing rule show', env)).toMatchObject({code: 4})
    expect(await run(`profile ${ID.toUpperCase()} rule show`, env)).toMatchObject({code: 4})
    expect(await run('profile show', env)).toMatchObject({code: 0})
    expect(await run(`profile remove ${ID}`, env)).toMatchObject({code: 0})
    expect(asked).toEqual([])
  })

  test('an unknown network, an Engine that is away or hangs: the profile is not found', async () => {
    const notFound = {code: 4, stdout: '', stderr: expect.stringContaining(`Profile ${'a'.repeat(64)} not found.`) as unknown}
    expect(await run(`profile ${'a'.repeat(64)} rule show`, env)).toMatchObject(notFound)
    expect(asked).toHaveLength(1)
    expect(await run(`profile ${'a'.repeat(64)} rule show`, {DOCKER_HOST: 'unix:///nowhere.sock'})).toMatchObject(notFound)
    engine.removeAllListeners('request').on('request', () => undefined)
    expect(await run(`profile ${'a'.repeat(64)} rule show`, env)).toMatchObject(notFound)
  })
})

suite('a real Engine', whyNoEngine(), () => {
  let engine: TestEngine
  beforeAll(async () => {
    engine = await startEngine()
  })
  afterAll(() => engine.stop(), 60_000)

  test('knows its network by its id, whole or cut', async () => {
    const id = await engine.docker('network', 'create', '--driver', 'bridge', '--label', 'of=calicoctl-test', 'databases')
    try {
      for (const word of [id, id.slice(0, 12)]) {
        expect(await run(`profile ${word} tag show`, {DOCKER_HOST: engine.address})).toMatchObject({code: 0, stdout: 'databases\n', stderr: `${word} is the Docker network databases; its profile is databases.\n`})
      }
    } finally {
      await engine.docker('network', 'rm', id)
    }
    expect(await run(`profile ${id} tag show`, {DOCKER_HOST: engine.address})).toMatchObject({code: 4, stderr: expect.stringContaining(`Profile ${id} not found.`) as unknown})
  })
})
