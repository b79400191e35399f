/** Networks over their life: created, found again by a driver that was started anew, removed; on an embedded store and files of their own. */
import {execFileSync} from 'node:child_process'
import {chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {listPools, poolLabel} from '../../../src/lib/client/pools.js'
import {getProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import type {DockerNetwork} from '../../../src/lib/docker/networks.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {type Networks, openNetworks} from '../../../src/lib/libnetwork/networks.js'
import type {CreateNetworkRequest} from '../../../src/lib/libnetwork/protocol.js'
import {listedLog} from '../../support/driver-parts.js'
import {type FaultyStore, faultyStore} from '../../support/faulty-store.js'
import {createObject} from '../../support/ipam.js'

const ID = '1113ba976186b84e9a1127ff1406f056ac6293763974e8677fd3f365fb0ef54b'
const MARKER = {AddressSpace: 'CalicoLocalAddressSpace', Pool: '0.0.0.0/0', Gateway: '0.0.0.0/0'}
const SIX = {AddressSpace: 'CalicoLocalAddressSpace', Pool: 'fd80::/64', Gateway: '::/0'}
const OWN = {AddressSpace: 'LocalDefault', Pool: '172.18.0.0/16', Gateway: '172.18.0.1/16'}

const request = (options: Record<string, string> = {}, {v4 = [MARKER], v6 = [], more = {}}: {v4?: object[]; v6?: object[]; more?: object} = {}): CreateNetworkRequest =>
  ({NetworkID: ID, Options: {'com.docker.network.enable_ipv6': v6.length > 0, 'com.docker.network.generic': options, ...more}, IPv4Data: v4, IPv6Data: v6}) as CreateNetworkRequest

const inspected = (more: Partial<DockerNetwork> = {}): DockerNetwork => ({
  id: ID,
  name: 'databases',
  driver: 'calico-7',
  options: {},
  ipamDriver: 'calico-7',
  ipamOptions: {},
  subnets: [{subnet: '0.0.0.0/0', gateway: '0.0.0.0'}],
  ipv6: false,
  endpoints: [],
  ...more,
})

let parent: string
let folder: string
let store: FaultyStore
let session: Session
let log: ReturnType<typeof listedLog>
let asked: number
let answer: () => Promise<DockerNetwork | undefined>
let networks: Networks

const open = (namePauses: readonly number[] = []): Networks =>
  openNetworks({
    folder,
    session,
    log,
    namePauses,
    docker: {
      address: 'unix:///test.sock',
      inspect() {
        asked++
        return answer()
      },
    },
  })
const file = (): string => join(folder, `${ID}.json`)
const pools = async (): Promise<string[]> => (await listPools(session, [4, 6])).map(poolLabel)

beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'calicoctl-networks-'))
  folder = join(parent, 'calicoctl/networks')
  store = await faultyStore()
  session = newSession(store, {warn: () => undefined})
  await createObject(session, 'IPPool', 'four', {cidr: '192.168.0.0/16'})
  log = listedLog()
  asked = 0
  answer = () => Promise.resolve(inspected())
  networks = open()
})
afterEach(() => {
  store.close()
  rmSync(parent, {recursive: true})
})

