/**
 * `node --libnetwork` on a host of its own, with a real etcd and a real Docker Engine: as a unit (systemctl is a stand-in, which starts what the unit says),
 * and as a container of the image that our Dockerfile builds. calico-node is a stand-in.
 */
import type {ChildProcess} from 'node:child_process'
import {copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {createServer} from 'node:http'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, afterEach, beforeAll, describe, expect, test} from '@jest/globals'
import {suite} from '../support/docker.js'
import {startHost, type TestHost, whyNoHost} from '../support/stand-in/host.js'
import {importBase, importStandIn, STAND_IN} from '../support/stand-in/image.js'

const ROOT = resolve(import.meta.dirname, '../..')
const UNIT_FILE = '/etc/systemd/system/calico-libnetwork.service'
const ENVIRONMENT_FILE = '/etc/calico/libnetwork.env'
const SOCKET = '/run/docker/plugins/calico.sock'
/** What answers at PATH, asked with Node alone. */
const ASK = `require('http').request({socketPath: ${JSON.stringify(SOCKET)}, method: 'POST', path: '/Plugin.Activate'}, (r) => r.pipe(process.stdout)).end()`

suite('node --libnetwork, with stand-ins for calico-node and systemctl', whyNoHost(), () => {
  let host: TestHost
  let programs: string
  beforeAll(async () => {
    host = await startHost()
    await Promise.all([host.startEtcd(), host.startEngine()])
    importStandIn(host.docker)
    programs = join(host.folder, 'bin')
    mkdirSync(programs)
    for (const name of ['systemctl', 'journalctl']) copyFileSync(resolve(import.meta.dirname, '../support/stand-in/systemctl'), join(programs, name))
    host.run('mount', '-t', 'tmpfs', 'tmpfs', '/etc/systemd/system')
  })
  afterAll(async () => {
    stopUnit()
    await host.stop()
  })
  afterEach(() => {
    stopUnit()
    const ids = host.docker('ps', '-aq').split('\n').filter((id) => id !== '')
    if (ids.length > 0) host.docker('rm', '-f', ...ids)
    host.etcdctl('del', '--prefix', '/')
    host.run('rm', '-rf', '/var/lib/calico', '/run/systemd', '/run/fake-systemd', UNIT_FILE, ENVIRONMENT_FILE, SOCKET)
  })

  const run = (line: string, env: Record<string, string> = {}, started?: (child: ChildProcess) => void) =>
    host.calicoctl(line.split(' '), {env: {PATH: `${programs}:${process.env.PATH ?? ''}:/usr/sbin:/sbin`, ...env}}, started)
  const start = (more = '', env: Record<string, string> = {}) => run(`node --ip=192.0.2.2 --wait=started --node-image=${STAND_IN} --libnetwork${more}`, env)
  const shell = (script: string): string => host.run('sh', '-c', script)
  /** Ends the driver, and waits until it has ended; nobody need have waited for its process. */
  const stopUnit = (): string => shell('pid=$(cat /run/fake-systemd/pid 2>/dev/null) && kill -CONT $pid && kill $pid && for i in $(seq 150); do grep -q "^State:.[^Z]" /proc/$pid/status 2>/dev/null || break; sleep 0.1; done; true')
  const withSystemd = (): string => host.run('mkdir', '-p', '/run/systemd/system')
  const calls = (): string[] => shell('cat /run/fake-systemd/calls; rm /run/fake-systemd/calls').trim().split('\n')
  const pid = (): string => shell('cat /run/fake-systemd/pid').trim()
  const containers = (): string => host.docker('ps', '-a', '--format', '{{.Names}} {{.State}}').split('\n').sort().join('; ')
  const answer = (): unknown => JSON.parse(host.run(process.execPath, '-e', ASK))
  const ACTIVATED = {Implements: expect.arrayContaining(['NetworkDriver', 'IpamDriver']) as unknown}

  describe('as a systemd unit', () => {
    test('where systemd runs: the unit and its variables are written, it is enabled, started, and answers', async () => {
      withSystemd()
      const {code, stdout, stderr} = await start('', {ETCD_USERNAME: '', CALICO_LIBNETWORK_VETH_MTU: '1400'})
      expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('calico-libnetwork.service was started.') as unknown})
      const lines = stdout.trimEnd().split('\n')
      expect(lines.at(-1)).toBe('Calico libnetwork driver is running with id: calico-libnetwork.service')
      expect(lines.indexOf('Calico node started successfully')).toBeGreaterThan(0)
      expect(calls()).toEqual(['daemon-reload', 'enable calico-libnetwork.service', 'restart calico-libnetwork.service'])
      expect(host.run('stat', '-c', '%a %U', UNIT_FILE, ENVIRONMENT_FILE)).toBe('644 root\n600 root\n')
      expect(host.run('cat', ENVIRONMENT_FILE)).toMatch(/^HOSTNAME=rack1-host1\nNODENAME=rack1-host1\nDATASTORE_TYPE=etcdv3\nETCD_ENDPOINTS=http:\/\/192\.0\.2\.2:2379\nCALICO_LIBNETWORK_VETH_MTU=1400\n/)
      expect(answer()).toEqual(ACTIVATED)
    })

    test('again: nothing is started anew; with another setting it is', async () => {
      withSystemd()
      await start()
      calls()
      const first = pid()
      const again = await start()
      expect(again).toMatchObject({code: 0, stderr: expect.stringContaining('is already running and was not changed') as unknown, stdout: expect.stringContaining('running with id: calico-libnetwork.service') as unknown})
      expect(pid()).toBe(first)
      const changed = await start('', {CALICO_LIBNETWORK_LABEL_ENDPOINTS: 'true'})
      expect(changed).toMatchObject({code: 0, stderr: expect.stringContaining(`${ENVIRONMENT_FILE} was written.\n`) as unknown})
      expect(changed.stderr).not.toContain(UNIT_FILE)
      expect(changed.stderr).toContain('Changed variables:\n  CALICO_LIBNETWORK_LABEL_ENDPOINTS: none → true\n')
      expect((await start()).stderr).toContain('Changed variables:\n  CALICO_LIBNETWORK_LABEL_ENDPOINTS: true → none\n')
      expect((await start('', {CALICO_LIBNETWORK_LABEL_ENDPOINTS: 'true'})).code).toBe(0)
      expect(calls()).toEqual(Array.from({length: 3}, () => 'restart calico-libnetwork.service'))
      expect(pid()).not.toBe(first)
      expect(answer()).toEqual(ACTIVATED)
    })

    test('a unit that was stopped is started again', async () => {
      withSystemd()
      await start()
      stopUnit()
      calls()
      expect(await start()).toEqual(expect.objectContaining({code: 0}))
      expect(calls()).toEqual(['restart calico-libnetwork.service'])
      expect(answer()).toEqual(ACTIVATED)
    })

    test('in the foreground, --detach=false: the driver answers while calico-node runs, and after its end', async () => {
      withSystemd()
      const line = `node --ip=192.0.2.2 --wait=started --node-image=${STAND_IN} --libnetwork --detach=false`
      let during: unknown
      const {code, stdout, stderr} = await run(line, {}, (child) => {
        let text = ''
        child.stdout?.on('data', (data: Buffer) => {
          text += data.toString()
          if (during !== undefined || !text.includes('Calico libnetwork driver is running with id: calico-libnetwork.service\n')) return
          during = {answer: answer(), containers: containers()}
          host.docker('stop', 'calico-node')
        })
      })
      expect({code, stderr}).toEqual({code: 1, stderr: expect.stringContaining('calico-node ended with exit code 0') as unknown})
      expect(during).toEqual({answer: ACTIVATED, containers: 'calico-node running'})
      expect(stdout).toContain('Calico node is running with id: ')
      expect(answer()).toEqual(ACTIVATED)
    })

    test('without a container of calico-node: --runtime=none', async () => {
      withSystemd()
      expect(await run('node --ip=192.0.2.2 --runtime=none --libnetwork', {DOCKER_HOST: 'unix:///nowhere.sock'})).toMatchObject({code: 0, stdout: 'Calico libnetwork driver is running with id: calico-libnetwork.service\n'})
      expect(containers()).toBe('')
      expect(answer()).toEqual(ACTIVATED)
    })

    test('status, stop, remove', async () => {
      withSystemd()
      await start()
      const running = await run('status')
      expect(running.stdout).toMatch(/\nLibnetwork: unit active \(running\), up \d+s, answers\n/)
      expect(JSON.parse((await run('status -o json')).stdout)).toMatchObject({libnetwork: {form: 'unit', running: true, state: 'active (running)', since: expect.stringMatching(/^\d{4}-.*Z$/) as unknown, socket: {state: 'answers'}}})

      shell(`kill -STOP ${pid()}`)
      const silent = await run('status')
      expect(silent).toMatchObject({code: 10, stdout: expect.stringContaining(', does not answer\n') as unknown, stderr: expect.stringContaining('The unit calico-libnetwork, the driver for Docker networks, does not answer: no answer within 2 s.') as unknown})
      shell(`kill -CONT ${pid()}`)

      calls()
      expect(await run('node stop --dry-run')).toMatchObject({code: 0, stderr: expect.stringContaining('Unit calico-libnetwork.service would be stopped.') as unknown})
      expect(answer()).toEqual(ACTIVATED)
      const stopped = await run('node stop')
      expect(stopped).toMatchObject({code: 0, stdout: 'Node stopped\n', stderr: expect.stringMatching(/^Container calico-node was stopped\.\nUnit calico-libnetwork\.service was stopped\.\n/) as unknown})
      expect(calls()).toEqual(['stop calico-node.service', 'stop calico-libnetwork.service'])
      expect(await run('status -o json')).toMatchObject({code: 1, stdout: expect.stringContaining('The unit calico-libnetwork, the driver for Docker networks, does not run: it is inactive (dead).') as unknown})

      host.docker('start', 'calico-node')
      expect(await run('node stop')).toMatchObject({code: 0})
      expect(await run('node remove --dry-run')).toMatchObject({code: 0, stderr: expect.stringContaining(`${UNIT_FILE} would be removed`) as unknown})
      expect(shell(`ls ${UNIT_FILE}`).trim()).toBe(UNIT_FILE)
      expect(await run('node remove')).toMatchObject({code: 0, stdout: 'Node configuration removed\n', stderr: expect.stringContaining(`${ENVIRONMENT_FILE} removed`) as unknown})
      expect(shell(`ls ${UNIT_FILE} ${ENVIRONMENT_FILE} 2>/dev/null; true`)).toBe('')
      expect(calls().slice(-2)).toEqual(['disable --now calico-libnetwork.service', 'daemon-reload'])
    })

    test('remove while the driver runs: 8', async () => {
      withSystemd()
      await start()
      host.docker('stop', 'calico-node')
      expect(await run('node remove')).toMatchObject({code: 8, stdout: '', stderr: expect.stringMatching(/driver for Docker networks is running[^]*calicoctl node stop/) as unknown})
      expect(answer()).toEqual(ACTIVATED)
    })

    test('a driver that stopped: 1 with its last lines; it is stopped, calico-node runs on', async () => {
      withSystemd()
      shell('mkdir -p /run/docker/plugins; chmod 777 /run/docker/plugins')
      const {code, stderr} = await start()
      shell('chmod 755 /run/docker/plugins')
      expect({code, stderr}).toEqual({code: 1, stderr: expect.stringMatching(/driver for Docker networks stopped: [^]*Its last lines:[^]*is writable by other users[^]*journalctl -u calico-libnetwork/) as unknown})
      expect(calls().at(-1)).toBe('stop calico-libnetwork.service')
      expect(containers()).toBe('calico-node running')
    })

    test('somebody else\'s driver on the socket: 8, nothing is touched', async () => {
      withSystemd()
      const other = host.spawn([process.execPath, join(ROOT, 'bin/run.js'), 'libnetwork', 'serve'], {DOCKER_HOST: `unix://${host.socket}`, ETCD_ENDPOINTS: 'http://192.0.2.2:2379', HOSTNAME: 'rack1-host1'})
      try {
        shell(`for i in $(seq 600); do [ -S ${SOCKET} ] && exit; sleep 0.1; done; exit 1`)
        expect(await start()).toMatchObject({code: 8, stdout: '', stderr: expect.stringContaining('is listening on /run/docker/plugins/calico.sock; nothing was changed') as unknown})
        expect(containers()).toBe('')
        expect(shell(`ls ${UNIT_FILE} 2>/dev/null; true`)).toBe('')
      } finally {
        const gone = new Promise((done) => other.once('exit', done))
        other.kill('SIGTERM')
        await gone
      }
    })

    test('a dry run shows unit and variables, without the password', async () => {
      withSystemd()
      const {code, stdout} = await start(' --dry-run', {CALICO_LIBNETWORK_LABEL_ENDPOINTS: 'true'})
      expect({code, stdout}).toEqual({code: 0, stdout: expect.stringMatching(/\ndocker run -d [^\n]*\n# \/etc\/systemd\/system\/calico-libnetwork\.service\n\[Unit\][^]*\nBefore=docker\.service\n[^]*\n# \/etc\/calico\/libnetwork\.env\nHOSTNAME=rack1-host1\n/) as unknown})
      expect(shell('ls /etc/systemd/system /etc/calico; true')).not.toContain('calico-libnetwork')
      expect(containers()).toBe('')
    })
  })

  test('the examples of the help with --libnetwork, as they are written', async () => {
    withSystemd()
    host.docker('tag', STAND_IN, 'quay.io/calico/node:v3.32.1')
    const page = readFileSync(resolve(ROOT, 'dist/help/calicoctl.node.txt'), 'utf8')
    const examples = [...page.matchAll(/^\s*\$ calicoctl (.*--libnetwork.*)$/gm)].map(([, words = '']) => words)
    expect(examples).toHaveLength(1)
    host.run('ip', 'addr', 'add', '172.17.8.101/24', 'dev', 'uplink')
    for (const words of examples) expect({words, ...(await run(words))}).toMatchObject({words, code: 0, stderr: expect.not.stringContaining('Error') as unknown})
    host.run('ip', 'addr', 'del', '172.17.8.101/24', 'dev', 'uplink')
  })

  test('--init-system prints the driver\'s unit too', async () => {
    const {code, stdout} = await run('node --ip=192.0.2.2 --init-system --libnetwork')
    expect({code, stdout}).toEqual({code: 0, stdout: expect.stringMatching(/^# \/etc\/systemd\/system\/calico-node\.service\n[^]*\n# \/etc\/systemd\/system\/calico-libnetwork\.service\n[^]*ExecStart=\S+node \S+\/bin\/run\.js libnetwork serve\n/) as unknown})
  })

  test.each<[string, string, RegExp]>([
    ['no systemd and no containers', ' --runtime=none', /requires systemd, and this host does not run systemd/],
    ['an image that is none', ' --libnetwork-image=-x', /--libnetwork-image: '-x' is not the name of an image/],
    ['the embedded datastore', ' --datastore=embedded:/tmp/never', /cannot read the embedded datastore/],
  ])('refused: %s', async (_, more, message) => {
    expect(await start(more)).toMatchObject({code: 1, stdout: '', stderr: expect.stringMatching(message) as unknown})
    expect(containers()).toBe('')
  })

  test('an Engine without networks of plugins: v0.20\'s words, and nothing is written', async () => {
    const socket = join(host.folder, 'old.sock')
    const engine = createServer((request, response) => response.end(request.url?.includes('/version') ? '{"Version":"1.8.3","ApiVersion":"1.20"}' : 'OK'))
    await new Promise<void>((done) => engine.listen(socket, done))
    try {
      expect(await start('', {DOCKER_HOST: `unix://${socket}`})).toMatchObject({code: 1, stdout: '', stderr: expect.stringMatching(/Error: Docker Version does not support Libnetwork\.\n[^]*has API 1\.20; 1\.21 is needed/) as unknown})
      expect(host.etcdctl('get', '--prefix', '/', '--keys-only')).toBe('')
    } finally {
      engine.closeAllConnections()
      await new Promise((done) => engine.close(done))
    }
  })

  test('--libnetwork-image without --libnetwork is not a line of the grammar', async () => {
    expect(await run('node --libnetwork-image=x')).toMatchObject({code: 1, stderr: expect.stringContaining('Usage:') as unknown})
  })

  test('no image of the driver: 4 before any container is touched, with the line that builds it', async () => {
    const {code, stderr} = await start()
    expect({code, stderr}).toEqual({code: 4, stderr: expect.stringMatching(new RegExp(`Build it with: docker build -t calicoctl/libnetwork:\\S+ ${ROOT}\\n`)) as unknown})
    expect(containers()).toBe('')
    const named = await start(' --libnetwork-image=127.0.0.1:9/calico/driver:v1')
    expect(named).toMatchObject({code: 4, stderr: expect.stringMatching(/could not be pulled[^]*docker build -t 127\.0\.0\.1:9\/calico\/driver:v1 /) as unknown})
    expect(containers()).toBe('')
  })

  test('as a container of the image that our Dockerfile builds: started, left alone, replaced, shown, stopped, removed', async () => {
    const {version} = JSON.parse(host.run('cat', join(ROOT, 'package.json'))) as {version: string}
    const image = `calicoctl/libnetwork:${version}`
    importBase(host.docker, 'calicoctl-base:test')
    const context = mkdtempSync(join(tmpdir(), 'calicoctl-package-'))
    try {
      for (const name of ['bin', 'dist', 'package.json', 'LICENSE', 'Dockerfile', '.dockerignore']) cpSync(join(ROOT, name), join(context, name), {recursive: true})
      host.docker('build', '--network=none', '--build-arg', 'BASE=calicoctl-base:test', '-t', image, context)
    } finally {
      rmSync(context, {recursive: true})
    }

    const {code, stdout, stderr} = await start()
    const id = host.docker('ps', '-q', '--no-trunc', '-f', 'name=calico-libnetwork')
    expect({code, stderr, last: stdout.trimEnd().split('\n').at(-1)}).toEqual({code: 0, stderr: expect.stringContaining('calico-node has started.') as unknown, last: `Calico libnetwork driver is running with id: ${id}`})
    expect(answer()).toEqual(ACTIVATED)
    expect(host.docker('inspect', '-f', '{{.HostConfig.Privileged}} {{.HostConfig.NetworkMode}} {{.HostConfig.RestartPolicy.Name}} {{.Config.Image}}', 'calico-libnetwork')).toBe(`true host unless-stopped ${image}`)
    expect(JSON.parse(host.docker('inspect', '-f', '{{json .HostConfig.Binds}}', 'calico-libnetwork'))).toEqual(['/run/docker/plugins:/run/docker/plugins', `${host.socket}:/var/run/docker.sock`, '/var/lib/calico:/var/lib/calico'])
    expect(JSON.parse(host.docker('inspect', '-f', '{{json .Config.Healthcheck.Test}}', 'calico-libnetwork'))).toEqual(['CMD', 'node', '/usr/lib/calicoctl/bin/healthcheck.js'])
    host.docker('exec', 'calico-libnetwork', 'node', '/usr/lib/calicoctl/bin/healthcheck.js')
    expect(() => host.docker('exec', 'calico-libnetwork', 'node', '/usr/lib/calicoctl/bin/healthcheck.js', '/run/docker/plugins/nosuch.sock')).toThrow()
    expect((await run('status')).stdout).toMatch(/\nLibnetwork: container running, up \d+s, answers\n/)

    expect(await start()).toMatchObject({code: 0, stderr: expect.stringContaining('The container calico-libnetwork is already running and was not changed.') as unknown, stdout: expect.stringContaining(id) as unknown})
    const changed = await start('', {CALICO_LIBNETWORK_LABEL_ENDPOINTS: 'true'})
    expect(changed).toMatchObject({code: 0, stderr: expect.stringContaining(`The container calico-libnetwork that was there before was removed (${id.slice(0, 12)}).`) as unknown})
    expect(answer()).toEqual(ACTIVATED)

    expect(await run('node stop')).toMatchObject({code: 0, stdout: 'Node stopped\n', stderr: expect.stringMatching(/^Container calico-node was stopped\.\nContainer calico-libnetwork was stopped\.\n/) as unknown})
    expect(containers()).toBe('calico-libnetwork exited; calico-node exited')
    expect(await run('node remove')).toMatchObject({code: 0, stderr: expect.stringContaining('Container calico-libnetwork removed') as unknown})
    expect(containers()).toBe('calico-node exited')

    // Systemd has come: the container gives way to the unit, and back.
    await start()
    withSystemd()
    expect(await start()).toMatchObject({code: 0, stderr: expect.stringContaining('The container calico-libnetwork was removed: the driver now runs under systemd.') as unknown})
    expect(containers()).toBe('calico-node running')
    expect(await start(` --libnetwork-image=${image}`)).toMatchObject({code: 0, stderr: expect.stringContaining('calico-libnetwork.service was stopped and removed: the driver now runs in a container.') as unknown})
    expect(containers()).toBe('calico-libnetwork running; calico-node running')
    expect(shell(`ls ${UNIT_FILE} 2>/dev/null; true`)).toBe('')
    expect(answer()).toEqual(ACTIVATED)
  })
})
