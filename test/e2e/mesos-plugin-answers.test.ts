/** The Mesos plugin answers, whatever it gets and whatever happens. */
import {execFileSync} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {allAssigned} from '../support/ipam.js'
import {failure, mesosPlugin, parsed, SUCCESS} from '../support/mesos-plugin.js'
import {CALICO_MESOS, plugin, type PluginOptions, startPlugin} from '../support/net-modules.js'
import {startProxy} from '../support/proxy.js'
import {startSilentServer} from '../support/silent-server.js'

const world = mesosPlugin()
const {options, pool, call, allocation, expectNothingLeft} = world

describe('an answer, always', () => {
  const lonely = {ETCD_ENDPOINTS: 'http://127.0.0.1:1'}

  test.each([
    ['', 'Unexpected end of JSON input'],
    ['{"args":{}}', 'Missing command'],
    ['{"command":"isolate"}', 'Missing args'],
    ['{"command":"pause","args":{}}', 'Unknown command: pause'],
    ['{"command":"release","args":{"uid":"u","ips":["10.0.0.1"]}}', 'Supply either uid or ips, not both.'],
  ])('%j: %s, whether or not there is an etcd', async (input, error) => {
    expect(await plugin(input, options(lonely))).toMatchObject(failure(error))
  })

  test('neither the answer nor the log has anything in it that is not printable', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'calicoctl-log-')), 'log')
    const {stdout} = await plugin(JSON.stringify({command: 'pa\u202e\u009b31m\u001b\nu\u2028se', args: {}}), options({...lonely, CALICO_MESOS_LOG_FILE: file}))
    const log = readFileSync(file, 'utf8')
    rmSync(dirname(file), {recursive: true})
    expect(log.split('\n')).toHaveLength(5)
    expect(log.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u)
    expect(stdout).toMatch(/^[\x20-\x7e]+$/)
    expect((JSON.parse(stdout) as {error: string}).error).toBe('Unknown command: pa\\u202e\\x9b31m\\x1b u\\u2028se')
  })

  test('a request that is too long', async () => {
    expect(await plugin(' '.repeat(1_100_000), options(lonely))).toMatchObject(failure('The request is longer than 1048576 bytes.'))
  })

  test('bytes that are no text: two names must not become one', async () => {
    const input = Buffer.from('{"command":"cleanup","args":{"container_id":"c\xff","hostname":"h"}}', 'latin1')
    expect(await plugin(input, options(lonely))).toMatchObject(failure('The request is not UTF-8 text.'))
  })

  test('files of its settings that are pipes or folders do not hold it up', async () => {
    const pipe = join(world.folder, 'certificate')
    execFileSync('mkfifo', [pipe])
    const call = (file: string) => plugin('{"command":"release","args":{"uid":"u"}}', options({ETCD_ENDPOINTS: undefined, ETCD_AUTHORITY: 'h:2379', ETCD_SCHEME: 'https', ETCD_CA_CERT_FILE: file}))
    expect(await call(pipe)).toMatchObject(failure(`ETCD_CA_CERT_FILE: the CA certificate ${pipe} cannot be read: it is not a regular file`))
    expect(await call(world.folder)).toMatchObject(failure(`ETCD_CA_CERT_FILE: the CA certificate ${world.folder} cannot be read: it is a folder`))
    expect(await call(join(world.folder, 'gone'))).toMatchObject(failure(`ETCD_CA_CERT_FILE: the CA certificate ${join(world.folder, 'gone')} cannot be read: there is no such file`))
  })

  test('what it repeats of a request fits into what net-modules reads', async () => {
    for (const input of [{command: 'x'.repeat(500_000), args: {}}, {command: 'isolate', args: {container_id: 'c', hostname: 'h', pid: 1, ipv4_addrs: ['\n'.repeat(500_000)]}}]) {
      const {code, stdout} = await plugin(input, options(lonely))
      expect([code, stdout.length < 40_960, typeof (JSON.parse(stdout) as {error: unknown}).error]).toEqual([1, true, 'string'])
    }
    const deep = await plugin(`{"command":"allocate","args":{"uid":${'['.repeat(300_000)}${']'.repeat(300_000)}}}`, options(lonely))
    expect([deep.code, deep.stderr, typeof parsed(deep).error]).toEqual([1, '', 'string'])
  })

  test('SIGTERM before the request is complete', async () => {
    const {process: child, result} = startPlugin(undefined, options())
    // More than the socket holds: once all of it is written, the plugin has begun to read.
    await new Promise((settle) => child.stdin?.write(`{"command":${' '.repeat(700_000)}`, settle))
    child.kill('SIGTERM')
    expect(await result).toMatchObject(failure('calico_mesos was ended by SIGTERM before the request was complete; nothing was changed'))
  })

  test('SIGTERM while etcd does not answer', async () => {
    const silent = await startSilentServer()
    try {
      const connected = silent.connected()
      const {process: child, result} = startPlugin(JSON.stringify({command: 'allocate', args: {hostname: 'h', num_ipv4: 1, num_ipv6: 0, uid: 'u'}}), options({ETCD_ENDPOINTS: silent.endpoint}))
      await connected
      child.kill('SIGTERM')
      expect(await result).toMatchObject(failure('calico_mesos was ended by SIGTERM; what it was doing may or may not be done'))
    } finally {
      await silent.stop()
    }
  })

  test('SIGTERM while it works: it finishes', async () => {
    await pool()
    const proxy = await startProxy(world.etcd.endpoints[0] ?? '')
    try {
      const {process: child, result} = startPlugin(JSON.stringify({command: 'reserve', args: {hostname: 'h', ipv4_addrs: ['192.168.5.5'], uid: 'u'}}), options({ETCD_ENDPOINTS: proxy.endpoint}))
      proxy.before('requestedAt', () => child.kill('SIGTERM'))
      expect(await result).toMatchObject(SUCCESS)
      expect(await allAssigned(world.store)).toEqual(['192.168.5.5'])
    } finally {
      await proxy.stop()
    }
  })

  test('nobody reads stdout: addresses that nobody heard of are given back', async () => {
    await pool()
    const {process: child, result} = startPlugin(undefined, options())
    child.stdout?.destroy()
    child.stdin?.end(JSON.stringify({command: 'allocate', args: {hostname: 'h', num_ipv4: 2, num_ipv6: 0, uid: 'u', labels: [{key: 'ipv4_addrs', value: "['192.168.7.7']"}]}}))
    expect(await result).toMatchObject({code: 1, stderr: ''})
    await expectNothingLeft()
    const reserving = startPlugin(undefined, options())
    reserving.process.stdout?.destroy()
    reserving.process.stdin?.end(JSON.stringify({command: 'reserve', args: {hostname: 'h', ipv4_addrs: ['192.168.7.7'], uid: 'u'}}))
    expect(await reserving.result).toMatchObject({code: 1, stderr: ''})
    await expectNothingLeft()
  })

  test('the package without a build, a build that is damaged, a copy of the executable alone', async () => {
    const broken = mkdtempSync(join(world.folder, 'package-'))
    cpSync(dirname(CALICO_MESOS), join(broken, 'bin'), {recursive: true})
    const copy: PluginOptions = {...options(), command: join(broken, 'bin/calico_mesos')}
    expect(await plugin('{}', copy)).toMatchObject(failure(`calico_mesos has not been built or installed at ${join(broken, 'dist')}. Link to it instead of copying it.`))
    mkdirSync(join(broken, 'dist'))
    writeFileSync(join(broken, 'dist/chunks.json'), '{"mesos":"mesos.js"}')
    expect(parsed(await plugin('{}', copy)).error).toMatch(/^Unhandled error ENOENT: [^\n]*mesos\.js'$/)
    writeFileSync(join(broken, 'dist/mesos.js'), '(function (exports) { exports.answerMesos = () => { throw new Error("first\\n  second") } })')
    expect(await plugin('{}', copy)).toMatchObject(failure('Unhandled error first second'))
    writeFileSync(join(broken, 'dist/mesos.js'), '(function (exports) { exports.answerMesos = () => new Promise(() => undefined); process.nextTick(() => { throw new Error("thrown") }) })')
    expect(await plugin('{}', copy)).toMatchObject(failure('Unhandled error thrown'))
    rmSync(join(broken, 'bin/mesos-plugin.js'))
    expect(await plugin('{}', copy)).toMatchObject(failure(`calico_mesos is not installed whole: there is no ${join(broken, 'bin/mesos-plugin.js')}. Link to it instead of copying it.`))
  })

  test('started through a link, as the guides put it at /calico/calico_mesos', async () => {
    const link = join(world.folder, 'calico_mesos')
    symlinkSync(CALICO_MESOS, link)
    expect(await plugin('{"args":{}}', {...options(), command: link})).toMatchObject(failure('Missing command'))
  })

  test('settings that are wrong are told after the request was judged', async () => {
    expect(await plugin('{"args":{}}', options({ETCD_ENDPOINTS: 'nonsense'}))).toMatchObject(failure('Missing command'))
    expect(await call('reserve', {hostname: 'h', ipv4_addrs: ['10.0.0.1'], uid: 'u'}, {ETCD_ENDPOINTS: undefined, ETCD_AUTHORITY: '10.0.0.1:99999'})).toMatchObject(
      failure("ETCD_AUTHORITY: '99999' in '10.0.0.1:99999' is not a port between 1 and 65535"),
    )
    expect(parsed(await allocation('u', {}, {CALICO_MESOS_NETGROUP_PREFIX: 'a/b'})).error).toContain('CALICO_MESOS_NETGROUP_PREFIX')
    expect(parsed(await allocation('u', {}, {CALICO_MESOS_IDEMPOTENT_CLEANUP: 'maybe'})).error).toBe("CALICO_MESOS_IDEMPOTENT_CLEANUP: 'maybe' is neither true nor false")
  })
})