describe('CreateNetwork', () => {
  test('with Calico\'s IPAM: remembered, only root\'s to read, and nothing written to the datastore', async () => {
    const before = store.writes.length
    await networks.create(request())
    expect(store.writes).toHaveLength(before)
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({version: 1, request: request()})
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(join(parent, 'calicoctl')).mode & 0o077).not.toBe(0) // calico-node's folder stays open
    expect(asked).toBe(0)
    expect(networks.remembered()).toEqual([ID])
  })
  test('a folder that is open to others is closed to them', async () => {
    mkdirSync(folder, {recursive: true})
    chmodSync(folder, 0o777)
    await networks.create(request())
    expect(statSync(folder).mode & 0o777).toBe(0o700)
  })
  test('where nothing can be written, the reason is told as it is, and nothing is made', async () => {
    try {
      execFileSync('sh', ['-c', 'mount -t tmpfs -o ro tmpfs "$1"', 'sh', parent], {stdio: 'pipe'})
    } catch {
      return // not root, or not allowed here
    }
    try {
      const before = store.writes.length
      await expect(networks.create(request({profile: 'web'}, {v4: [OWN]}))).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('the file system is read-only') as unknown})
      expect(store.writes).toHaveLength(before)
      await networks.remove(ID)
    } finally {
      execFileSync('umount', [parent])
    }
  })
  test('with Docker\'s own IPAM: a pool that is disabled, with the options of the network', async () => {
    await networks.create(request({ipip: 'true', 'nat-outgoing': 'true'}, {v4: [OWN]}))
    expect((await listPools(session, [4])).find((pool) => poolLabel(pool) === '172.18.0.0/16')?.stored.resource).toMatchObject({
      metadata: {annotations: {'calicoctl/network': ID}},
      spec: {disabled: true, ipipMode: 'Always', natOutgoing: true},
    })
    await networks.create(request({ipip: 'true', 'nat-outgoing': 'true'}, {v4: [OWN]})) // Docker asks again where an answer was lost
    expect(await pools()).toEqual(['172.18.0.0/16', '192.168.0.0/16'])
  })
  test('--opt profile: made at once, with the stock rules', async () => {
    await networks.create(request({profile: 'web'}))
    expect((await getProfile(session, 'web')).resource.spec).toMatchObject({labelsToApply: {web: ''}})
    expect(await networks.find(ID)).toMatchObject({profile: 'web', name: undefined})
    expect(asked).toBe(0)
  })

  test.each<[string, CreateNetworkRequest, string, readonly string[]]>([
    ['what is unknown', request({x: 'y', ipip: 'yes'}, {more: {'com.docker.network.internal': true}}), 'Calico driver does not support the flags --internal, x.', ['--opt ipip=yes: only true and false are allowed.']],
    ['several subnets', request({}, {v4: [MARKER, MARKER]}), 'Unsupported: multiple Gateways defined for IPv4', []],
    ['several IPv6 subnets', request({}, {v6: [SIX, SIX]}), 'Unsupported: multiple Gateways defined for IPv6', []],
    ['no IPv4', request({}, {v4: [], v6: [SIX]}), "The network has no IPv4 subnet: addresses are needed from Calico's IPAM (--ipam-driver) or Docker's own.", []],
    ['no address data at all', request({}, {v4: [{AddressSpace: '', Pool: '', Gateway: ''}]}), "The network has no IPv4 subnet: addresses are needed from Calico's IPAM (--ipam-driver) or Docker's own.", []],
    ['addresses that are not for containers', request({}, {v4: [{...MARKER, AuxAddresses: {router: '192.168.0.9/32'}}]}), 'Calico IPAM does not support --aux-address (router=192.168.0.9). To reserve an address: calicoctl ipam assign 192.168.0.9', []],
    ['what is not a subnet', request({}, {v4: [{...OWN, Pool: '172.18.0.0/33'}]}), "Docker sent '172.18.0.0/33' as a subnet", []],
  ])('refuses %s before anything is done', async (_, wrong, message, details) => {
    const before = store.writes.length
    await expect(networks.create(wrong)).rejects.toMatchObject({kind: 'invalid', message, details})
    expect(store.writes).toHaveLength(before)
    expect(networks.remembered()).toEqual([])
  })

  describe('ipip and nat-outgoing with Calico\'s IPAM', () => {
    test.each<[string, Record<string, string>, object[]]>([
      ['what the pools are not, of any', {ipip: 'false', 'nat-outgoing': 'false'}, [MARKER]],
      ['the same of one', {'nat-outgoing': 'false'}, [{...MARKER, Pool: '192.168.0.0/16'}]],
    ])('%s: accepted', async (_, options, v4) => {
      await networks.create(request(options, {v4}))
      expect(networks.remembered()).toEqual([ID])
    })
    test('what a pool is not: refused with the line that changes it, which keeps what else the pool has', async () => {
      await createObject(session, 'IPPool', 'ten', {cidr: '10.0.0.0/16', natOutgoing: true})
      await createObject(session, 'IPPool', 'off', {cidr: '10.1.0.0/16', disabled: true})
      await expect(networks.create(request({ipip: 'true'}))).rejects.toMatchObject({
        kind: 'refused',
        message: '--opt ipip=true is a property of the Calico IP pools, which other networks also use: a pool of this network has another setting.',
        hint: 'Run this first: calicoctl pool add 10.0.0.0/16 --ipip; calicoctl pool add 192.168.0.0/16 --ipip',
      })
      await expect(networks.create(request({'nat-outgoing': 'true'}))).rejects.toMatchObject({hint: 'Run this first: calicoctl pool add 192.168.0.0/16 --nat-outgoing'})
      await expect(networks.create(request({'nat-outgoing': 'false', ipip: 'true'}, {v4: [{...MARKER, Pool: '10.0.0.0/16'}]}))).rejects.toMatchObject({hint: 'Run this first: calicoctl pool set 10.0.0.0/16 --ipip --no-nat-outgoing'})
      await networks.create(request({'nat-outgoing': 'true'}, {v4: [{...MARKER, Pool: '10.0.0.0/16'}]}))
    })
    test('IPIP across subnets is IPIP, and of IPv4 only', async () => {
      await createObject(session, 'IPPool', 'cross', {cidr: '10.0.0.0/16', ipipMode: 'CrossSubnet'})
      await createObject(session, 'IPPool', 'six', {cidr: 'fd80::/64'})
      await networks.create(request({ipip: 'true'}, {v4: [{...MARKER, Pool: '10.0.0.0/16'}], v6: [SIX]}))
    })
    test('without any pool', async () => {
      await expect(networks.create(request({'nat-outgoing': 'true'}, {v6: [{...SIX, Pool: '::/0'}], v4: [{...MARKER, Pool: '10.9.0.0/16'}]}))).rejects.toMatchObject({
        message: '--opt nat-outgoing=true is a property of the Calico IP pools, which other networks also use: there is no pool yet.',
        hint: 'Run this first: calicoctl pool add CIDR --nat-outgoing',
      })
    })
  })

  describe('nothing is left', () => {
    test('where a subnet overlaps a pool', async () => {
      await expect(networks.create(request({profile: 'web'}, {v4: [{...OWN, Pool: '192.168.7.0/24'}]}))).rejects.toMatchObject({kind: 'invalid'})
      expect(networks.remembered()).toEqual([])
      expect(await pools()).toEqual(['192.168.0.0/16'])
      await expect(getProfile(session, 'web')).rejects.toMatchObject({kind: 'not-found'})
    })
    test('where it cannot be remembered', async () => {
      writeFileSync(join(parent, 'calicoctl'), '')
      await expect(networks.create(request({}, {v4: [OWN]}))).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('cannot be written') as unknown})
      expect(await pools()).toEqual(['192.168.0.0/16'])
    })
    test('where the profile cannot be made after the pool', async () => {
      store.onWrite = (send, transaction) => (JSON.stringify(transaction, (_, value: unknown) => (typeof value === 'bigint' ? '' : value)).includes('/profiles/web') ? Promise.reject(new CalicoError('unreachable', 'away')) : send(transaction))
      await expect(networks.create(request({profile: 'web'}, {v4: [OWN]}))).rejects.toMatchObject({kind: 'unreachable'})
      expect(await pools()).toEqual(['192.168.0.0/16'])
      expect(networks.remembered()).toEqual([])
    })
    test('but a repeated call takes nothing back that Docker may have by now', async () => {
      await networks.create(request({profile: 'web'}, {v4: [OWN]}))
      await createObject(session, 'IPPool', 'more', {cidr: '172.20.0.0/16'})
      await expect(networks.create(request({profile: 'web'}, {v4: [{...OWN, Pool: '172.20.0.0/16'}]}))).rejects.toMatchObject({kind: 'invalid'})
      expect(await pools()).toEqual(['172.18.0.0/16', '172.20.0.0/16', '192.168.0.0/16'])
      expect(networks.remembered()).toEqual([ID])
    })
  })
  test('a link in place of the folder is not followed', async () => {
    mkdirSync(join(parent, 'calicoctl'))
    mkdirSync(join(parent, 'elsewhere'))
    symlinkSync(join(parent, 'elsewhere'), folder)
    await expect(networks.create(request())).rejects.toMatchObject({kind: 'failed'})
    expect(readdirSync(join(parent, 'elsewhere'))).toEqual([])
  })
})

