import {mkdtemp, readFile, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, describe, expect, jest, test} from '@jest/globals'
import type {Datastore} from '../../../../src/lib/datastore/datastore.js'
import type {Way} from '../../../../src/lib/datastore/etcd/connection.js'
import {openDatastore} from '../../../../src/lib/datastore/open.js'
import type {EtcdSettings, Pem, Setting} from '../../../../src/lib/settings/types.js'
import {startEtcd, type TestEtcd} from '../../../support/etcd.js'
import {createCertificates, type KeyPair, type TestCertificates} from '../../../support/tls.js'

/** TLS and authentication, in each way in which they can be wrong (operator-demand §1, row 4), with requests by WAY. */
export function access(way: Way): void {
  jest.setTimeout(120_000)
  const opened: Datastore[] = []
  async function open(url: string | undefined, settings: Partial<EtcdSettings> = {}): Promise<Datastore> {
    const endpoints = {value: [url ?? ''], origin: 'ETCD_ENDPOINTS'}
    const store = await openDatastore({datastore: {type: 'etcd', endpoints, ...settings}}, {budgetMs: 30_000}, {way})
    opened.push(store)
    return store
  }
  afterEach(() => {
    for (const store of opened.splice(0)) store.close()
  })

  const pem = async (file: string, origin: string): Promise<Setting<Pem>> => ({value: {file, pem: await readFile(file, 'utf8')}, origin})
  const ca = async (file: string): Promise<Partial<EtcdSettings>> => ({ca: await pem(file, 'ETCD_CA_CERT_FILE')})
  const client = async ({cert, key}: KeyPair): Promise<Partial<EtcdSettings>> => ({
    cert: await pem(cert, 'ETCD_CERT_FILE'),
    key: await pem(key, 'ETCD_KEY_FILE'),
  })

  describe('TLS', () => {
    let directory: string
    let good: TestCertificates
    let stranger: TestCertificates
    let etcd: TestEtcd
    const others: TestEtcd[] = []
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'calicoctl-tls-'))
      good = await createCertificates(directory, 'good')
      stranger = await createCertificates(directory, 'stranger')
      etcd = await startEtcd({tls: {...good, clientAuth: true}})
    })
    afterAll(async () => {
      await Promise.all([etcd, ...others].map((server) => server.stop()))
      await rm(directory, {recursive: true})
    })

    test('with the CA and a client certificate: reads, writes, watches', async () => {
      const store = await open(etcd.endpoints[0], {...(await ca(good.ca)), ...(await client(good.client))})
      const {revision} = await store.transact({then: [{put: '/tls', value: '1'}]})
      expect((await store.get('/tls')).kv?.value).toBe('1')
      expect(await store.history('/tls', revision)).toHaveLength(1)
    })

    test('an unknown CA', async () => {
      const store = await open(etcd.endpoints[0], {...(await ca(stranger.ca)), ...(await client(good.client))})
      await expect(store.get('/a')).rejects.toMatchObject({
        kind: 'denied',
        message: expect.stringContaining(`is not signed by the CA in ${stranger.ca}`),
        hint: 'Set the CA that signed it in ETCD_CA_CERT_FILE.',
      })
    })

    test('no CA at all: those that Node knows', async () => {
      const store = await open(etcd.endpoints[0], await client(good.client))
      await expect(store.get('/a')).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('not signed by a CA known to this host')})
    })

    test('NODE_TLS_REJECT_UNAUTHORIZED=0 does not make an unknown CA a known one', async () => {
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
      try {
        const store = await open(etcd.endpoints[0], {...(await ca(stranger.ca)), ...(await client(good.client))})
        await expect(store.get('/a')).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('is not signed by the CA')})
      } finally {
        delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      }
    })

    test('no client certificate', async () => {
      const store = await open(etcd.endpoints[0], await ca(good.ca))
      await expect(store.get('/a')).rejects.toMatchObject({
        kind: 'denied',
        message: expect.stringContaining('requires a client certificate, and none is set'),
        hint: 'Set ETCD_CERT_FILE and ETCD_KEY_FILE.',
      })
    })

    test('a client certificate of another CA', async () => {
      const store = await open(etcd.endpoints[0], {...(await ca(good.ca)), ...(await client(stranger.client))})
      await expect(store.get('/a')).rejects.toMatchObject({
        kind: 'denied',
        message: expect.stringContaining(`does not accept the client certificate ${stranger.client.cert} (from ETCD_CERT_FILE)`),
      })
    })

    test('a key that does not belong to the certificate', async () => {
      const store = await open(etcd.endpoints[0], {...(await ca(good.ca)), ...(await client({cert: good.client.cert, key: stranger.client.key}))})
      await expect(store.get('/a')).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining(stranger.client.key)})
    })

    test('a certificate for another name', async () => {
      const tls = await createCertificates(directory, 'elsewhere', {serverNames: 'DNS:etcd.example.com'})
      const other = await startServer(tls)
      await expect((await open(other, await ca(tls.ca))).get('/a')).rejects.toMatchObject({
        kind: 'denied',
        message: expect.stringContaining('is for another name'),
        hint: expect.stringContaining('ETCD_ENDPOINTS'),
      })
    })

    test('an expired certificate', async () => {
      const tls = await createCertificates(directory, 'old', {expired: true})
      const other = await startServer(tls)
      await expect((await open(other, await ca(tls.ca))).get('/a')).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('not valid at this time')})
    })

    test('http to a TLS server', async () => {
      const store = await open(etcd.endpoints[0]?.replace('https:', 'http:'))
      await expect(store.get('/a')).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('probably requires TLS'), hint: expect.stringContaining('https://')})
    })

    test('https to a plain server', async () => {
      const plain = await startEtcd()
      others.push(plain)
      const store = await open(plain.endpoints[0]?.replace('http:', 'https:'), await ca(good.ca))
      await expect(store.get('/a')).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('does not use TLS'), hint: expect.stringContaining('http://')})
    })

    /** A TLS server with exactly this certificate. Not etcd, whose own health check would refuse to work with a bad one. */
    async function startServer(tls: TestCertificates): Promise<string> {
      const {createServer} = await import('node:https')
      const server = createServer({cert: await readFile(tls.server.cert), key: await readFile(tls.server.key)})
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const stop = (): Promise<void> => {
        server.closeAllConnections()
        return new Promise((resolve) => server.close(() => resolve()))
      }
      others.push({stop} as TestEtcd)
      return `https://127.0.0.1:${(server.address() as {port: number}).port}`
    }
  })

  describe('users and roles', () => {
    const PASSWORD = 'correct horse'
    let etcd: TestEtcd
    beforeAll(async () => {
      etcd = await startEtcd()
    })
    afterAll(() => etcd.stop())

    const user = (name: string, password: string): Partial<EtcdSettings> => ({
      username: {value: name, origin: 'ETCD_USERNAME'},
      password: {value: password, origin: 'ETCD_PASSWORD'},
    })

    test('a user is set, but this etcd has authentication switched off: no obstacle', async () => {
      const store = await open(etcd.endpoints[0], user('calico', PASSWORD))
      await store.transact({then: [{put: '/calico/before', value: ''}]})
      expect((await store.get('/calico/before')).kv).toBeDefined()
    })

    describe('switched on', () => {
      beforeAll(async () => {
        await etcd.ctl('user', 'add', `root:${PASSWORD}`)
        await etcd.ctl('user', 'add', `calico:${PASSWORD}`)
        await etcd.ctl('role', 'add', 'calico')
        await etcd.ctl('role', 'grant-permission', 'calico', 'readwrite', '--prefix=true', '/calico/')
        await etcd.ctl('user', 'grant-role', 'calico', 'calico')
        await etcd.ctl('user', 'grant-role', 'root', 'root')
        await etcd.ctl('auth', 'enable')
      })

      test('the right password', async () => {
        const store = await open(etcd.endpoints[0], user('calico', PASSWORD))
        const {revision} = await store.transact({if: [{key: '/calico/a', version: 0n}], then: [{put: '/calico/a', value: '1'}]})
        expect((await store.get('/calico/a')).kv).toMatchObject({version: 1n})
        expect(await store.history('/calico/a', revision)).toHaveLength(1)
      })

      test('a wrong password: named by its origin, never shown', async () => {
        const error: unknown = await (await open(etcd.endpoints[0], user('calico', 'wrong-secret'))).get('/calico/a').catch((reason: unknown) => reason)
        expect(error).toMatchObject({
          kind: 'denied',
          message: expect.stringMatching(/refused the login: wrong user name or password \(user calico .*ETCD_USERNAME.*, password .*ETCD_PASSWORD/),
        })
        const {message, hint, details} = error as {message: string; hint: string; details: string[]}
        expect(hint).toBe('Check the user name and password in ETCD_USERNAME and ETCD_PASSWORD.')
        expect([message, hint, ...details].join('\n')).not.toContain('wrong-secret')
      })

      test('no user', async () => {
        await expect((await open(etcd.endpoints[0])).get('/calico/a')).rejects.toMatchObject({
          kind: 'denied',
          message: expect.stringContaining('requires a user name and password, and none is set'),
        })
      })

      test('a user without permission: the key or prefix is named', async () => {
        const store = await open(etcd.endpoints[0], user('calico', PASSWORD))
        await expect(store.get('/other/key')).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('denies reading /other/key for the user calico')})
        await expect(store.transact({then: [{put: '/other/key', value: ''}]})).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('denies writing /other/key')})
        await expect(store.list('/other/')[Symbol.asyncIterator]().next()).rejects.toMatchObject({kind: 'denied', message: expect.stringContaining('listing the keys under /other/')})
        await expect(store.watch('/other/', 1n, new AbortController().signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({
          kind: 'denied',
          message: expect.stringContaining('watching /other/'),
        })
      })

      test('R4: a token that the server has forgotten: a new one is fetched', async () => {
        const store = await open(etcd.endpoints[0], user('calico', PASSWORD))
        await store.get('/calico/a')
        const [member] = etcd.members
        await member?.kill()
        await member?.start()
        await new Promise((resolve) => setTimeout(resolve, 1_000))
        expect((await store.get('/calico/a')).kv).toBeDefined()
        expect((await store.transact({then: [{put: '/calico/b', value: ''}]})).succeeded).toBe(true)
      })
    })
  })
}
