/**
 * examples/stars as its user runs it, on a real Docker Engine and a real etcd; and its programs, against each other on the loopback. That the policy holds
 * takes Felix: without it, nothing reaches anything, and the comparison with what should be has to say so.
 */
import {execFileSync, spawn, type ChildProcess} from 'node:child_process'
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {afterAll, beforeAll, expect, test} from '@jest/globals'
import {suite, whyNoEngine} from '../support/docker.js'
import {startExampleWorld, type ExampleWorld, type Outcome} from '../support/example-world.js'
import {freePorts} from '../support/ports.js'

const PROGRAMS = resolve(import.meta.dirname, '../../examples/stars')
const LIMIT_MS = 120_000

function whyNoBusybox(): string | undefined {
  try {
    execFileSync('sh', ['-c', 'command -v busybox'], {stdio: 'ignore'})
    return undefined
  } catch {
    return 'not installed: busybox (apt-get install busybox-static)'
  }
}

suite('the programs of the stars', whyNoBusybox(), () => {
  const running: ChildProcess[] = []
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'calicoctl-stars-'))
  })
  afterAll(async () => {
    for (const child of running) await stop(child)
    rmSync(folder, {recursive: true, force: true})
  })

  async function stop(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((settle) => child.once('exit', settle))
    child.kill('SIGTERM')
    await ended
  }

  /** Starts PROGRAM on PORT of the loopback, with the given targets. */
  function start(program: string, name: string, port: number, targets: readonly string[]): ChildProcess {
    mkdirSync(join(folder, name))
    writeFileSync(join(folder, name, 'targets'), targets.map((line) => `${line}\n`).join(''))
    const child = spawn(join(PROGRAMS, program), [], {
      env: {PATH: process.env.PATH, STAR_FOLDER: join(folder, name), STAR_LISTEN: `127.0.0.1:${port}`, STAR_INTERVAL: '1', STAR_TIMEOUT: '60'}, // who does not answer on the loopback refuses: the limit is for a busy machine
      stdio: 'ignore',
    })
    running.push(child)
    return child
  }

  /** What is served at URL, once it HOLDS; what it is when the time is over. */
  async function served(url: string, holds: (text: string) => boolean): Promise<string> {
    const end = Date.now() + LIMIT_MS
    for (;;) {
      const text = await fetch(url).then((answer) => answer.text()).catch(() => '')
      if (holds(text) || Date.now() > end) return text
      await new Promise((settle) => setTimeout(settle, 100))
    }
  }

  /** The JSON that is served at URL, once it is WANTED; what it is when the time is over. */
  const eventually = async (url: string, wanted: unknown): Promise<unknown> => JSON.parse(await served(url, (text) => text.trim() === JSON.stringify(wanted)))

  test('probes say whom they reach, the console draws it, and all follow what changes', async () => {
    const [client = 0, frontend = 0, backend = 0, console = 0] = await freePorts(4)
    const url = (port: number) => `http://127.0.0.1:${port}/status`
    const line = (name: string, port: number) => `${name} ${url(port)}`
    const status = (...targets: [number, boolean][]) => ({
      status: {targets: targets.map(([port, reachable]) => ({url: url(port), reachable})).sort((a, b) => (a.url < b.url ? -1 : 1))},
    })
    start('star-probe', 'client', client, [line('frontend', frontend), line('backend', backend)])
    start('star-probe', 'frontend', frontend, [line('client', client), line('backend', backend)])
    start('star-collect', 'console', console, [line('client', client), line('frontend', frontend), line('backend', backend)])

    expect(await eventually(url(client), status([frontend, true], [backend, false]))).toEqual(status([frontend, true], [backend, false]))
    const two = {nodes: ['client', 'frontend'], lines: [{from: 'client', to: 'frontend'}, {from: 'frontend', to: 'client'}]}
    expect(await eventually(`http://127.0.0.1:${console}/matrix.json`, two)).toEqual(two)
    const drawn = '<p>Nodes: client frontend</p><ul><li>client &rarr; frontend</li><li>frontend &rarr; client</li></ul>'
    expect(await served(`http://127.0.0.1:${console}/`, (page) => page.includes(drawn))).toContain(drawn)

    const third = start('star-probe', 'backend', backend, [])
    const three = {nodes: ['client', 'frontend', 'backend'], lines: [...two.lines.slice(0, 1), {from: 'client', to: 'backend'}, ...two.lines.slice(1), {from: 'frontend', to: 'backend'}]}
    expect(await eventually(`http://127.0.0.1:${console}/matrix.json`, three)).toEqual(three)
    expect(await eventually(url(backend), {status: {targets: []}})).toEqual({status: {targets: []}})

    await stop(third)
    expect(await eventually(`http://127.0.0.1:${console}/matrix.json`, two)).toEqual(two)
  }, 600_000)
})