describe('the name', () => {
  test('is asked for in the background until Docker shows the network, and remembered', async () => {
    let answers = 0
    answer = () => (++answers === 1 ? Promise.resolve(undefined) : answers === 2 ? Promise.reject(new CalicoError('failed', 'busy')) : Promise.resolve(inspected()))
    networks = open([5, 5, 5, 5, 5])
    await networks.create(request())
    while (!readFileSync(file(), 'utf8').includes('"databases"')) await sleep(5)
    expect(await networks.find(ID)).toEqual({id: ID, name: 'databases', profile: 'databases', fromCalico: true, ipv6: false, labels: false, mtu: undefined})
    await sleep(20)
    expect(asked).toBe(3)
  })
  test('known, it gets its profile, before any container, and again where the datastore did not answer', async () => {
    let refusals = 0
    store.onWrite = (send, transaction) => {
      const isProfile = JSON.stringify(transaction, (_, value: unknown) => (typeof value === 'bigint' ? '' : value)).includes('/profiles/databases')
      return isProfile && ++refusals === 1 ? Promise.reject(new CalicoError('unreachable', 'away')) : send(transaction)
    }
    networks = open([5, 5, 5, 5, 5])
    await networks.create(request())
    while (!log.lines.includes('info Created the profile databases')) await sleep(5)
    expect((await getProfile(session, 'databases')).resource.spec).toMatchObject({labelsToApply: {databases: ''}, egress: [{action: 'Allow'}]})
    expect({refusals, asked}).toEqual({refusals: 2, asked: 1})
  })
  test('is asked for when a container comes earlier, once for all that come at the same time', async () => {
    await networks.create(request())
    answer = async () => {
      await sleep(20)
      return inspected()
    }
    const found = await Promise.all(Array.from({length: 10}, () => networks.find(ID)))
    expect(found.every(({profile}) => profile === 'databases')).toBe(true)
    expect(asked).toBe(1)
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({version: 1, name: 'databases', request: request()})
  })
  test('if Docker does not answer, that is told, and the next container asks anew', async () => {
    await networks.create(request())
    answer = () => Promise.reject(new CalicoError('failed', 'The Docker Engine at unix:///test.sock did not answer within 2 s'))
    await expect(networks.find(ID)).rejects.toMatchObject({
      kind: 'failed',
      message: `The name of the Docker network ${ID} is not known, and Docker did not provide it`,
      details: ['The Docker Engine at unix:///test.sock did not answer within 2 s'],
    })
    answer = () => Promise.resolve(inspected())
    expect(await networks.find(ID)).toMatchObject({name: 'databases'})
  })
})

