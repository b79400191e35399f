/**
 * The pages on Docker networks, containers, faults and Mesos in docs/, typed as they stand, one after the other in one shell each, on a host of its own with a
 * real etcd, a real Docker Engine, the driver and the plugin. calico-node and systemctl are stand-ins; there is no Mesos.
 */
import {copyFileSync, existsSync, mkdirSync, rmdirSync, symlinkSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {CALICOCTL} from '../support/cli.js'
import {suite} from '../support/docker.js'
import {CALICO_MESOS} from '../support/net-modules.js'
import {example, page as pageText} from '../support/pages.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importBusybox, importStandIn} from '../support/stand-in/image.js'
import {CHECKS, keyboard, type Keyboard} from '../support/stand-in/keyboard.js'

/** What `node` starts when no image is named. */
const NODE_IMAGE = 'quay.io/calico/node:v3.32.1'
/** The address that the pages give to their host. */
const ADDRESS = '10.0.0.1'

suite('the pages on networks', whyNoHost(), () => {
  let host: TestHost
  let programs: string
  let type: Keyboard['type']
  let page: Keyboard['page']
  const madeFolder = !existsSync('/calico')

  beforeAll(async () => {
    host = await startHost()
    await host.startEngine()
    importStandIn(host.docker, NODE_IMAGE)
    importBusybox(host.docker)
    programs = join(host.folder, 'bin')
    mkdirSync(programs)
    symlinkSync(CALICOCTL, join(programs, 'calicoctl'))
    symlinkSync(CALICO_MESOS, join(programs, 'calico_mesos'));
    ({type, page} = keyboard(host, {PATH: `${programs}:${process.env.PATH ?? ''}`, HOSTNAME: 'agent1', CALICO_MESOS_LOG_FILE: '/run/isolator.log'}))
    for (const name of ['systemctl', 'journalctl']) copyFileSync(resolve(import.meta.dirname, '../support/stand-in/systemctl'), join(programs, name))
    mkdirSync('/calico', {recursive: true})
    host.run('sh', '-c', `
      set -e
      mount -t tmpfs tmpfs /calico
      mkdir -p /run/etc/upper /run/etc/work /run/systemd/system
      mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
      ip addr add ${ADDRESS}/24 dev eth0`)
  })
  afterAll(async () => {
    // Docker takes a container away with the driver's help.
    host.run('sh', '-c', `export DOCKER_HOST=unix://${host.socket}; docker ps -aq | xargs -r timeout 20 docker rm -f; cat ${host.folder}/*.jobs /run/fake-systemd/pid 2>/dev/null | xargs -r kill -9; true`)
    await host.stop()
    if (madeFolder) rmdirSync('/calico')
  })

  test('Docker networks', async () => {
    await page(['docker-etcd'])
    await answers()
    const output = await page(['docker-node', 'docker-networks', 'docker-policy'])
    expect(output('calicoctl node --ip')).toContain('Calico libnetwork driver is running with id: calico-libnetwork.service')
    expect(output('calicoctl status')).toMatch(/calico-node container is running\.[^]*Libnetwork: unit active \(running\), up \d+s, answers/)
    const shown = pageText('docs/docker-networks.md').split('<!-- example: docker-policy -->')[1]?.split('```\n\n')[1]?.split('\n\n')[0] ?? ''
    expect(output('calicoctl profile databases rule show').trim()).toBe(shown.replaceAll(/^ {4}/gm, '').trim())
    expect(output('calicoctl endpoint show')).toMatch(/agent1 +\| +libnetwork +\| +libnetwork +\| [0-9a-f]{64} \| +192\.168\.0\.77\/32 +\|.*\| applications \| active/)

    const troubles = pageText('docs/docker-networks.md')
    for (const [line, text] of [
      ['docker network create --driver nobody extra', 'plugin "calico" not found'],
      ['docker network create --driver calico --ipam-driver calico --subnet 10.9.0.0/16 extra', 'The requested subnet must match the CIDR of a configured Calico IP Pool'],
      ['docker run -d --net applications --ip 192.168.0.77 --name extra busybox sleep 1d', 'The address … is already in use'],
      ['docker network create --driver calico --ipam-driver calico --ipv6 --subnet 2001:db8::/64 extra', 'The requested subnet must match the CIDR of a configured Calico IP Pool'],
    ] as const) {
      expect(troubles).toContain(`\`${text}\``)
      const [{code, output: said} = {code: 0, output: ''}] = await type([line])
      const pattern = new RegExp(text.replaceAll(/[.*]/g, '\\$&').replace('…', '.*').replace('"calico"', '"nobody"'))
      expect({line, code, said}).toEqual({line, code: expect.any(Number) as unknown, said: expect.stringMatching(pattern) as unknown})
      expect(code).not.toBe(0)
    }
    host.docker('rm', 'extra')

    const down = await page(['docker-down'], example('docker-node').slice(0, 1))
    expect(down('calicoctl ipam check')).toContain('Checked 0 assigned addresses')
    expect(host.docker('ps', '-q')).toBe('')
    const left = host.run('etcdctl', `--endpoints=http://${ADDRESS}:2379`, 'get', '--prefix', '/calico/', '--keys-only')
    expect(left.split('\n').filter((key) => /profiles|workloadendpoints|nodes|ippools\/192|ipam\/v2\/(assignment|handle)/.test(key))).toEqual([])
  })

  test('containers and addresses; what the table of faults names', async () => {
    const first = await page(['containers'], example('docker-node').slice(0, 1))
    expect(first('calicoctl container add')).toMatch(/^IP 192\.168\.0\.1 added to workload-A$/m)
    expect(first('calicoctl endpoint show')).toMatch(/agent1 +\| +docker +\| [0-9a-f]{64} \|.*192\.168\.0\.1\/32 +\|.*\| +web +\| active/)
    expect(first('calicoctl container workload-A ip add')).toMatch(/^IP 192\.168\.0\.7 added to workload-A$/m)
    expect(first('calicoctl ipam info')).toMatch(/docker\.[0-9a-f]{64}[^]*"node":"agent1"/)
    expect(first('calicoctl container remove')).toMatch(/^Removed Calico from [0-9a-f]{64}$/m)

    // The table stands for itself, but for the names that it leaves open.
    const named = [...pageText('docs/operations.md').split('## Troubleshooting')[1]?.matchAll(/`((?:calicoctl|echo) [^`]+)`/g) ?? []].map(([, line = '']) => line.replace('\\|', '|').replace('profile NAME', 'profile web'))
    expect(named.length).toBeGreaterThan(8)
    for (const {line, code, output} of await type([...example('docker-node').slice(0, 1), ...named])) {
      // Without calico-node and Mesos, a check finds something; the plugin's answer is an error.
      const codes = CHECKS.test(line) ? [1, 10] : /diags|calico_mesos/.test(line) ? [0, 1, 9] : [0]
      expect({line, ends: codes.includes(code), output}).toEqual({line, ends: true, output: line.startsWith('echo') ? '{"error":"Missing command"}' : (expect.not.stringMatching(/bug in calicoctl|Usage:/) as unknown)})
    }

    const rest = await page(['repair', 'pool-move', 'handle'], example('docker-node').slice(0, 1))
    expect(rest('calicoctl ipam check')).toContain('Checked 0 assigned addresses')
    expect(rest('calicoctl ipam assign')).toMatch(/^10\.66\.\d+\.\d+$/m)
    await page([], [...example('docker-node').slice(0, 1), 'docker rm -f workload-A', 'calicoctl pool remove 10.66.0.0/16', 'calicoctl profile remove web', 'calicoctl node remove --hostname=agent1'])
  })

  test('Mesos with net-modules', async () => {
    const output = await page(['mesos-node', 'mesos-config', 'mesos-task', 'mesos-policy', 'mesos-down'])
    expect(output('calicoctl mesos config --style rpm --dry-run')).toMatch(/\+ETCD_AUTHORITY=10\.0\.0\.1:2379[^]*modules\.json would be created/)
    expect(output('calicoctl mesos config --style rpm --yes')).toMatch(/modules\.json created[^]*systemctl restart mesos-slave/)
    const check = output('calicoctl mesos check')
    expect(check).toContain('/usr/lib/mesos/libmesos_network_isolator.so') // there is no Mesos here
    expect(check).not.toMatch(/calico_mesos|does not answer/)
    expect(JSON.parse(output('echo "$answer"'))).toEqual({error: null, ipv4: [expect.stringMatching(/^192\.168\./)], ipv6: []})
    for (const command of ['isolate', 'release', 'cleanup']) expect(JSON.parse(output(`echo '{"command":"${command}"`))).toEqual({error: null})
    expect(output('calicoctl profile show')).toMatch(/default_agent1[^]*my-group-1/)
    expect(output('calicoctl profile my-group-1 rule show')).toContain('1 allow from tag my-group-1')
    expect(output('calicoctl endpoint show')).toMatch(/agent1 +\| +mesos +\| +task-1 /)
    expect(output('calicoctl mesos gc')).not.toContain('task-1')
  })

  /** Waits for the page's etcd. */
  async function answers(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        host.run('etcdctl', `--endpoints=http://${ADDRESS}:2379`, 'endpoint', 'health')
        return
      } catch (error) {
        if (tries === 100) throw error
        await new Promise((settle) => setTimeout(settle, 100))
      }
    }
  }
})
