/** container and endpoint commands with a real Docker Engine, a real etcd and real packets. */
import {execFileSync} from 'node:child_process'
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL, checkBuild} from '../support/cli.js'
import {containersOfEngine, ENDPOINTS, IPAM, NODE, RESOURCES} from '../support/containers.js'
import {suite, whyNoEngine} from '../support/docker.js'

suite('containers', whyNoEngine(), () => {
  const on = containersOfEngine()
  const {env, run, given, container, inside, idOf, keys, endpoints, assigned, calicoInterfaces, untilNoInterfaces, expectNothingLeft} = on

  describe('the main job', () => {
    const JOB = [
      'calicoctl pool add 192.168.0.0/16',
      'calicoctl profile add web',
      'docker run -d --net=none --name workload-A busybox sleep 1d',
      'docker run -d --net=none --name workload-B busybox sleep 1d',
      'calicoctl container add workload-A 192.168.0.1',
      'calicoctl container add workload-B ipv4',
      'calicoctl container workload-A profile append web',
      'calicoctl endpoint show --detailed',
      'calicoctl container workload-A ip add 192.168.0.7',
      'calicoctl ipam info 192.168.0.1',
      'calicoctl container remove workload-A',
    ]
    test('typed into bash, word for word', async () => {
      checkBuild()
      on.names.push('workload-A', 'workload-B')
      mkdirSync(join(on.folder, 'bin'), {recursive: true})
      writeFileSync(join(on.folder, 'bin/calicoctl'), `#!/bin/sh\nexec ${process.execPath} ${CALICOCTL} "$@"\n`)
      chmodSync(join(on.folder, 'bin/calicoctl'), 0o755)
      const out: Record<string, string> = {}
      for (const line of JOB) {
        out[line] = execFileSync('bash', ['-c', line], {encoding: 'utf8', env: {...env(), PATH: `${on.folder}/bin:${process.env.PATH ?? ''}`, HOME: on.folder}})
      }
      const [idA, idB] = [await idOf('workload-A'), await idOf('workload-B')]
      expect(out['calicoctl container add workload-A 192.168.0.1']).toBe('IP 192.168.0.1 added to workload-A\n\n')
      expect(out['calicoctl container add workload-B ipv4']).toMatch(/^IP 192\.168\.\d+\.\d+ added to workload-B\n\n$/)
      expect(out['calicoctl container workload-A profile append web']).toBe('Profile(s) web appended.\n\n')
      const table = out['calicoctl endpoint show --detailed'] ?? ''
      const rows = table.split('\n').filter((line) => line.startsWith('|')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
      expect(rows[0]).toEqual(['Hostname', 'Orchestrator ID', 'Workload ID', 'Endpoint ID', 'Addresses', 'MAC', 'Profiles', 'State'])
      expect(rows.slice(1).map(([host, orchestrator, workload, , , , profiles, state]) => [host, orchestrator, workload, profiles, state])).toEqual(
        [[NODE, 'docker', idA, 'web', 'active'], [NODE, 'docker', idB, '', 'active']].sort((a, b) => ((a[2] ?? '') < (b[2] ?? '') ? -1 : 1)),
      )
      expect(out['calicoctl container workload-A ip add 192.168.0.7']).toBe('IP 192.168.0.7 added to workload-A\n')
      expect(out['calicoctl ipam info 192.168.0.1']).toContain(NODE)
      expect(out['calicoctl container remove workload-A']).toBe(`Removed Calico from ${idA}\n`)
      expect(await given('container remove workload-B')).toMatchObject({stdout: `Removed Calico from ${idB}\n`})
      await expectNothingLeft()
    }, 300_000)

    test('the endpoint as Calico wants it', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.1`)
      const id = await idOf(name)
      const [key = ''] = await keys(ENDPOINTS)
      const [endpoint] = await endpoints()
      const node = NODE.replaceAll('-', '--')
      expect(endpoint?.spec.endpoint).toMatch(/^[0-9a-f]{32}$/)
      expect(key).toBe(`${ENDPOINTS}default/${node}-docker-${id}-${endpoint?.spec.endpoint ?? ''}`)
      expect(endpoint).toMatchObject({
        kind: 'WorkloadEndpoint',
        metadata: {name: key.slice(`${ENDPOINTS}default/`.length), namespace: 'default', labels: {'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'docker'}, annotations: {'calicoctl/container': name}},
        spec: {orchestrator: 'docker', workload: id, node: NODE, ipNetworks: ['192.168.0.1/32'], interfaceName: `cali${endpoint?.spec.endpoint.slice(0, 11) ?? ''}`},
      })
      expect(endpoint?.spec.profiles).toBeUndefined()
      expect(await inside(name, 'cat', '/sys/class/net/eth1/address')).toBe(endpoint?.spec.mac)
      expect(endpoint?.spec.mac).toMatch(/^02:/)
      expect(readFileSync(`/sys/class/net/${endpoint?.spec.interfaceName ?? ''}/address`, 'utf8').trim()).toBe('ee:ee:ee:ee:ee:ee')
      expect(await keys(`${IPAM}handle/`)).toEqual([`${IPAM}handle/docker.${id}`])
      expect(await keys(`${RESOURCES}nodes/`)).toEqual([`${RESOURCES}nodes/${NODE}`])
    }, 300_000)
  })

  describe('packets', () => {
    /** What Felix does for an endpoint's interface: host route, proxy ARP, forwarding; here without policy. */
    async function actAsFelix(): Promise<void> {
      for (const {spec} of await endpoints()) {
        const {interfaceName} = spec
        execFileSync('sysctl', ['-q', `net.ipv4.conf.${interfaceName}.proxy_arp=1`, `net.ipv4.conf.${interfaceName}.forwarding=1`, `net.ipv6.conf.${interfaceName}.forwarding=1`])
        // The kernel delays proxied answers by up to 0.8 s otherwise.
        execFileSync('sysctl', ['-q', `net.ipv4.neigh.${interfaceName}.proxy_delay=0`])
        for (const network of spec.ipNetworks ?? []) execFileSync('ip', ['route', 'replace', network, 'dev', interfaceName])
      }
    }
    const RULES = [['-i', 'cali+'], ['-o', 'cali+']].map((match) => ['FORWARD', ...match, '-j', 'ACCEPT'])
    let forwarding: string
    beforeAll(() => {
      forwarding = readFileSync('/proc/sys/net/ipv6/conf/all/forwarding', 'utf8').trim()
      execFileSync('sysctl', ['-q', 'net.ipv6.conf.all.forwarding=1'])
      for (const rule of RULES) execFileSync('iptables', ['-w', '-I', ...rule])
    })
    afterAll(() => {
      for (const rule of RULES) execFileSync('iptables', ['-w', '-D', ...rule])
      execFileSync('sysctl', ['-q', `net.ipv6.conf.all.forwarding=${forwarding}`])
    })
    const ping = async (name: string, to: string): Promise<boolean> => {
      try {
        await inside(name, 'ping', '-c', '1', '-W', '2', to)
        return true
      } catch {
        return false
      }
    }

    test('two containers reach each other and the host, at every address they have, until it is taken away', async () => {
      await given('pool add 192.168.0.0/16', 'pool add fd80:24e2:f998:72d6::/64')
      const [a, b] = [await container(), await container('--net=bridge')]
      await given(`container add ${a} 192.168.0.1`, `container add ${b} ipv4 --interface=hello`, `container ${a} ip add fd80:24e2:f998:72d6::1`, `container ${b} ip add fd80:24e2:f998:72d6::2 --interface hello`, `container ${a} ip add 192.168.0.77`)
      await actAsFelix()
      const ofB = (await endpoints()).find(({spec}) => spec.ipNetworks?.every((network) => network !== '192.168.0.1/32'))?.spec.ipNetworks?.[0]?.split('/')[0] ?? ''
      expect(await ping(a, ofB)).toBe(true)
      expect(await ping(b, '192.168.0.1')).toBe(true)
      expect(await ping(b, '192.168.0.77')).toBe(true)
      expect(await ping(a, 'fd80:24e2:f998:72d6::2')).toBe(true)
      expect(await ping(b, 'fd80:24e2:f998:72d6::1')).toBe(true)
      await given(`container ${a} ip remove 192.168.0.77`)
      expect(await ping(b, '192.168.0.77')).toBe(false)
      expect(await ping(b, '192.168.0.1')).toBe(true)
      await given(`container remove ${a}`, `container remove ${b}`)
      expect(await ping(b, '192.168.0.1')).toBe(false)
      expect(await inside(a, 'ip', 'route')).toBe('')
      expect(await inside(b, 'ip', 'route')).not.toContain('169.254.1.1')
      expect(execFileSync('ip', ['route'], {encoding: 'utf8'})).not.toContain('cali')
      await expectNothingLeft()
    }, 300_000)

    test('an IPv6 address alone', async () => {
      await given('pool add fd80:24e2:f998:72d6::/64')
      const [a, b] = [await container(), await container()]
      await given(`container add ${a} fd80:24e2:f998:72d6::/64`, `container add ${b} ipv6`)
      await actAsFelix()
      const addresses = (await endpoints()).map(({spec}) => spec.ipNetworks?.[0]?.split('/')[0] ?? '')
      for (const name of [a, b]) for (const to of addresses) expect(await ping(name, to)).toBe(true)
      await given(`container remove ${a}`, `container remove ${b}`)
      await expectNothingLeft()
    }, 300_000)

    test('the default routes of a family change with the first address of it', async () => {
      await given('pool add 192.168.0.0/16', 'pool add fd80:24e2:f998:72d6::/64')
      const [a, b] = [await container('--net=bridge'), await container()]
      const before = await inside(a, 'ip', 'route')
      await given(`container add ${a} ipv6`, `container add ${b} 192.168.0.2`)
      expect(await inside(a, 'ip', 'route')).toBe(before)
      // Docker's containers have no IPv6 of their own.
      expect(await inside(b, 'ip', '-6', 'route')).not.toContain('default')
      expect(await run(`container add ${a} ipv6`)).toMatchObject({code: 5, stderr: expect.stringContaining('already been configured') as unknown})
      await given(`container ${a} ip add 192.168.0.1`, `container ${b} ip add ipv6`)
      expect(await inside(a, 'ip', 'route')).toMatch(/^default via 169\.254\.1\.1 dev eth1 *\n[^]*default via \S+ dev eth0 +metric 1/)
      expect(await inside(b, 'ip', '-6', 'route')).toMatch(/^default via fe80:\S+ dev eth1/m)
      await actAsFelix()
      expect(await ping(b, '192.168.0.1')).toBe(true)
      await given(`container remove ${a}`, `container remove ${b}`)
      await expectNothingLeft()
    }, 300_000)
  })

  describe('again and again', () => {
    test('a second add is refused; of two at once, one wins', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const both = await Promise.all([run(`container add ${name} ipv4`), run(`container add ${name} ipv4`)])
      expect(both.map(({code}) => code).sort()).toEqual([0, 5])
      expect(both.find(({code}) => code === 5)?.stderr).toContain(`${name} has already been configured with Calico Networking.`)
      expect(await assigned()).toBe(1)
      expect(await run(`container add ${name} 192.168.0.9`)).toMatchObject({code: 5, stdout: ''})
      expect(await assigned()).toBe(1)
      expect(await given(`container remove ${name}`)).toMatchObject({stdout: `Removed Calico from ${await idOf(name)}\n`})
      expect(await given(`container remove ${name}`)).toMatchObject({stdout: `Failed find Calico data for ${await idOf(name)}\n`})
      await expectNothingLeft()
    }, 300_000)

    test('a container that was restarted is connected again, with its address', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} ipv4`, `container ${name} ip add 192.168.9.9`)
      const [before] = await endpoints()
      await on.engine.docker('restart', '-t', '0', name)
      expect(await run('endpoint gc')).toMatchObject({code: 10, stdout: expect.stringContaining('is missing; container add restores it') as unknown})
      expect(await run(`container add ${name} 192.168.77.77`)).toMatchObject({code: 5})
      const first = before?.spec.ipNetworks?.[0]?.split('/')[0] ?? ''
      expect(await run(`container ${name} ip add ipv4`)).toMatchObject({code: 1, stderr: expect.stringContaining(`calicoctl container add ${name} ${first}`) as unknown})
      expect(await given(`container add ${name} ipv4`)).toMatchObject({stdout: `IP ${before?.spec.ipNetworks?.[0]?.split('/')[0] ?? ''} added to ${name}\n\n`})
      expect(await endpoints()).toEqual([before])
      expect(await inside(name, 'ip', 'address')).toContain('192.168.9.9/32')
      expect(await run('endpoint gc')).toMatchObject({code: 0})
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('a stopped container, and one that is gone, can be removed', async () => {
      await given('pool add 192.168.0.0/16')
      const [stopped, gone, stale] = [await container(), await container(), await container()]
      const [, goneId, staleId] = [await idOf(stopped), await idOf(gone), await idOf(stale)]
      for (const name of [stopped, gone, stale]) await given(`container add ${name} ipv4`)
      await on.engine.docker('stop', '-t', '0', stopped)
      expect(await run('endpoint gc')).toMatchObject({code: 10, stdout: expect.stringContaining('the container is stopped') as unknown})
      await given(`container remove ${stopped}`)
      await on.engine.docker('rm', '-f', gone, stale)
      on.names = on.names.filter((name) => name !== gone && name !== stale)
      await untilNoInterfaces()
      expect(await given(`container remove ${gone}`)).toMatchObject({stdout: `Removed Calico from ${goneId}\n`})
      expect(await run(`container remove ${gone}`)).toMatchObject({code: 4})
      expect(await run('endpoint gc -o json')).toMatchObject({code: 10, stdout: expect.stringContaining(staleId) as unknown})
      expect(await run('endpoint gc --apply --dry-run')).toMatchObject({code: 0})
      expect(await endpoints()).toHaveLength(1)
      expect(await run('endpoint gc --apply')).toMatchObject({code: 0})
      expect(await given('endpoint gc')).toMatchObject({code: 0})
      await expectNothingLeft()
    }, 300_000)

    test('by the beginning of its id, 4 characters or more, which is said back', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const id = await idOf(name)
      for (const word of [id.slice(0, 1), id.slice(0, 3)]) {
        expect(await run(`container add ${word} ipv4`)).toMatchObject({code: 4, stdout: '', stderr: expect.stringContaining('first 4 characters') as unknown})
      }
      const said = `${id.slice(0, 4)} is the container ${name} (${id.slice(0, 12)})`
      expect(await run(`container add ${id.slice(0, 4)} ipv4`)).toMatchObject({code: 0, stderr: expect.stringContaining(said) as unknown})
      expect(await run(`container ${id.slice(0, 4)} endpoint show`)).toMatchObject({code: 0, stderr: expect.stringContaining(said) as unknown})
      expect(await run(`container remove ${name}`)).toMatchObject({code: 0, stderr: expect.not.stringContaining('is the container') as unknown})
    }, 300_000)

    test('by the name that it had: not where another has it, or it is called otherwise now, or two had it', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const id = await idOf(name)
      await given(`container add ${name} ipv4`)
      await on.engine.docker('rename', name, `${name}-b`)
      on.names.push(`${name}-b`)
      expect(await run(`container remove ${name}`)).toMatchObject({code: 5, stderr: expect.stringContaining(`is now named ${name}-b;`) as unknown})
      await on.engine.docker('rm', '-f', `${name}-b`)
      on.names = []
      await on.engine.docker('run', '-d', '--name', name, '--net=none', 'busybox', 'sleep', '1d')
      expect(await run(`container remove ${name}`)).toMatchObject({code: 0, stdout: expect.stringContaining('Failed find Calico data') as unknown, stderr: expect.stringContaining(id) as unknown})
      const second = await idOf(name)
      await given(`container add ${name} ipv4`)
      await on.engine.docker('rm', '-f', name)
      await untilNoInterfaces()
      expect(await run(`container remove ${name}`)).toMatchObject({code: 5, stderr: expect.stringContaining('Give its id') as unknown})
      await given(`container ${id} profile set`, `container remove ${id}`, `container remove ${name}`)
      expect(await endpoints()).toEqual([])
      expect(await run(`container remove ${second.slice(0, 12)}`)).toMatchObject({code: 4})
      await expectNothingLeft()
    }, 300_000)

    test('ipam info says by whom an address is used, before v0.20\'s line', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.1`)
      const id = await idOf(name)
      const [endpoint] = await endpoints()
      expect(await given('ipam info 192.168.0.1')).toMatchObject({
        stdout: `{"node":"${NODE}"}\n`,
        stderr: `Endpoint: ${endpoint?.spec.endpoint ?? ''} of docker workload ${id} on ${NODE}\nContainer: ${name} (${id.slice(0, 12)})\nHandle: docker.${id}\n`,
      })
      expect(JSON.parse((await given('ipam info 192.168.0.1 -o json')).stdout)).toMatchObject({handle: `docker.${id}`, endpoint: {endpoint: endpoint?.spec.endpoint, container: name}})
      await given('ipam assign 192.168.0.9 --handle mine')
      expect((await given('ipam info 192.168.0.9')).stderr).toBe('Endpoint: none\nHandle: mine\n')
      // What the check says mends it: assigned as it was.
      await given('ipam release --handle mine')
      await on.etcd.ctl('del', '--prefix', IPAM)
      expect((await given('ipam info 192.168.0.1')).stderr).toContain('which is not assigned to it')
      const {problems} = JSON.parse((await run('ipam check -o json')).stdout) as {problems: {class: string; command: string}[]}
      expect(problems).toEqual([expect.objectContaining({class: 'unassigned-address', command: `calicoctl ipam assign 192.168.0.1 --node ${NODE} --handle docker.${id}`})])
      expect((await run('ipam check')).stderr).not.toContain('--repair')
      await given(problems[0]?.command.replace('calicoctl ', '') ?? '', 'ipam check', `container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('a dry run writes nothing and makes nothing, for anybody who may ask the Engine', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      const before = await on.etcd.ctl('get', '--prefix', '/')
      expect(await run(`container add ${name} ipv4 --dry-run`)).toMatchObject({code: 0, stdout: expect.stringContaining('WorkloadEndpoint') as unknown})
      expect(await on.etcd.ctl('get', '--prefix', '/')).toBe(before)
      expect(calicoInterfaces()).toEqual([])
      await given(`container add ${name} 192.168.0.1`)
      const after = await on.etcd.ctl('get', '--prefix', '/')
      for (const line of [`container ${name} ip add ipv4`, `container ${name} ip remove 192.168.0.1`, `container remove ${name}`, 'endpoint remove 192.168.0.1 --force']) expect(await run(`${line} --dry-run`)).toMatchObject({code: 0})
      expect(await on.etcd.ctl('get', '--prefix', '/')).toBe(after)
      expect(calicoInterfaces()).toHaveLength(1)
      await given(`container remove ${name}`)
    }, 300_000)
  })

  test('every example of the help of `container` works as it is written', async () => {
    await given('pool add 192.168.0.0/16', 'pool add 10.1.0.0/16', 'pool add fd80:24e2:f998:72d6::/64', 'profile add web', 'profile add client')
    for (const name of ['workload-A', 'workload-B', 'workload-C']) {
      on.names.push(name)
      await on.engine.docker('run', '-d', '--net=none', '--name', name, 'busybox', 'sleep', '1d')
    }
    const help = join(CALICOCTL, '../../dist/help')
    const pages = execFileSync('sh', ['-c', `ls ${help} | grep '\\.container\\.'`], {encoding: 'utf8'}).trim().split('\n')
    const examples = pages.flatMap((page) => [...readFileSync(join(help, page), 'utf8').matchAll(/^\s*\$ calicoctl (.*)$/gm)].map(([, line]) => line ?? ''))
    const order = [' add workload', 'ip add', 'profile append', 'profile', 'endpoint show', 'ip remove', 'remove workload']
    const rank = (line: string): number => order.findIndex((words) => line.includes(words))
    const sorted = [...new Set(examples)].sort((a, b) => rank(a) - rank(b))
    expect(sorted.length).toBeGreaterThan(10)
    for (const line of sorted) {
      if (line.includes('profile remove')) await given('container workload-A profile set web')
      const {code, stderr} = await run(line)
      expect({line, code, stderr}).toEqual({line, code: 0, stderr: expect.not.stringMatching(/Error|Usage:/) as unknown})
    }
  }, 300_000)

  describe('ipam check --docker', () => {
    test('an address that only a running container has is not a leak; once it has stopped, it is, and is released', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.5`, 'ipam check --docker')
      await on.etcd.ctl('del', '--prefix', ENDPOINTS)
      expect(await run('ipam check')).toMatchObject({code: 10, stdout: expect.stringContaining('leaked-address') as unknown})
      const held = await run('ipam check --docker --repair --grace 100ms')
      expect(held.stdout).not.toContain('leaked-address')
      expect(await assigned()).toBe(1)
      await on.engine.docker('kill', name)
      expect(await run('ipam check --docker --repair --grace 100ms')).toMatchObject({code: 0})
      expect(await assigned()).toBe(0)
    }, 300_000)

    test('an address that a container has given itself is told', async () => {
      await given('pool add 192.168.0.0/16')
      const name = await container()
      await given(`container add ${name} 192.168.0.5`)
      await inside(name, 'ip', 'addr', 'add', '192.168.0.6/32', 'dev', 'eth1')
      const {code, stdout} = await run('ipam check --docker')
      expect({code, stdout}).toEqual({code: 10, stdout: expect.stringMatching(/unassigned-address.*192\.168\.0\.6.*container test-/) as unknown})
    }, 300_000)
  })
})