describe('after a restart of the driver', () => {
  test('everything is known without Docker', async () => {
    await networks.create(request({labels: 'true', 'com.docker.network.driver.mtu': '1400'}, {v6: [SIX]}))
    await networks.find(ID)
    asked = 0
    expect(await open().find(ID)).toEqual({id: ID, name: 'databases', profile: 'databases', fromCalico: true, ipv6: true, labels: true, mtu: 1400})
    expect(asked).toBe(0)
  })
  test.each([
    ['half a file', '{"version":1,"requ'],
    ['a file of a later version', '{"version":2}'],
    ['a file of another network', JSON.stringify({version: 1, name: 'x', request: {...request(), NetworkID: 'f'.repeat(64)}})],
    ['no file', undefined],
  ])('%s: known again from Docker, and remembered', async (_, text) => {
    if (text !== undefined) {
      mkdirSync(folder, {recursive: true})
      writeFileSync(file(), text)
    }
    expect(await networks.find(ID)).toMatchObject({name: 'databases', profile: 'databases', fromCalico: true})
    expect(log.lines.some((line) => line.startsWith('warn') && line.includes(file()))).toBe(text !== undefined)
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toMatchObject({version: 1, name: 'databases'})
    asked = 0
    await open().find(ID)
    expect(asked).toBe(0)
  })
  test.each<[string, Partial<DockerNetwork>, boolean]>([
    ['the driver\'s own IPAM, any pool', {}, true],
    ['its IPAM with a subnet: Docker shows no gateway', {subnets: [{subnet: '192.168.0.0/16', gateway: ''}]}, true],
    ['its twin', {ipamDriver: 'calico-7-ipam', subnets: [{subnet: '192.168.0.0/16', gateway: ''}]}, true],
    ['Docker\'s', {ipamDriver: 'default', subnets: [{subnet: '172.18.0.0/16', gateway: '172.18.0.1'}]}, false],
  ])('whose IPAM it is, from Docker: %s', async (_, more, fromCalico) => {
    answer = () => Promise.resolve(inspected({options: {labels: 'true'}, ...more}))
    expect(await networks.find(ID)).toMatchObject({fromCalico, labels: true})
    expect((await pools()).includes('172.18.0.0/16')).toBe(!fromCalico)
    expect(await open().find(ID)).toMatchObject({fromCalico, labels: true})
  })
  test('a network that Docker does not know', async () => {
    answer = () => Promise.resolve(undefined)
    await expect(networks.find(ID)).rejects.toMatchObject({kind: 'not-found', message: `Network ${ID} does not exist`})
  })
  test('a disk that takes nothing does not stop containers', async () => {
    writeFileSync(join(parent, 'calicoctl'), '')
    expect(await networks.find(ID)).toMatchObject({name: 'databases'})
    expect(await networks.find(ID)).toMatchObject({name: 'databases'})
    expect(asked).toBe(1)
  })
})

