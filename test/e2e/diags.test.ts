/** `diags` on a host of its own, with real etcd and Engine; the container calico-node runs a program that only writes its log. */
import {execFile, execFileSync} from 'node:child_process'
import {existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {CALICOCTL, calicoctl, checkBuild, type Options, type Result} from '../support/cli.js'
import {suite} from '../support/docker.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importStandIn, STAND_IN} from '../support/stand-in/image.js'

const RESOURCES = '/calico/resources/v3/projectcalico.org'
const AWAY = {ETCD_ENDPOINTS: 'http://127.0.0.1:1', DOCKER_HOST: 'unix:///run/dead.sock'}
/** All that must not be in the archive. The letters are in no other text. */
const SECRET = 'Zq9xSecretQz'
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${`MIIEZq9xKeyQz${'A'.repeat(51)}\n`.repeat(3)}Zq9xKeyEndQz=\n-----END RSA PRIVATE KEY-----`
const NEVER = /Zq9x\w*Qz/g

/** The files in ARCHIVE by their path. */
function unpack(archive: string): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-unpacked-'))
  try {
    execFileSync('tar', ['-xzf', archive, '-C', folder])
    const files = readdirSync(folder, {recursive: true, encoding: 'utf8'}).filter((path) => lstatSync(join(folder, path)).isFile())
    return Object.fromEntries(files.map((path) => [path.replace(/^diagnostics\//, ''), readFileSync(join(folder, path), 'utf8')]))
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

const archiveIn = (stdout: string): string => /^Diags saved to (\S+\.tar\.gz)$/m.exec(stdout)?.[1] ?? ''

suite('diags', whyNoHost(), () => {
  let host: TestHost
  let tmp: string
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importStandIn(host.docker)
    const program = `console.log('Ready'); console.log('etcd password: ${SECRET} and more'); console.error(process.argv[1]); setInterval(() => 0, 1e6)`
    host.docker(
      ...['run', '-d', '--name=calico-node', '--network=host', '--env', `ETCD_PASSWORD=${SECRET}`, '--env', 'PLAIN=Zq9xPlainQz', '--label', `api-token=${SECRET}`],
      ...['--entrypoint=/usr/bin/node', STAND_IN, '-e', program, 'PLAIN=Zq9xPlainQz', `--password=${SECRET}`],
    )
    host.run('sh', '-c', `mkdir -p /var/log/calico/felix /var/log/calico/bird; printf '%s\\n' "Felix ready" "Config etcdpassword=${SECRET} http://root:${SECRET}@10.0.0.1/ PLAIN=Zq9xPlainQz" "${PEM}" "end" > /var/log/calico/felix/current; touch /var/log/calico/felix/lock; ln -s /etc/shadow /var/log/calico/bird/current`)
    await host.calicoctl(['pool', 'add', '192.168.0.0/16'])
    await host.calicoctl(['profile', 'add', 'web'])
    await host.calicoctl(['node', '--runtime=none', '--ip=192.0.2.2'])
    await host.calicoctl(['ipam', 'assign'])
    const metadata = {name: 'x', annotations: {'config.projectcalico.org/EtcdPassword': SECRET, note: PEM, line: `{"token":"${SECRET}"}`}}
    host.etcdctl('put', `${RESOURCES}/felixconfigurations/x`, JSON.stringify({kind: 'FelixConfiguration', apiVersion: 'projectcalico.org/v3', metadata, spec: {}}))
    host.etcdctl('put', `${RESOURCES}/futurethings/y`, JSON.stringify({kind: 'FutureThing', apiVersion: 'projectcalico.org/v3', metadata: {name: 'y'}, spec: {apiKey: SECRET, keep: 'kept'}}))
    host.etcdctl('put', '/calico/felix/v2/odd', `no JSON, password=${SECRET}`)
  })
  afterAll(() => host.stop(), 60_000)
  beforeEach(() => {
    tmp = mkdtempSync(join(tmpdir(), 'calicoctl-diags-test-'))
  })
  afterEach(() => rmSync(tmp, {recursive: true, force: true}))

  const run = (line = 'diags', options: Options = {}): Promise<Result> => host.calicoctl(line.split(' '), {...options, env: {TMPDIR: tmp, NODENAME: 'rack1-host1', ...options.env}})

  describe('everything is there: 0', () => {
    test('v0.20\'s lines, and an archive that is root\'s alone', async () => {
      const {code, stdout, stderr} = await run()
      expect({code, stdout, stderr}).toMatchObject({code: 0, stderr: expect.stringContaining('logs/bird/current: a link\n') as unknown})
      const archive = archiveIn(stdout)
      const folder = resolve(archive, '..')
      expect(stdout).toBe([
        'Collecting diagnostics', `Using temp dir: ${folder}`, 'Dumping netstat', 'Dumping routes (IPv4)', 'Dumping routes (IPv6)', 'Dumping interface info (IPv4)', 'Dumping interface info (IPv6)',
        'Dumping iptables (IPv4)', 'Dumping iptables (IPv6)', 'Dumping ipsets', 'Copying journal for calico-node.service', 'Dumping felix stats', 'Copying Calico logs', 'Dumping datastore',
        '', `Diags saved to ${archive}`, '', '',
      ].join('\n'))
      expect(archive).toMatch(/\/diags-\d{6}_\d{6}\.tar\.gz$/)
      expect(statSync(archive).mode & 0o777).toBe(0o600)
      expect(statSync(folder).mode & 0o777).toBe(0o700)
      expect(readdirSync(folder)).toHaveLength(1)
    })

    test('its content', async () => {
      const files = unpack(archiveIn((await run()).stdout))
      expect(Object.keys(files)).toEqual(expect.arrayContaining([
        'date', 'hostname', 'ip_-4_route', 'ip_-6_route', 'ip_-4_addr', 'ip_-6_addr', 'iptables-save', 'ip6tables-save', 'ipset_list', 'nft_-n_-a_list_ruleset',
        'etcd_calico', 'datastore/ippools.yaml', 'datastore/profiles.yaml', 'datastore/nodes.yaml', 'datastore/futurethings.yaml', 'datastore/ipam/assignment.yaml', 'datastore/ipam/handle.yaml', 'datastore/ipam/host.yaml', 'datastore/other.yaml',
        'logs/felix/current', 'calico-node.inspect.json', 'calico-node.log', 'status.json', 'config_view.json', 'version.json', 'summary',
      ]))
      expect(files['ip_-4_addr']).toContain('192.0.2.2/24')
      expect(files.etcd_calico).toMatch(/^dir\?, key, value\n(FILE, \/calico\/.*\n)+$/)
      expect(files['datastore/ippools.yaml']).toMatch(/^---\nkind: IPPool\n[^]*cidr: 192\.168\.0\.0\/16\n/)
      expect(files['datastore/futurethings.yaml']).toContain('keep: kept\n')
      expect(files['logs/felix/current']).toMatch(/^Felix ready\nConfig etcdpassword=\(removed\)[^]*\nend\n$/)
      expect(files['calico-node.log']).toContain('Ready\n')
      const inspected = JSON.parse(files['calico-node.inspect.json'] ?? '') as {Name: string; Config: {Env: string[]}}
      expect(inspected).toMatchObject({Name: '/calico-node', Config: {Env: expect.arrayContaining(['ETCD_PASSWORD=(removed)', 'PLAIN=(removed)', 'PATH=(removed)']) as unknown}})
      expect(JSON.parse(files['status.json'] ?? '')).toMatchObject({kind: 'NodeStatus', node: 'rack1-host1', datastore: {state: 'answers', nodeExists: true}})
      expect(files['config_view.json']).toContain('http://192.0.2.2:2379')
      expect(files.summary).toContain('Missing:\n  none\n')
      expect(Object.keys(files).filter((path) => /lock|bird/.test(path))).toEqual([])
    })

    test('no secret in any file or name, nor on the terminal', async () => {
      const {stdout, stderr} = await run('diags', {env: {MY_PASSWORD: SECRET}})
      const files = unpack(archiveIn(stdout))
      for (const [path, text] of Object.entries({...files, stdout, stderr})) expect([path, path.match(NEVER), text.match(NEVER)]).toEqual([path, null, null])
      expect(JSON.stringify(files)).not.toContain('root:$')
    })

    test('its examples', async () => {
      const page = (await calicoctl(['help', 'diags'])).stdout
      const examples = [...page.matchAll(/^\s*\$ calicoctl (diags.*)$/gm)].map(([, line]) => line ?? '')
      expect(examples).toHaveLength(2)
      for (const line of examples) expect({line, ...(await run(line))}).toMatchObject({line, code: 0})
    })

    test('logs are cut from their oldest end for --max-size, which is told', async () => {
      mkdirSync(join(tmp, 'logs'))
      execFileSync('sh', ['-c', 'seq 1 100000 > "$1/new.log"; yes "a line that is too long" | head -4 > "$1/old.log"; touch -d 2001-01-01 "$1/old.log"', 'sh', join(tmp, 'logs')])
      const {code, stdout, stderr} = await run(`diags --log-dir=${join(tmp, 'logs')} --max-size 150kB`)
      expect(code).toBe(0)
      const files = unpack(archiveIn(stdout))
      expect(files['logs/new.log']).toMatch(/^\[calicoctl diags left out the \d+ bytes before this\]\n\d+\n[^]*\n100000\n$/)
      expect(Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0)).toBeLessThan(160_000)
      expect(files['datastore/ippools.yaml']).toContain('192.168.0.0/16')
      expect(stderr).toContain('logs/new.log: its oldest')
      expect(stderr).toContain('logs/old.log: its oldest 96 bytes')
    })
  })

  describe('something is away: 9, and it is named', () => {
    test('etcd', async () => {
      const {code, stdout, stderr} = await run('diags', {env: {ETCD_ENDPOINTS: AWAY.ETCD_ENDPOINTS}})
      expect({code, stderr}).toMatchObject({code: 9, stderr: expect.stringMatching(/Error: 1 item is missing from the archive:\n {2}datastore: Nothing listens at/) as unknown})
      expect(stdout).toContain('Problem running command: datastore\n')
      const files = unpack(archiveIn(stdout))
      expect(files.etcd_calico).toMatch(/^dir\?, key, value\nNothing listens/)
      expect(files.summary).toMatch(/Missing:\n {2}datastore: Nothing listens/)
      expect(JSON.parse(files['status.json'] ?? '')).toMatchObject({datastore: {state: 'away'}})
      expect(files['calico-node.log']).toContain('Ready\n')
    })
    test('Docker', async () => {
      const {code, stdout, stderr} = await run('diags', {env: {DOCKER_HOST: AWAY.DOCKER_HOST}})
      expect({code, stderr}).toMatchObject({code: 9, stderr: expect.stringMatching(/3 items are missing from the archive:\n {2}container calico-node: .*\n {2}log of container calico-node: .*\n {2}status: Cannot connect/) as unknown})
      const files = unpack(archiveIn(stdout))
      expect(files['datastore/profiles.yaml']).toContain('name: web\n')
      expect(files['logs/felix/current']).toContain('Felix ready')
    })
    test('both, a log folder that was named, and programs of the host', async () => {
      const {code, stdout, stderr} = await run('diags --log-dir=/var/log/nowhere', {env: {...AWAY, PATH: '/usr/bin:/bin'}})
      expect(code).toBe(9)
      expect(stderr).toContain('logs: /var/log/nowhere does not exist')
      expect(stdout).toContain('No logs to copy: /var/log/nowhere does not exist\n')
      if (!existsSync('/usr/bin/ipset')) {
        expect(stderr).toContain('ipset list: The program \'ipset\' is not on this host')
        expect(stdout).toContain('Problem running command: ipset list\nThe program \'ipset\' is not on this host\n')
      }
      expect(unpack(archiveIn(stdout))).toHaveProperty('summary')
    })
    test('settings that are wrong', async () => {
      const {code, stderr} = await run('diags', {env: {ETCD_ENDPOINTS: 'ftp://x'}})
      expect(code).toBe(9)
      expect(stderr).toMatch(/datastore: .*ETCD_ENDPOINTS/)
      expect(stderr).toMatch(/config view: .*ETCD_ENDPOINTS/)
    })
  })

  test('a host without the container: nothing is missing', async () => {
    host.docker('rename', 'calico-node', 'other')
    try {
      const {code, stdout, stderr} = await run()
      expect({code, stderr}).toMatchObject({code: 0, stderr: expect.stringContaining('log of container calico-node: there is no container calico-node') as unknown})
      expect(JSON.parse(unpack(archiveIn(stdout))['status.json'] ?? '')).toMatchObject({container: null})
    } finally {
      host.docker('rename', 'other', 'calico-node')
    }
  })

  test('Ctrl-C: nothing is left', async () => {
    let interrupted = false
    const ended = await host.calicoctl(['diags'], {env: {TMPDIR: tmp}}, (child) => {
      child.stdout?.on('data', (data: Buffer) => {
        if (interrupted || !data.toString().includes('Using temp dir')) return
        interrupted = true
        child.kill('SIGINT')
      })
    })
    expect({...ended, left: readdirSync(tmp)}).toMatchObject({code: 130, stderr: expect.stringContaining('Interrupted: no archive was written') as unknown, left: []})
  })
})

test('not root: 2, and nothing is done', async () => {
  checkBuild()
  const asNobody = process.geteuid?.() === 0 ? {uid: 65534, gid: 65534} : {}
  const ended = await new Promise((done) => {
    execFile(process.execPath, [CALICOCTL, 'diags'], {...asNobody, cwd: '/', env: {PATH: process.env.PATH, HOME: '/'}}, (error, stdout, stderr) => done({code: Number(error?.code ?? 0), stdout, stderr}))
  })
  expect(ended).toEqual({code: 2, stdout: '', stderr: 'Error: calicoctl diags must be run as root.\nRun it with sudo; keep its settings with: sudo -E\n'})
})
test('wrong values: 1, before anything is done', async () => {
  expect(await calicoctl(['diags', '--log-dir=logs', '--max-size=lots'])).toMatchObject({code: 1, stdout: '', stderr: expect.stringMatching(/2 problems in the command line:\n[^]*--max-size: 'lots'[^]*--log-dir: 'logs' is not an absolute path/) as unknown})
})