suite('the example of the stars', whyNoEngine(), () => {
  let world: ExampleWorld
  const stars = (...words: string[]): Promise<Outcome> => world.run('stars/stars.sh', ...words)
  const rules = async (profile: string): Promise<string> => (await world.run('calicoctl', 'profile', profile, 'rule', 'show')).stdout

  beforeAll(async () => {
    world = await startExampleWorld()
    await world.run('calicoctl', 'pool', 'add', '192.168.0.0/16')
  })
  afterAll(async () => {
    await stars('down')
    await world.stop()
  })

  test('S0 builds the image, makes four networks and starts the four workloads', async () => {
    const {code, stdout, stderr} = await stars('step', 'S0')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.not.stringMatching(/Error|half-way/) as unknown})
    expect(stdout).toContain(`$ docker network create --driver ${world.driver} --ipam-driver ${world.driver} --subnet=192.168.0.0/16`)
    expect((await world.names('profile')).sort()).toEqual(['backend', 'client', 'frontend', 'management-ui'])
    const endpoints = await Promise.all((await world.names('workloadendpoint')).map((name) => world.stored<{spec: {profiles: string[]; ipNetworks: string[]}}>('workloadendpoint', name)))
    expect(endpoints.map(({spec}) => spec.profiles.join()).sort()).toEqual(['backend', 'client', 'frontend', 'management-ui'])
    expect(endpoints.find(({spec}) => spec.profiles[0] === 'management-ui')?.spec.ipNetworks).toEqual(['192.168.255.254/32'])
    const running = (await world.engine.docker('ps', '--format', '{{.Names}}')).split('\n').filter((name) => name.startsWith('stars-')).sort()
    expect(running).toEqual(['stars-backend', 'stars-client', 'stars-frontend', 'stars-management-ui'])
  })

  test('the workloads run in their containers and are told where the others are', async () => {
    const address = (name: string) => world.engine.docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', `stars-${name}`)
    const targets = [`frontend http://${await address('frontend')}:9000/status`, `backend http://${await address('backend')}:9000/status`]
    expect(await world.engine.docker('exec', 'stars-client', 'busybox', 'cat', '/star/targets')).toBe(targets.join('\n'))
    const own = `http://${await address('client')}:9000/status`
    expect(JSON.parse(await world.engine.docker('exec', 'stars-client', 'busybox', 'wget', '-Y', 'off', '-q', '-O', '-', own))).toHaveProperty('status.targets')
    expect(JSON.parse((await stars('page')).stdout)).toEqual({nodes: [], lines: []})
  })

  const STOCK = (tag: string) => `Inbound rules:\n   1 allow from tag ${tag}\nOutbound rules:\n   1 allow\n`

  test('S1 shows what the guide shows', async () => {
    const {code, stdout} = await stars('step', 'S1')
    expect({code, stdout}).toEqual({code: 0, stdout: expect.stringContaining(`$ calicoctl profile management-ui rule show\n${STOCK('management-ui')}`) as unknown})
  })

  /** Each step, the guide's lines in it, and what the profiles' inbound rules are then. */
  const STEPS: readonly (readonly [string, readonly string[], Readonly<Record<string, readonly string[]>>])[] = [
    [
      'S2',
      ['profile management-ui rule remove inbound allow from tag management-ui', 'profile management-ui rule add inbound allow tcp to ports 9001'],
      {'management-ui': ['allow tcp to ports 9001'], client: ['allow from tag client']},
    ],
    [
      'S3',
      ['client', 'backend', 'frontend'].map((name) => `profile ${name} rule add inbound allow tcp from tag management-ui to ports 9000`),
      Object.fromEntries(['client', 'backend', 'frontend'].map((name) => [name, [`allow from tag ${name}`, 'allow tcp from tag management-ui to ports 9000']])),
    ],
    [
      'S4-as-typed',
      ['profile frontend rule add inbound allow tcp from tag client to ports 9001', 'profile backend rule add inbound allow tcp from tag frontend to ports 9001'],
      {
        frontend: ['allow from tag frontend', 'allow tcp from tag management-ui to ports 9000', 'allow tcp from tag client to ports 9001'],
        backend: ['allow from tag backend', 'allow tcp from tag management-ui to ports 9000', 'allow tcp from tag frontend to ports 9001'],
      },
    ],
    [
      'S4',
      ['profile frontend rule add inbound allow tcp from tag client to ports 9000', 'profile backend rule add inbound allow tcp from tag frontend to ports 9000'],
      {
        client: ['allow from tag client', 'allow tcp from tag management-ui to ports 9000'],
        frontend: ['allow from tag frontend', 'allow tcp from tag management-ui to ports 9000', 'allow tcp from tag client to ports 9001', 'allow tcp from tag client to ports 9000'],
      },
    ],
  ]

  test.each(STEPS)('%s types the guide\'s lines; again, it changes nothing', async (step, lines, profiles) => {
    for (let time = 1; time <= 2; time++) {
      const {code, stdout} = await stars('step', step)
      expect({code, typed: stdout.split('\n').filter((line) => line.startsWith('$ '))}).toEqual({code: 0, typed: lines.map((line) => `$ calicoctl ${line}`)})
      for (const [profile, inbound] of Object.entries(profiles)) {
        expect(await rules(profile)).toBe(`Inbound rules:\n${inbound.map((rule, i) => `   ${i + 1} ${rule}\n`).join('')}Outbound rules:\n   1 allow\n`)
      }
    }
  })

  test('the rules are stored in the form that Felix reads', async () => {
    expect((await world.stored<{spec: object}>('profile', 'backend')).spec).toMatchObject({
      labelsToApply: {backend: ''},
      ingress: [
        {action: 'Allow', source: {selector: 'has(backend)'}},
        {action: 'Allow', protocol: 'TCP', source: {selector: "has(management-ui)"}, destination: {ports: [9000]}},
        {action: 'Allow', protocol: 'TCP', source: {selector: 'has(frontend)'}, destination: {ports: [9001]}},
        {action: 'Allow', protocol: 'TCP', source: {selector: 'has(frontend)'}, destination: {ports: [9000]}},
      ],
    })
  })

  test('the matrix without calico-node: nobody reaches anybody, and why', async () => {
    const {code, stdout, stderr} = await stars('matrix')
    expect({code, stderr}).toEqual({code: 0, stderr: expect.stringContaining('calico-node does not run on this host') as unknown})
    expect(stdout.trimEnd().split('\n').map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
      ['from \\ to', 'management-ui:9001', 'client:9000', 'frontend:9000', 'backend:9000'],
      ['outside', 'no', 'no', 'no', 'no'],
      ['management-ui', '-', 'no', 'no', 'no'],
      ['client', 'no', '-', 'no', 'no'],
      ['frontend', 'no', 'no', '-', 'no'],
      ['backend', 'no', 'no', 'no', '-'],
    ])
  })

  /** What of the matrix of mesos-docker §5.14 is yes: what then is no is wrong. */
  const CONSOLE = ['outside', 'client', 'frontend', 'backend'].map((from) => `${from} management-ui:9001`)
  const STATUS = ['client', 'frontend', 'backend'].map((to) => `management-ui ${to}:9000`)
  test.each([
    ['S1', []],
    ['S2', CONSOLE],
    ['S3', [...CONSOLE, ...STATUS]],
    ['S4-as-typed', [...CONSOLE, ...STATUS, 'client frontend:9001', 'frontend backend:9001']],
    ['S4', [...CONSOLE, ...STATUS, 'client frontend:9000', 'frontend backend:9000']],
  ])('expect %s tells each field that is not as it should be', async (step, wanted) => {
    const {code, stdout, stderr} = await stars('expect', step)
    const [head = [], ...rows] = stdout.trimEnd().split('\n').map((line) => line.trimEnd().split(/ {2,}/))
    const wrong = rows.flatMap(([from = '', ...fields]) => fields.flatMap((field, i) => (field === 'no (wrong)' ? [`${from} ${head[i + 1] ?? ''}`] : [])))
    expect(wrong.sort()).toEqual([...wanted].sort())
    expect({code, stderr}).toEqual({code: wanted.length === 0 ? 0 : 1, stderr: expect.stringMatching(wanted.length === 0 ? /^Note: / : /This is not what should be after/) as unknown})
  })

  test('wrong words are refused', async () => {
    expect(await stars('step', 'S5')).toMatchObject({code: 1, stderr: expect.stringContaining('there is no step S5') as unknown})
    expect(await stars('expect', 'S5')).toMatchObject({code: 1, stderr: expect.stringContaining('there is no step S5') as unknown})
    expect(await stars('step')).toMatchObject({code: 1, stderr: expect.stringContaining('usage:') as unknown})
    expect(await stars()).toMatchObject({code: 1, stderr: expect.stringContaining('usage:') as unknown})
  })

  test('is not run a second time over itself', async () => {
    expect(await stars('step', 'S0')).toMatchObject({code: 1, stderr: expect.stringMatching(/there is a container stars-management-ui already[^]*stars\.sh down/) as unknown})
  })

  test('is taken down whole, and again', async () => {
    for (let time = 1; time <= 2; time++) {
      const {code, stdout} = await stars('down')
      expect({code, stdout}).toEqual({code: 0, stdout: expect.stringContaining('Nothing of the example stars is left.\n') as unknown})
    }
    expect(await world.engine.docker('ps', '-aq', '--filter', 'label=org.projectcalico.example=stars')).toBe('')
    expect(await world.engine.docker('network', 'ls', '-q', '--filter', 'label=org.projectcalico.example=stars')).toBe('')
    expect(await world.engine.docker('images', '-q', 'calico-stars-example')).toBe('')
    expect(await world.names('workloadendpoint')).toEqual([])
    expect(await world.names('profile')).toEqual([])
    expect((await world.run('calicoctl', 'ipam', 'check', '--docker')).code).toBe(0)
  })
})