describe('DeleteNetwork', () => {
  test('of Calico\'s IPAM needs no datastore', async () => {
    await networks.create(request())
    store.transact = () => Promise.reject(new CalicoError('unreachable', 'away'))
    await networks.remove(ID)
    expect(existsSync(file())).toBe(false)
    expect(networks.remembered()).toEqual([])
  })
  test('of Docker\'s IPAM takes its pool along; a second one, and one that is not remembered, find nothing to do', async () => {
    await networks.create(request({}, {v4: [OWN]}))
    rmSync(file())
    await open().remove(ID)
    expect(await pools()).toEqual(['192.168.0.0/16'])
    await networks.remove(ID)
    await networks.remove('f'.repeat(64))
  })
  test('without an answer of the datastore it is still remembered, so that Docker can ask again', async () => {
    await networks.create(request({}, {v4: [OWN]}))
    store.onWrite = () => Promise.reject(new CalicoError('unreachable', 'away'))
    await expect(networks.remove(ID)).rejects.toMatchObject({kind: 'unreachable'})
    expect(networks.remembered()).toEqual([ID])
  })
  test('a name that comes afterwards does not bring it back', async () => {
    networks = open([10])
    await networks.create(request())
    let tell = (_: DockerNetwork): void => undefined
    answer = () => new Promise((resolve) => (tell = resolve))
    await sleep(30)
    await networks.remove(ID)
    tell(inspected())
    await sleep(10)
    expect(networks.remembered()).toEqual([])
  })
})
