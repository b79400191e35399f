/** container commands on network namespaces, by path and by container. */
import {execFileSync} from 'node:child_process'
import {rmSync, symlinkSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {containersOfEngine, ENDPOINTS, NODE} from '../support/containers.js'
import {suite, whyNoEngine} from '../support/docker.js'
import {startNamespace} from '../support/namespaces.js'

suite('containers', whyNoEngine(), () => {
  const on = containersOfEngine()
  const {run, given, container, inside, keys, endpoints, assigned, calicoInterfaces, untilNoInterfaces, expectNothingLeft} = on

  describe('network namespaces', () => {
    test('have an endpoint of their own orchestrator, by whatever path, and lose all of it', async () => {
      await given('pool add 192.168.0.0/16', 'profile add web')
      const namespace = await startNamespace()
      const named = `test-${process.pid}`
      execFileSync('ip', ['netns', 'add', named])
      try {
        for (const path of [namespace.path, `/var/run/netns/${named}`]) {
          expect(await given(`container add ${path} ipv4`)).toMatchObject({stdout: expect.stringMatching(new RegExp(`^IP 192\\.168\\.[0-9.]+ added to\\s${path}\\n\\n$`)) as unknown})
          expect(await run(`container add ${path} ipv4`)).toMatchObject({code: 5})
          await given(`container ${path} profile append web`, `container ${path} ip add 192.168.5.5`)
          expect((await given(`container ${path} endpoint show`)).stdout).toContain(path.replaceAll('/', '-'))
          expect((await endpoints())[0]).toMatchObject({spec: {orchestrator: 'namespace', profiles: ['web'], node: NODE}, metadata: {annotations: {'calicoctl/workload': path.replaceAll('/', '-'), 'calicoctl/namespace': path}}})
          await given(`container ${path} ip remove 192.168.5.5`)
          expect(await given(`container remove ${path}`)).toMatchObject({stdout: `Removed Calico from ${path}\n`})
          await expectNothingLeft()
        }
        // By its id, which begins with a dash: behind --.
        const id = namespace.path.replaceAll('/', '-')
        await given(`container add ${namespace.path} ipv4`)
        expect(await run(`container ${id} endpoint show`)).toMatchObject({code: 1, stderr: expect.stringContaining('Usage:') as unknown})
        await given(`container -- ${id} profile append web`)
        expect((await given(`container -- ${id} endpoint show`)).stdout).toContain(id)
        expect((await endpoints())[0]).toMatchObject({spec: {profiles: ['web']}})
        expect(await run(`container add -- ${id} ipv4`)).toMatchObject({code: 4, stderr: expect.stringContaining('/proc/PID/ns/net') as unknown})
        await given(`container remove -- ${id}`)
        await expectNothingLeft()
        expect(await run('container add /etc/hostname ipv4')).toMatchObject({code: 1, stderr: expect.stringContaining('is not a network namespace') as unknown})
        expect(await run('container add /proc/self/ns/uts ipv4')).toMatchObject({code: 1})
        expect(await run(`container add /proc/${process.pid}/ns/net ipv4`)).toMatchObject({code: 1, stderr: expect.stringContaining("the host's own") as unknown})
        expect(await run('container add /no/such/path ipv4')).toMatchObject({code: 4, stderr: expect.not.stringContaining('docker ps') as unknown})
        await given(`container add ${namespace.path} ipv4`)
      } finally {
        execFileSync('ip', ['netns', 'delete', named])
        await namespace.stop()
      }
      await untilNoInterfaces()
      expect(await run('endpoint gc')).toMatchObject({code: 10, stdout: expect.stringContaining('there is no network namespace') as unknown})
      expect(await run(`container remove ${namespace.path}`)).toMatchObject({code: 0})
      await expectNothingLeft()
    }, 300_000)

    test('connected under another name of the node: that is reported, and what to do; nothing is changed', async () => {
      const OTHER = {CALICO_NODENAME: 'othernode'}
      await given('pool add 192.168.0.0/16', 'profile add web')
      const namespace = await startNamespace()
      const name = await container()
      try {
        for (const word of [namespace.path, name]) {
          await given(`container add ${word} 192.168.0.1`)
          const [endpoint] = await endpoints()
          const before = await on.etcd.ctl('get', '--prefix', '/')
          const holder = `${endpoint?.spec.interfaceName ?? ''}, addresses 192.168.0.1) on node ${NODE}.`
          const says = (code: number, message: string, hint = `--node ${NODE}`) => {
            const stderr: unknown = expect.stringMatching(new RegExp(`^Error: [^]*${message}[^]*${holder.replace(/[.()]/g, '\\$&')}[^]*${hint}`))
            return {code, stdout: '', stderr}
          }
          for (const line of [`container add ${word} ipv4`, `container add ${word} ipv4 --dry-run`, `container add ${word} 192.168.0.1 --may-exist`]) {
            const result = await run(line, OTHER)
            expect({line, ...result}).toMatchObject({line, ...says(5, `already connected to Calico, as a workload of node ${NODE}, not of node othernode`)})
            expect(result.stderr).not.toContain('link del')
          }
          for (const line of [`container remove ${word}`, `container remove ${word} --dry-run`]) expect({line, ...(await run(line, OTHER))}).toMatchObject({line, ...says(8, `no endpoint on node othernode, but one on node ${NODE}; nothing was removed`)})
          for (const line of ['profile append web', 'profile show', 'ip add ipv4', 'ip remove 192.168.0.1']) expect({line, ...(await run(`container ${word} ${line}`, OTHER))}).toMatchObject({line, ...says(4, `Container ${word} is unknown to Calico.`)})
          expect(await run(`container ${word} endpoint show -o name`, OTHER)).toMatchObject({code: 0, stdout: '', stderr: expect.stringMatching(new RegExp(`^Warning: nothing was found on node othernode.*--node ${NODE}`)) as unknown})
          // What is connected is not taken for a leftover of another host, either.
          const command = `calicoctl container remove ${word === name ? endpoint?.spec.workload.slice(0, 12) ?? '' : word}`
          expect(await run('endpoint remove 192.168.0.1', OTHER)).toMatchObject({code: 8, stderr: expect.stringContaining(`${command} --node ${NODE}. With --force`) as unknown})
          expect(await run('endpoint remove 192.168.0.1')).toMatchObject({code: 8, stderr: expect.stringContaining(`${command}. With --force`) as unknown})
          expect(await run('ipam release 192.168.0.1')).toMatchObject({code: 8, stderr: expect.stringContaining(`on ${NODE}: ${command}. If`) as unknown})
          expect(await on.etcd.ctl('get', '--prefix', '/')).toBe(before)
          expect(on.calicoInterfaces()).toEqual([endpoint?.spec.interfaceName])
          // What is suggested works.
          expect(await run(`${command.replace('calicoctl ', '')} --node ${NODE}`, OTHER)).toMatchObject({code: 0, stdout: expect.stringMatching(/^Removed Calico from /) as unknown})
          expect(await run(`container remove ${word}`, OTHER)).toMatchObject({code: 0, stdout: expect.stringMatching(/^Failed find Calico data for /) as unknown})
          await expectNothingLeft()
        }
        // Without an endpoint anywhere, the interface is left over.
        await given(`container add ${namespace.path} 192.168.0.1`, 'endpoint remove 192.168.0.1 --force')
        expect(await run(`container add ${namespace.path} ipv4`, OTHER)).toMatchObject({code: 5, stderr: expect.stringMatching(/ip link del cali/) as unknown})
      } finally {
        await namespace.stop()
      }
      await untilNoInterfaces()
    }, 300_000)

    test('of the same path on two hosts do not share an address', async () => {
      await given('pool add 192.168.0.0/16')
      const namespace = await startNamespace()
      try {
        await given(`container add ${namespace.path} ipv4`)
        // One namespace has one endpoint: the other host's is another one, of which only the path is the same.
        execFileSync('ip', ['link', 'delete', calicoInterfaces()[0] ?? ''])
        await given(`container add ${namespace.path} ipv4 --node other`)
        expect(await assigned()).toBe(2)
        await given(`container remove ${namespace.path}`)
        expect(await assigned()).toBe(1)
        await given(`container remove ${namespace.path} --node other`)
        await expectNothingLeft()
      } finally {
        await namespace.stop()
      }
    }, 300_000)

    test('--may-exist and --if-exists: what is so already is not a failure, and the address is printed', async () => {
      await given('pool add 192.168.0.0/16')
      const namespace = await startNamespace()
      const word = namespace.path
      try {
        await given(`container add ${word} 192.168.0.1`)
        for (const wanted of ['192.168.0.1', 'ipv4', '192.168.0.0/16']) {
          for (const how of ['', ' --dry-run']) expect(await run(`container add ${word} ${wanted} --may-exist${how}`)).toMatchObject({code: 0, stdout: how === '' ? '192.168.0.1\n' : ''})
        }
        expect(await run(`container add ${word} ipv4 --may-exist --error-unchanged`)).toMatchObject({code: 3})
        expect(await run(`container add ${word} 192.168.0.2 --may-exist`)).toMatchObject({code: 5})
        await given(`container ${word} ip add 192.168.0.2`)
        expect(await run(`container ${word} ip add 192.168.0.2`)).toMatchObject({code: 5})
        expect(await run(`container ${word} ip add 192.168.0.2 --may-exist`)).toMatchObject({code: 0, stdout: '192.168.0.2\n'})
        await given(`container ${word} ip remove 192.168.0.2`)
        expect(await run(`container ${word} ip remove 192.168.0.2`)).toMatchObject({code: 4})
        expect(await run(`container ${word} ip remove 192.168.0.2 --if-exists`)).toMatchObject({code: 0})
        expect(await assigned()).toBe(1)
        expect(await run(`container remove ${word} --error-unchanged`)).toMatchObject({code: 0})
        expect(await run(`container remove ${word} --error-unchanged`)).toMatchObject({code: 3})
        expect(await run('container remove nosuch --if-exists')).toMatchObject({code: 0})
        await expectNothingLeft()
      } finally {
        await namespace.stop()
      }
    }, 300_000)

    test('is one, by whatever path or name it is reached: it gets one endpoint, and that is found', async () => {
      await given('pool add 192.168.0.0/16', 'profile add web')
      const name = await container('--net=bridge')
      const sharing = await container(`--net=container:${name}`)
      const path = `/proc/${await on.engine.docker('inspect', '-f', '{{.State.Pid}}', name)}/ns/net`
      const link = join(on.folder, `namespace-${process.pid}`)
      symlinkSync(path, link)
      const names = [name, path, link, sharing]
      try {
        for (const [first = '', remover = ''] of [[name, path], [link, sharing]]) {
          await given(`container add ${first} 192.168.0.1`)
          const [endpoint] = await endpoints()
          const routes = await inside(name, 'ip', 'route')
          for (const other of names) {
            const second = await run(`container add ${other} ipv4 --interface=eth5`)
            expect({first, other, second}).toMatchObject({second: {code: 5, stdout: '', stderr: expect.stringContaining('already been configured') as unknown}})
            if (other !== first) expect(second.stderr).toContain(endpoint?.spec.endpoint)
          }
          expect(await run(`container add ${names.find((each) => each !== first) ?? ''} ipv4 --dry-run`)).toMatchObject({code: 5})
          expect(await inside(name, 'ip', 'route')).toBe(routes)
          expect((await given(`container ${remover} endpoint show -o name`)).stdout).toBe(`${endpoint?.spec.endpoint ?? ''}\n`)
          await given(`container ${remover} profile set web`, `container ${remover} ip add 192.168.0.7`)
          expect((await given(`container ${remover} profile show`)).stdout).toContain('web')
          expect((await given(`container ${remover} profile show -o json`)).stdout).toContain('EndpointProfileList')
          expect((await given(`container ${remover} endpoint show -o json`)).stdout).toContain('WorkloadEndpointList')
          expect(await inside(name, 'ip', 'address')).toContain('192.168.0.7/32')
          await given(`container ${remover} ip remove 192.168.0.7`, `container remove ${remover}`)
          expect(await inside(name, 'ip', 'route')).not.toContain('169.254.1.1')
          await expectNothingLeft()
        }
        const both = await Promise.all([name, path].map((each) => run(`container add ${each} ipv4`)))
        expect(both.map(({code}) => code).sort()).toEqual([0, 5])
        await given(`container remove ${name}`)
        await expectNothingLeft()
      } finally {
        rmSync(link)
      }
    }, 300_000)

    test('a removal that finds nothing names what may be meant; an interface without endpoint is told', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const path = `/proc/${await on.engine.docker('inspect', '-f', '{{.State.Pid}}', name)}/ns/net`
      await given(`container add ${path} ipv4`)
      await on.engine.docker('restart', '-t', '0', name)
      await untilNoInterfaces()
      expect(await run(`container remove ${name}`)).toMatchObject({code: 0, stderr: expect.stringContaining(path) as unknown})
      expect(await given(`container remove ${path}`)).toMatchObject({stderr: expect.not.stringContaining('may be meant') as unknown})
      await given(`container add ${name} ipv4`)
      await on.etcd.ctl('del', '--prefix', ENDPOINTS)
      const [left = ''] = calicoInterfaces()
      const {code, stderr} = await run(`container add ${name} ipv4`)
      expect({code, stderr}).toEqual({code: 5, stderr: expect.stringContaining(`ip link del ${left}`) as unknown})
      execFileSync('ip', ['link', 'del', left])
      await given(`container add ${name} ipv4`, `container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('endpoints that v0.20 stored as a container\'s are found too', async () => {
      await given('pool add 192.168.0.0/16')
      const namespace = await startNamespace()
      try {
        await given(`container add ${namespace.path} ipv4`)
        const [key = ''] = await keys(ENDPOINTS)
        const [endpoint] = await endpoints()
        if (!endpoint) throw new Error('no endpoint')
        const name = endpoint.metadata.name.replace('-namespace-', '-docker-')
        await on.etcd.ctl('put', key.replace('-namespace-', '-docker-'), JSON.stringify({...endpoint, metadata: {...endpoint.metadata, name, labels: {}}, spec: {...endpoint.spec, orchestrator: 'docker'}}))
        await on.etcd.ctl('del', key)
        expect((await given(`container ${namespace.path} endpoint show -o name`)).stdout).toBe(`${endpoint.spec.endpoint}\n`)
        await given(`container remove ${namespace.path}`)
        await expectNothingLeft()
      } finally {
        await namespace.stop()
      }
    }, 300_000)
  })
})
