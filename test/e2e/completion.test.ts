/** Completion from the key press to the store: a real bash, the built command, and a store in which somebody left traps. */
import {execFileSync, spawn, spawnSync} from 'node:child_process'
import {chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer as createHttpServer} from 'node:http'
import {type AddressInfo, createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {CALICOCTL} from '../support/cli.js'
import {calicoctl} from '../support/warm.js'

const TRAP = '$(touch pwned)'
let folder: string
let env: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-completion-'))
  const store = join(folder, 'store.json')
  env = {CALICO_DATASTORE: `embedded:${store}`}
  for (const name of ['web', 'Web_2', 'trap']) expect((await calicoctl(['profile', 'add', name], {env})).code).toBe(0)
  // the name and the tag of the third profile become code, as an attacker with access to the store could have it
  const text = readFileSync(store, 'utf8')
  const trapped = text.replaceAll(/\\"trap\\":\\"\\"/g, JSON.stringify(JSON.stringify(TRAP)).slice(1, -1) + ':\\"\\"')
  expect(trapped).not.toBe(text)
  writeFileSync(store, trapped)
  writeFileSync(join(folder, 'calicoctl'), `#!/bin/sh\nexec '${process.execPath}' '${CALICOCTL}' "$@"\n`)
  chmodSync(join(folder, 'calicoctl'), 0o755)
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** What bash offers after LINE. */
function offered(line: string): string[] {
  const script = `
    source <(calicoctl completion bash)
    COMP_LINE=$1 COMP_POINT=\${#1}
    _calicoctl
    printf '%s\\n' "\${COMPREPLY[@]}"`
  const output = execFileSync('bash', ['--norc', '-c', script, 'bash', line], {
    cwd: folder,
    env: {PATH: `${folder}:${process.env.PATH ?? ''}`, HOME: folder, ...env},
    encoding: 'utf8',
  })
  return output.split('\n').filter((word) => word !== '')
}

describe('completion in bash', () => {
  test('of words and of names', () => {
    expect(offered('calicoctl profile web rule add ')).toEqual(['inbound', 'outbound'])
    expect(offered('calicoctl profile remove W')).toEqual(['Web_2'])
  })

  test('a trap in the store is neither offered nor sprung', async () => {
    expect((await calicoctl(['profile', 'trap', 'tag', 'show'], {env})).stdout).toContain(TRAP)
    expect(offered('calicoctl profile web tag remove ')).toEqual(['Web_2', 'web'])
    expect(offered('calicoctl profile web rule add inbound allow from tag ')).toEqual(['Web_2', 'web'])
    expect(existsSync(join(folder, 'pwned'))).toBe(false)
  })
})

/** What SHELL, started as a user's would be, prints on both streams for SCRIPT. */
function shell(name: 'bash' | 'zsh' | 'fish', script: string): {stdout: string; stderr: string} {
  const flags = {bash: ['--norc'], zsh: ['-f'], fish: []}[name]
  const {stdout, stderr} = spawnSync(name, [...flags, '-c', script], {cwd: folder, env: {PATH: `${folder}:${process.env.PATH ?? ''}`, HOME: folder, TERM: 'dumb', ...env}, encoding: 'utf8'})
  return {stdout, stderr}
}

/** What the interactive SHELL on a terminal makes of LINE at the key TAB; ends when the screen shows AWAITED. */
function atTab(name: 'bash' | 'zsh', line: string, awaited: string): Promise<string> {
  const start = {bash: 'bash --norc -i', zsh: 'zsh -f -i'}[name]
  const load = {bash: '', zsh: 'autoload -Uz compinit && compinit -u -D; '}[name]
  const child = spawn('script', ['-qec', start, '/dev/null'], {cwd: folder, env: {PATH: `${folder}:${process.env.PATH ?? ''}`, HOME: folder, TERM: 'dumb', PS1: '$ ', ...env}, timeout: 20_000, killSignal: 'SIGKILL'})
  return new Promise((settle) => {
    let screen = ''
    let typed = false
    child.stdout.on('data', (data: Buffer) => {
      screen += data.toString()
      if (!typed && /loaded\r?\n/.test(screen)) {
        typed = true
        screen = ''
        child.stdin.write(`${line}\t`)
      } else if (typed && screen.includes(awaited)) child.kill('SIGKILL')
    })
    child.on('close', () => settle(screen))
    child.stdin.write(`${load}source <(calicoctl completion ${name}); echo load''ed\n`)
  })
}

describe('files, where the command takes one', () => {
  beforeAll(() => {
    for (const name of ['old dump.json', 'probes.yaml']) writeFileSync(join(folder, name), '')
  })

  test.each(['bash', 'zsh'] as const)('%s, as it does for every program: blanks are escaped', async (name) => {
    for (const line of ['import --from', 'import --from=', 'policy picture -o']) {
      expect(await atTab(name, `calicoctl ${line}${line.endsWith('=') ? '' : ' '}ol`, '\\ dump.json')).toContain('old\\ dump.json')
    }
  })
  test('fish', async () => {
    await calicoctl(['completion', 'fish', '--install'], {env: {...env, HOME: folder}})
    const lines = ['import --from', 'import --from=', 'datastore restore', 'batch', 'policy test', 'policy picture -o']
    const {stdout, stderr} = shell('fish', lines.map((line) => `complete -C "calicoctl ${line}${line.endsWith('=') ? '' : ' '}ol"`).join('; '))
    expect({stderr, found: stdout.trim().split('\n')}).toEqual({stderr: '', found: lines.map((line) => `${line.endsWith('=') ? '--from=' : ''}old dump.json`)})
  })
})

test('the shell that is not named is the one of $SHELL', async () => {
  const script = (...words: string[]) => calicoctl(['completion', ...words], {env: {...env, SHELL: '/usr/bin/fish'}})
  expect(await script()).toMatchObject({code: 0, stdout: (await script('fish')).stdout})
  expect(await calicoctl(['completion'], {env: {...env, SHELL: '/bin/false'}})).toMatchObject({code: 1, stderr: 'Error: Name the shell: bash, zsh, fish.\n'})
})

describe('completion --install', () => {
  const install = (name: string) => calicoctl(['completion', name, '--install'], {env: {...env, HOME: folder}})

  test('bash: bash-completion finds it by the name of the command', async () => {
    const {stdout} = await install('bash')
    expect(stdout).toBe(`${folder}/.local/share/bash-completion/completions/calicoctl\n`)
    // as bash-completion does at the first key press
    expect(shell('bash', 'source ~/.local/share/bash-completion/completions/calicoctl; complete -p calicoctl; COMP_LINE="calicoctl profile remove w" COMP_POINT=26; _calicoctl; echo "${COMPREPLY[@]}"')).toEqual({stdout: 'complete -F _calicoctl calicoctl\nweb\n', stderr: ''})
  })
  test('zsh: in a folder of fpath, which the output says how to add', async () => {
    const {stdout} = await install('zsh')
    const [path, next] = stdout.split('\n')
    expect([path, next]).toEqual([`${folder}/.local/share/zsh/site-functions/_calicoctl`, `Add this to ~/.zshrc before compinit: fpath=(${folder}/.local/share/zsh/site-functions $fpath)`])
    const asked = 'compadd() { [[ $1 == -- ]] && shift; print -rl -- "$@" }; words=(calicoctl profile remove w) CURRENT=4; _calicoctl'
    expect(shell('zsh', `${next?.replace(/^.*: /, '') ?? ''}; autoload -Uz compinit && compinit -u -D; print $_comps[calicoctl]; ${asked}`)).toEqual({stdout: '_calicoctl\nweb\n', stderr: ''})
  })
  test('zsh without compinit does not complain', () => {
    expect(shell('zsh', 'source <(calicoctl completion zsh); print $_comps[calicoctl]')).toEqual({stdout: '_calicoctl\n', stderr: ''})
  })
  test('fish: loaded by fish itself', async () => {
    expect((await install('fish')).stdout).toBe(`${folder}/.config/fish/completions/calicoctl.fish\n`)
    const {stdout, stderr} = shell('fish', 'complete -C "calicoctl profile remove w"')
    expect({stdout, stderr}).toEqual({stdout: 'web\n', stderr: ''})
  })
})

describe('names', () => {
  const complete = (line: string, more: Readonly<Record<string, string>> = env) => calicoctl(['__complete', '--', '', ...line.split(' ')], {env: {...more, HOME: folder, HOSTNAME: 'h1'}})

  /** What is offered after LINE, once the machine is quick enough: names that are not there in time are left out. */
  async function inTime(line: string, more: Readonly<Record<string, string>>): Promise<string> {
    for (;;) {
      const {stdout} = await complete(line, more)
      if (stdout !== '') return stdout
    }
  }

  test('of the journal, of peers of one node and of all, of the containers of the Engine', async () => {
    const socket = join(folder, 'docker.sock')
    const asked: string[] = []
    const engine = createHttpServer((request, response) => {
      asked.push(request.url ?? '')
      response.end(JSON.stringify([{Id: '1a', Names: ['/runs']}, ...(request.url?.includes('all=1') ? [{Id: '2b', Names: ['/stopped']}] : [])]))
    })
    await new Promise<void>((settle) => engine.listen(socket, settle))
    try {
      for (const line of ['create -f node.yaml', 'bgp peer add 10.0.0.1 as 1', 'node bgp peer add 10.0.0.2 as 1 --node h1']) {
        writeFileSync(join(folder, 'node.yaml'), 'kind: Node\napiVersion: projectcalico.org/v3\nmetadata: {name: h1}\n')
        expect(await calicoctl(line.split(' '), {cwd: folder, env: {...env, HOME: folder}})).toMatchObject({code: 0})
      }
      const given = {...env, DOCKER_HOST: `unix://${socket}`}
      expect(await inTime('bgp peer remove', env)).toBe('10.0.0.1\n')
      expect(await inTime('node bgp peer remove', env)).toBe('10.0.0.2\n')
      expect(await inTime('container add', given)).toBe('runs\n')
      expect(await inTime('container remove', given)).toBe('runs\nstopped\n')
      const [id = ''] = (await calicoctl(['history', '-o', 'name'], {env: {...env, HOME: folder}})).stdout.split('\n')
      expect((await inTime('undo', env)).split('\n')).toContain(id)
    } finally {
      engine.close()
    }
  })

  test('without an etcd, or with one that never answers: nothing at all, and soon', async () => {
    const silent = createServer(() => undefined)
    await new Promise<void>((settle) => silent.listen(0, '127.0.0.1', settle))
    try {
      const {port} = silent.address() as AddressInfo
      for (const endpoint of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`, 'nonsense']) expect(await complete('profile remove', {ETCD_ENDPOINTS: endpoint})).toEqual({code: 0, signal: null, stdout: '', stderr: ''})
      expect(await complete('container add', {...env, DOCKER_HOST: `tcp://127.0.0.1:${port}`})).toEqual({code: 0, signal: null, stdout: '', stderr: ''})
    } finally {
      silent.close()
    }
  })
})
