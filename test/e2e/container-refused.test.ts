/** What container commands refuse, which then leave nothing. */
import {execFileSync, spawn} from 'node:child_process'
import {existsSync, mkdirSync, symlinkSync} from 'node:fs'
import {createServer} from 'node:net'
import {join} from 'node:path'
import {beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild, type Result} from '../support/cli.js'
import {containersOfEngine, ENDPOINTS, IPAM} from '../support/containers.js'
import {suite, whyNoEngine} from '../support/docker.js'

suite('containers', whyNoEngine(), () => {
  const on = containersOfEngine()
  const {env, run, given, container, inside, idOf, keys, endpoints, assigned, calicoInterfaces, expectNothingLeft} = on

  describe('what is refused', () => {
    let name: string
    beforeEach(async () => {
      await given('pool add 192.168.0.0/26', 'pool add 10.9.0.0/26')
      name = await container()
    })
    const refused = async (line: string, code: number, message: string, more: Readonly<Record<string, string | undefined>> = {}): Promise<void> => {
      const result = await run(line, more)
      expect({code: result.code, stdout: result.stdout, stderr: result.stderr}).toEqual({code, stdout: '', stderr: expect.stringContaining(message) as unknown})
      expect(result.stderr).not.toContain('Usage:')
      await expectNothingLeft()
    }

    test('containers that cannot have an endpoint', async () => {
      const host = await container('--net=host')
      await refused('container add nosuch ipv4', 4, 'Container nosuch was not found.')
      await refused(`container add ${host} ipv4`, 1, 'uses the network of the host')
      await refused(`container ${name} ip add ipv4`, 4, `Container ${name} is unknown to Calico.`)
      await refused(`container ${name} ip remove 192.168.0.1`, 4, `Container ${name} is unknown to Calico.`)
      await refused(`container ${name} profile set`, 4, `Container ${name} is unknown to Calico.`)
      await refused('container remove nosuch', 4, 'Container nosuch was not found.')
      await on.engine.docker('stop', '-t', '0', name)
      await refused(`container add ${name} ipv4`, 1, `${name} is not currently running.`)
      await on.engine.docker('start', name)
    }, 300_000)

    test('addresses that cannot be had', async () => {
      await refused(`container add ${name} 172.16.0.1`, 1, 'is not in an enabled pool')
      await refused(`container add ${name} 172.16.0.0/24`, 1, 'does not exist, or is disabled')
      await refused(`container add ${name} ipv6`, 8, 'There is no enabled IPv6 pool')
      await refused(`container add ${name} nonsense`, 1, 'is neither an IP address nor a CIDR')
      await refused(`container add ${name} 192.168.0.1 --interface=abcdefghijklmnop`, 1, 'longer than 15 characters')
      await given('ipam assign 192.168.0.0/26 --count 64 --handle filler')
      const before = await on.etcd.ctl('get', '--prefix', IPAM)
      expect(await run(`container add ${name} 192.168.0.0/26`)).toMatchObject({code: 8, stdout: ''})
      expect(await run(`container add ${name} 192.168.0.5`)).toMatchObject({code: 5, stderr: expect.stringContaining('192.168.0.5 is already assigned') as unknown})
      expect(await on.etcd.ctl('get', '--prefix', IPAM)).toBe(before)
      expect(await keys(ENDPOINTS)).toEqual([])
      await given('ipam release --handle filler')
    }, 300_000)

    test('interface names that are taken: nothing is leaked', async () => {
      const other = await container('--net=bridge')
      await refused(`container add ${other} ipv4 --interface=eth0`, 5, 'The interface name is already used in the container: eth0')
      expect(await inside(other, 'ip', 'route')).not.toContain('metric')
      await given(`container add ${other} ipv4`)
      const [endpoint] = await endpoints()
      const hostName = endpoint?.spec.interfaceName ?? ''
      await given(`container remove ${other}`)
      execFileSync('ip', ['link', 'add', hostName, 'type', 'bridge'])
      try {
        const {code, stderr} = await run(`container add ${other} ipv4`)
        expect({code, stderr}).toEqual({code: 5, stderr: expect.stringContaining(`The interface name is already used on this host: ${hostName}`) as unknown})
        expect(stderr).not.toContain('ip link del')
      } finally {
        execFileSync('ip', ['link', 'delete', hostName])
      }
      // One that may have been its own: another end, elsewhere.
      execFileSync('ip', ['link', 'add', hostName, 'type', 'veth', 'peer', 'name', 'leftpeer'])
      try {
        expect(await run(`container add ${other} ipv4`)).toMatchObject({code: 5, stderr: expect.stringContaining(`ip link del ${hostName}`) as unknown})
      } finally {
        execFileSync('ip', ['link', 'delete', hostName])
      }
      await expectNothingLeft()
      await given(`container add ${other} ipv4`)
      expect(await run(`container ${other} ip add ipv4 --interface=nosuch`)).toMatchObject({code: 1, stderr: expect.stringContaining('has no interface nosuch') as unknown})
      expect(await assigned()).toBe(1)
      await given(`container remove ${other}`)
    }, 300_000)

    test('addresses of ip add and ip remove', async () => {
      await given(`container add ${name} 192.168.0.1`)
      expect(await run(`container ${name} ip add 192.168.0.1`)).toMatchObject({code: 5})
      expect(await run(`container ${name} ip remove 192.168.0.2`)).toMatchObject({code: 4})
      await given(`container ${name} ip remove 192.168.0.1`)
      expect(await run(`container ${name} ip remove 192.168.0.1`)).toMatchObject({code: 4})
      expect((await endpoints())[0]?.spec.ipNetworks).toBeUndefined()
      await given(`container ${name} ip add 192.168.0.1`, `container remove ${name}`)
    }, 300_000)

    test('not root, no capability, no `ip`', async () => {
      checkBuild()
      const asOther = (how: string, line = `container add ${name} ipv4`): Promise<Result> =>
        new Promise((resolve) => {
          const child = spawn('setpriv', [...how.split(' '), process.execPath, CALICOCTL, ...line.split(' ')], {env: {PATH: process.env.PATH, HOME: '/nonexistent', ...env()}, cwd: '/'})
          let stderr = ''
          child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
          child.on('close', (code, signal) => resolve({code, signal, stdout: '', stderr}))
        })
      expect(await asOther('--reuid=65534 --clear-groups')).toMatchObject({code: 2, stderr: expect.stringContaining('must be run as root') as unknown})
      expect(await asOther('--bounding-set=-net_admin')).toMatchObject({code: 2, stderr: expect.stringContaining('needs CAP_NET_ADMIN') as unknown})
      // Neither are needed only to look, but the Engine's permission is.
      expect(await asOther('--reuid=65534 --clear-groups', `container ${name} endpoint show`)).toMatchObject({code: 1, stderr: expect.stringContaining('Permission denied for the Docker Engine') as unknown})
      const poor = join(on.folder, 'poor')
      mkdirSync(poor, {recursive: true})
      for (const program of ['nsenter', 'sh']) if (!existsSync(join(poor, program))) symlinkSync(execFileSync('sh', ['-c', `command -v ${program}`], {encoding: 'utf8'}).trim(), join(poor, program))
      await refused(`container add ${name} ipv4`, 1, "The program 'ip' is not on this host", {PATH: poor})
    }, 300_000)

    test('no Engine', async () => {
      const away = {DOCKER_HOST: `unix://${on.folder}/nosuch.sock`}
      for (const line of [`container add ${name} ipv4`, `container remove ${name}`]) await refused(line, 1, 'is the docker daemon running?', away)
      await given(`container add ${name} ipv4`)
      expect(await run('endpoint gc --apply', away)).toMatchObject({code: 1})
      expect(await endpoints()).toHaveLength(1)
      // By its full id, a container can be removed without the Engine.
      expect(await run(`container remove ${await idOf(name)}`, away)).toMatchObject({code: 0})
      await expectNothingLeft()
    }, 300_000)

    test('a process that is not the container\'s', async () => {
      // As an Engine of another pid namespace would tell of it: the number is that of a process here, but not of this container.
      const server = createServer((socket) => {
        socket.on('error', () => undefined)
        socket.once('data', () => {
          const body = JSON.stringify({Id: 'ab'.repeat(32), Name: '/web', State: {Running: true, Pid: process.ppid, StartedAt: '2020-01-01T00:00:00Z'}, HostConfig: {NetworkMode: 'none'}})
          socket.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
        })
      })
      await new Promise<void>((resolve) => server.listen(join(on.folder, 'other.sock'), resolve))
      await refused('container add web ipv4', 1, 'does not run on this host', {DOCKER_HOST: `unix://${on.folder}/other.sock`})
      await new Promise((resolve) => server.close(resolve))
    })

    test('no etcd', async () => {
      const result = await run(`container add ${name} ipv4 --timeout 1s`, {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})
      expect(result).toMatchObject({code: 6, stdout: ''})
      expect(calicoInterfaces()).toEqual([])
    })
  })
})
