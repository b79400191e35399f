/** Several commands of `ip` in one process, in a real namespace. */
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {CommandError} from '../../../src/lib/host/command.js'
import {BatchError, ip, ipBatch, ipObjects} from '../../../src/lib/host/ip.js'
import {type NetworkNamespace, openNamespaceOfProcess} from '../../../src/lib/host/network-namespace.js'
import {suite} from '../../support/docker.js'
import {startNamespace, type TestNamespace, whyNoNamespaces} from '../../support/namespaces.js'

suite('several commands of ip', whyNoNamespaces(), () => {
  let peer: TestNamespace
  let namespace: NetworkNamespace
  beforeAll(async () => {
    peer = await startNamespace()
    namespace = openNamespaceOfProcess(peer.pid)
  })
  afterAll(async () => {
    namespace.close()
    await peer.stop()
  })

  const add = (name: string): string[] => ['link', 'add', name, 'type', 'bridge']
  const links = (): string => peer.run('ip', '-o', 'link')
  const failureOf = async (work: Promise<unknown>): Promise<CommandError> => {
    const error = await work.then(() => undefined, (problem: unknown) => problem)
    if (error instanceof CommandError) return error
    throw new Error(`no CommandError: ${String(error)}`)
  }

  test('all are done, in their order', async () => {
    await ipBatch(namespace, [add('all1'), ['link', 'set', 'dev', 'all1', 'up'], ['address', 'replace', '2001:db8::1/128', 'dev', 'all1', 'nodad'], ['address', 'replace', '192.0.2.1/32', 'dev', 'all1']])
    expect(peer.run('ip', 'address', 'show', 'dev', 'all1')).toMatch(/192\.0\.2\.1\/32[^]*2001:db8::1\/128/)
  })

  test.each([
    ['the kernel refuses it', ['route', 'replace', 'default', 'via', '203.0.113.1', 'dev', 'lo']],
    ['it exists', add('lo')],
    ['there is no such interface', ['link', 'set', 'dev', 'nosuch', 'up']],
    ['there is no such interface for the address', ['address', 'replace', '192.0.2.9/32', 'dev', 'nosuch']],
  ])('one fails: %s; the error is that of the command alone, and what comes after it is not done', async (_, failing) => {
    const alone = await failureOf(ip(namespace, failing))
    for (const place of [0, 1, 2]) {
      const others = ['x1', 'x2', 'x3'].map(add)
      const error = await failureOf(ipBatch(namespace, [...others.slice(0, place), failing, ...others.slice(place)]))
      expect({message: error.message.replace(/exit code \d+/, ''), details: error.details}).toEqual({message: alone.message.replace(/exit code \d+/, ''), details: alone.details})
      expect(error).toMatchObject({done: place, line: `nsenter --net=/proc/self/fd/3 ip ${failing.join(' ')}`})
      expect(links().match(/x\d/g)?.length ?? 0).toBe(place)
      for (let i = 1; i <= place; i++) peer.run('ip', 'link', 'delete', `x${i}`)
    }
  })

  test('one that `ip` does not understand: which one it is is not known, and all are told', async () => {
    const error = await failureOf(ipBatch(namespace, [add('odd1'), ['address', 'replace', '192.0.2.300/32', 'dev', 'odd1']]))
    expect(error).toBeInstanceOf(BatchError)
    expect(error).toMatchObject({done: undefined, message: expect.stringContaining('ip -batch -: link add odd1 type bridge; address replace 192.0.2.300/32 dev odd1') as unknown, details: [expect.stringContaining('192.0.2.300')]})
  })

  test('a word that a batch would read otherwise is said as an argument', async () => {
    await ipBatch(namespace, [add('a#b'), add('c"d'), ['link', 'set', 'dev', 'a#b', 'up']])
    expect(links()).toMatch(/a#b: <[A-Z,-]*UP[^]*c"d/)
    const error = await failureOf(ipBatch(namespace, [add('plain'), ['link', 'set', 'dev', 'lo\nlink delete plain', 'up']]))
    expect(error).toMatchObject({done: 1})
    expect(links()).toContain('plain')
  })

  test('on the host itself, the error names no namespace', async () => {
    expect(await failureOf(ipBatch(undefined, [['link', 'show', 'dev', 'lo'], ['link', 'show', 'dev', 'nosuch']]))).toMatchObject({line: 'ip link show dev nosuch', done: 1})
  })

  test('without the program', async () => {
    const {PATH} = process.env
    try {
      process.env.PATH = '/nosuch'
      await expect(ipBatch(undefined, [add('a'), add('b')])).rejects.toMatchObject({message: "The program 'ip' is not on this host", hint: expect.stringContaining('iproute2') as unknown})
    } finally {
      process.env.PATH = PATH
    }
  })
})

test.each<[string, object[]]>([['', []], ['\n', []], ['[]', []], ['[{},{"ifname":"a"},null,7]', [{ifname: 'a'}]]])('what ip -j says: %j', (text, objects) => expect(ipObjects(text, ['link'])).toEqual(objects))
test.each(['Object "x" is unknown', 'null', '{}', '7'])('what is none of its answers: %s', (text) => expect(() => ipObjects(text, ['link', 'show'])).toThrow("'ip -j link show' did not answer in JSON"))

test.each<[string, string]>([
  ['addr_info', '{"ifname":"a","addr_info":null}'], ['addr_info', '{"ifname":"a","addr_info":{}}'], ['addr_info', '{"ifname":"a","addr_info":[null]}'], ['addr_info', '{"ifname":"a","addr_info":[{"local":7}]}'],
  ['addr_info', '{"ifname":"a","addr_info":[{"local":"10.0.0.1","prefixlen":"8"}]}'], ['addr_info', '{"ifname":"a","addr_info":[{"prefixlen":33}]}'], ['addr_info', '{"ifname":"a","addr_info":[{"local":"::1","prefixlen":129}]}'], ['addr_info', '{"addr_info":[[]]}'],
  ['ifname', '{"ifname":7}'], ['ifname', '{"ifindex":1}'], ['flags', '{"ifname":"a","flags":"UP"}'], ['flags', '{"ifname":"a","flags":[1]}'], ['mtu', '{"ifname":"a","mtu":"1500"}'], ['gateway', '{"dst":"default","gateway":null}'],
])('a wrong %s is refused: %s', (member, object) => {
  expect(() => ipObjects(`[{"ifname":"lo"},${object}]`, ['address'])).toThrow(expect.objectContaining({kind: 'failed', message: `'ip -j address' gave an object whose '${member}' cannot be read`}))
})

test('what ip really says is taken: a link that is null, members that nothing reads, addresses without one', () => {
  const objects: object[] = [{ifindex: 4, link: null, ifname: 'tunl0', flags: ['NOARP'], mtu: 1480, operstate: 'DOWN', broadcast: 7, addr_info: [{}, {family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link', tentative: true}]}, {dst: 'default', dev: 'eth0', metric: 100, flags: []}, {constructor: 1}]
  expect(ipObjects(JSON.stringify(objects), [])).toEqual(objects)
})
