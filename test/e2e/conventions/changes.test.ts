/** The conventions of command lines (clig.dev, 12-factor CLI apps, GNU, POSIX, kubectl, no-color.org), one test each, for every command that they concern: safety, idempotence, configuration, time and documents, 29 to 50. Where one is not held on purpose, the exceptions are a table, each with its reason. */
import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {DOCUMENT_KINDS} from '../../../src/lib/documents/schemas.js'
import {CALICOCTL, calicoctl as inOwnProcess, startCalicoctl} from '../../support/cli.js'
import {againLines, changeLines, CHANGES, conventions, keysOf, nameOf, NOT_ALONE, prepared, ROOT, showing} from '../../support/conventions.js'
import {startSilentServer} from '../../support/silent-server.js'
import {onTerminal} from '../../support/terminal.js'
import {calicoctl} from '../../support/warm.js'
import {storeFile} from '../../support/whole-store.js'

const {folder, run, start, commands, ids, flags, onCopy} = conventions()

describe('safety and idempotence', () => {
  test('29. every change has --dry-run, which writes nothing', () => {
    const changing = ids().filter((id) => 'dry-run' in (commands()[id]?.flags ?? {}))
    expect(changing.filter((id) => !(id in CHANGES) && !(id in NOT_ALONE))).toEqual([])
    const WITHOUT: Readonly<Record<string, string>> = {confirm: 'it stops a timer, and changes no object', diags: 'it only makes an archive', edit: 'what is typed is shown before it is written', plan: 'it writes a file, and nothing else'}
    expect([...Object.keys(CHANGES), ...Object.keys(NOT_ALONE)].filter((id) => !changing.includes(id) && !(id in WITHOUT))).toEqual([])
    onCopy((run, path) => {
      run(prepared)
      const before = readFileSync(path, 'utf8')
      const lines = Object.values(CHANGES).map(({line}) => `${line} --dry-run`)
      expect(run(lines).flatMap(({code}, at) => (code === 0 ? [] : [`${lines[at] ?? ''}: ${code}`]))).toEqual([])
      expect(readFileSync(path, 'utf8')).toBe(before)
    })
  })

  test('30. every addition has --may-exist, every removal --if-exists; twice is as once', () => {
    const lacking = (verbs: RegExp, option: string): string[] => ids().filter((id) => verbs.test(id) && !(option in (commands()[id]?.flags ?? {})))
    expect([...lacking(/(^|:)(remove|release|delete)$/, 'if-exists'), ...lacking(/(^|:)(add|append|assign|create)$/, 'may-exist')]).toEqual([])
    onCopy((run, path) => {
      run(prepared)
      expect(run(changeLines).filter(({code}) => code !== 0)).toEqual([])
      const once = keysOf(path)
      expect(run(againLines).filter(({code}) => code !== 0)).toEqual([])
      expect(keysOf(path)).toEqual(once)
    })
  })

  test('31. what is so already is 0, and 3 with --error-unchanged', () => {
    onCopy((run) => {
      run(prepared)
      run(changeLines)
      const lines = Object.values(CHANGES).map(({line, again = ''}) => `${line} ${again} --error-unchanged`)
      expect(run(lines).flatMap(({code, stderr}, at) => (code === 3 ? [] : [`${lines[at] ?? ''}: ${code} ${stderr}`]))).toEqual([])
    })
  })

  test('32. what is dangerous is refused, and the message names the option that insists', () => {
    onCopy((run) => {
      run(['apply -f set.yaml --set s', 'datastore save backup.gz'])
      const refused: readonly (readonly [string, string])[] = [['pool remove 10.1.0.0/16', '--force'], ['profile remove web', '--no-check'], ['delete profile web', '--force'], ['apply -f empty.yaml --set s --prune', '--yes'], ['delete node h1', '--force'], ['delete pool 10-1-0-0-16', '--force'], ['datastore restore backup.gz', '--replace']]
      for (const more of ['', ' --no-input']) for (const [at, {code, stderr}] of run(refused.map(([line]) => line + more)).entries()) expect([refused[at]?.[0], code, stderr.includes(refused[at]?.[1] ?? '')]).toEqual([refused[at]?.[0], 8, true])
    })
  })

  test('33. nothing needs a prompt: without a terminal, and with --no-input, the option is named', () => {
    onCopy((run) => {
      const [, piped, without, yes] = run(['apply -f set.yaml --set s', 'apply -f empty.yaml --set s --prune', 'apply -f empty.yaml --set s --prune --no-input', 'apply -f empty.yaml --set s --prune --yes'])
      expect([piped?.code, without?.code, yes?.code]).toEqual([8, 8, 0])
      expect([piped?.stderr, without?.stderr]).toEqual([expect.stringContaining('--yes'), expect.stringContaining('--yes')])
    })
    for (const id of ids()) if ('datastore' in (commands()[id]?.flags ?? {})) expect([id, 'no-input' in (commands()[id]?.flags ?? {})]).toEqual([id, true])
  })

  test('34. no option takes a secret, and none is printed', async () => {
    expect(flags().filter(([, name]) => /password|secret|token|passwd/.test(name))).toEqual([])
    const {stdout, stderr} = await start('profile show --debug --timeout 200ms', {CALICO_DATASTORE: '', ETCD_ENDPOINTS: 'http://127.0.0.1:1', ETCD_USERNAME: 'root', ETCD_PASSWORD: 'hunter2'})
    const view = await start('config view -o json', {CALICO_DATASTORE: '', ETCD_ENDPOINTS: 'http://127.0.0.1:1', ETCD_USERNAME: 'root', ETCD_PASSWORD: 'hunter2'})
    expect(stdout + stderr + view.stdout + view.stderr).not.toContain('hunter2')
    expect(view.stdout).toContain('password')
  })

  test('35. killed anywhere, the same line run again comes to its end', async () => {
    const store = join(folder, 'killed.json')
    const lines = Array.from({length: 60}, (_, at) => `profile add killed${at}`).join('\n')
    const env = {HOME: folder, CALICO_DATASTORE: `embedded:${store}`}
    const {process: child, result} = startCalicoctl(['batch', '-'], {env, stdin: lines})
    child.stdout?.once('data', () => child.kill('SIGKILL'))
    await result
    expect(await calicoctl(['batch', '-'], {env, stdin: lines})).toMatchObject({code: 0})
    expect((await calicoctl(['profile', 'show', '-o', 'name'], {env})).stdout.split('\n')).toHaveLength(61)
  })
})

describe('configuration and environment', () => {
  test('36. an option before the environment before the user\'s file before the default; config view shows which', async () => {
    mkdirSync(join(folder, 'xdg/calicoctl'), {recursive: true})
    writeFileSync(join(folder, 'xdg/calicoctl/calicoctl.cfg'), 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n  etcdEndpoints: http://10.0.0.3:2379\n')
    const origin = async (line: string, more: Record<string, string>): Promise<string> => {
      const {settings} = JSON.parse((await start(`config view -o json ${line}`, {CALICO_DATASTORE: '', ...more})).stdout) as {settings: {name: string; value: string; origin: string}[]}
      const {value = '', origin: from = ''} = settings.find(({name}) => name === 'endpoints') ?? {}
      return `${value} ${from}`
    }
    const xdg = {XDG_CONFIG_HOME: join(folder, 'xdg')}
    expect(await origin('--datastore http://10.0.0.1:2379', {...xdg, ETCD_ENDPOINTS: 'http://10.0.0.2:2379'})).toMatch(/^http:\/\/10\.0\.0\.1:2379 --datastore/)
    expect(await origin('', {...xdg, ETCD_ENDPOINTS: 'http://10.0.0.2:2379'})).toMatch(/^http:\/\/10\.0\.0\.2:2379 ETCD_ENDPOINTS/)
    expect(await origin('', xdg)).toMatch(/^http:\/\/10\.0\.0\.3:2379 .*calicoctl\.cfg/)
    if (!existsSync('/etc/calico/calicoctl.cfg')) expect(await origin('', {})).toMatch(/^http:\/\/127\.0\.0\.1:2379 the default/)
  })

  test('37. v0.20\'s variables count; both names at once are told, not guessed', async () => {
    const view = async (more: Record<string, string>) => start('config view', {CALICO_DATASTORE: '', ...more})
    expect((await view({ETCD_AUTHORITY: '10.0.0.9:4001', ETCD_SCHEME: 'http'})).stdout).toMatch(/http:\/\/10\.0\.0\.9:4001/)
    const both = await view({ETCD_AUTHORITY: '10.0.0.9:4001', ETCD_ENDPOINTS: 'http://10.0.0.2:2379'})
    expect(both.stderr + both.stdout).toMatch(/ETCD_AUTHORITY/)
    for (const name of ['ETCD_CA_CERT_FILE', 'ETCD_CERT_FILE', 'ETCD_KEY_FILE']) expect((await view({ETCD_ENDPOINTS: 'https://10.0.0.2:2379', [name]: '/nonexistent.pem'})).stderr).toContain('/nonexistent.pem')
  })

  test('38. XDG paths; without HOME, and where nothing can be written, what only shows works', async () => {
    const state = join(folder, 'state')
    await start('profile add xdg', {XDG_STATE_HOME: state, CALICO_DATASTORE: `embedded:${join(folder, 'xdg.json')}`})
    expect(existsSync(join(state, 'calicoctl/journal.jsonl'))).toBe(true)
    expect(await start('profile show', {HOME: ''})).toMatchObject({code: 0})
    expect(await start('version', {HOME: '/nonexistent'})).toMatchObject({code: 0, stderr: ''})
  })

  test('39. nothing is asked but the datastore and what is named: these files open sockets, and no others', () => {
    const OPENS: Readonly<Record<string, string>> = {
      'lib/bird/client.ts': 'BIRD\'s socket on this host',
      'lib/calico-node/libnetwork-service/socket.ts': 'the socket of our own driver',
      'lib/datastore/etcd/etcd3-client.ts': 'etcd',
      'lib/datastore/etcd/unary/session.ts': 'etcd',
      'lib/datastore/etcd/unary/tls.ts': 'the same',
      'lib/docker/container-names.ts': 'the Docker Engine',
      'lib/libnetwork/plugin-socket.ts': 'the socket that Docker asks',
      'lib/libnetwork/server.ts': 'the same',
      'lib/views/mesos-check.ts': 'ZooKeeper and the agent, which the agent\'s flags name',
    }
    const files = readdirSync(join(ROOT, 'src'), {recursive: true, encoding: 'utf8'}).filter((file) => file.endsWith('.ts'))
    const opens = files.filter((file) => /from '(node:(http|https|net|tls|dgram|http2)|dockerode|etcd3)'|\bfetch\(/.test(readFileSync(join(ROOT, 'src', file), 'utf8').replaceAll(/import type .*/g, '')))
    expect(opens.filter((file) => !(file in OPENS))).toEqual([])
    expect(Object.keys(OPENS).filter((file) => !opens.includes(file))).toEqual([])
  })
})

describe('time, signals, speed', () => {
  const silent = async (work: (endpoint: string, connected: () => Promise<void>) => Promise<void>): Promise<void> => {
    const server = await startSilentServer()
    try {
      await work(server.endpoint, () => server.connected())
    } finally {
      await server.stop()
    }
  }

  test('40. on a terminal, a command that waits says for what', () =>
    silent(async (endpoint) => {
      const {screen} = await onTerminal(['profile', 'show', '--timeout', '3s', '--datastore', endpoint], {env: {HOME: folder, CALICOCTL_JOURNAL: 'off'}})
      expect(screen).toContain(`Connecting to etcd at ${endpoint}`)
    }))

  test('41. --timeout bounds the whole command, whatever it asks', () =>
    silent((endpoint) => {
      /** What does not ask it, or shows what it knows without it. */
      const WITHOUT = /^(config (view|grants)|confirm|history|lint codes|schema|version$|mesos|status|batch|policy test)/
      const lines = [...showing, ...changeLines]
      const outputs = run(lines.map((line) => `${line} --timeout 100ms`), {CALICO_DATASTORE: endpoint})
      expect(lines.filter((line, at) => outputs[at]?.code !== 6 && !WITHOUT.test(line)).map((line, at) => `${line}: ${outputs[at]?.stderr ?? ''}`)).toEqual([])
      return Promise.resolve()
    }))

  test('42. Ctrl-C and SIGTERM: 130 and 143, and whether anything was written', () =>
    silent(async (endpoint, connected) => {
      for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]] as const) {
        const {process: child, result} = startCalicoctl(['profile', 'add', 'x', '--datastore', endpoint, '--timeout', '15s', '--debug'], {env: {HOME: folder}})
        await connected()
        child.kill(signal)
        const ended = await result
        expect({code: ended.code, stderr: ended.stderr}).toEqual({code, stderr: expect.stringMatching(/[Ii]nterrupted|[Tt]erminated|[Nn]othing was changed/) as unknown})
      }
    }))

  test('43. a command loads only what it needs: its start takes a small multiple of that of Node alone', () => {
    const seconds = (words: readonly string[]): number => {
      const {stderr} = spawnSync('bash', ['-c', 'TIMEFORMAT="%U %S"; time "$@" >/dev/null', 'bash', process.execPath, ...words], {env: {PATH: process.env.PATH, HOME: folder, CALICO_DATASTORE: `embedded:${storeFile(folder)}`}, encoding: 'utf8'})
      const [user = 0, system = 0] = (stderr.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
      return user + system
    }
    const least = (words: readonly string[]): number => Math.min(...Array.from({length: 5}, () => seconds(words)))
    expect(least([CALICOCTL, 'profile', 'show'])).toBeLessThan(6 * least(['-e', '0']))
  })

  test('44. --timeout is the only limit of time for the datastore, and every command that asks it has it', () => {
    expect(flags().filter(([, name]) => name === 'request-timeout')).toEqual([])
    expect(ids().filter((id) => 'datastore' in (commands()[id]?.flags ?? {}) !== 'timeout' in (commands()[id]?.flags ?? {}))).toEqual([])
  })
})

describe('documents and the future', () => {
  test('45. every command has its page in the reference, from the source of its help (the manual: manual.test.ts)', () => {
    const reference = readdirSync(join(ROOT, 'docs/reference')).map((file) => readFileSync(join(ROOT, 'docs/reference', file), 'utf8')).join('\n')
    expect(ids().filter((id) => !new RegExp(`^#+ (calicoctl )?${nameOf(id)}$`, 'm').test(reference))).toEqual([])
  })

  test('46. a deprecated option works, warns once, and the warning can be silenced', async () => {
    const deprecated = flags().filter(([, , {description = ''}]) => /deprecated/i.test(description)).map(([id, name]) => `${id} --${name}`)
    expect(deprecated).toEqual(['checksystem --fix'])
    if (process.getuid?.() !== 0) return
    const {stderr} = await start('checksystem --fix --timeout 1s')
    expect(stderr.match(/Warning: --fix is deprecated/g)).toHaveLength(1)
    expect((await start('checksystem --fix --timeout 1s -q')).stderr).not.toContain('Warning: --fix')
  })

  test('47. fields that we do not know survive every edit', () => {
    onCopy((run, path) => {
      run(prepared)
      const store = JSON.parse(readFileSync(path, 'utf8')) as {keys: string[][]}
      const strange = (key: string): boolean => key.includes('/resources/v3/') && !/clusterinformations|tiers\//.test(key)
      const keys = store.keys.map(([key = '', value = '', ...rest]) => [key, strange(key) ? value.replace('"spec":{', '"spec":{"fromTheFuture":{"a":[1]},').replace(']},}', ']}}') : value, ...rest])
      writeFileSync(path, JSON.stringify({...store, keys}))
      const edits = changeLines.filter((line) => !/^(replace|apply|delete|create)/.test(line))
      run(edits)
      const after = new Map(keysOf(path))
      const lost = keys.filter(([key = '']) => strange(key) && after.has(key) && !after.get(key)?.includes('fromTheFuture')).map(([key]) => key)
      expect(lost).toEqual([])
    })
  })

  test('48. calicoctl schema prints a schema of every document (outputs are held to them: schema.test.ts)', () => {
    const outputs = run(DOCUMENT_KINDS.map(({kind}) => `schema ${kind}`))
    expect(DOCUMENT_KINDS.filter(({kind}, at) => (JSON.parse(outputs[at]?.stdout ?? '{}') as {title?: string}).title !== kind)).toEqual([])
  })

  test('49. the lines that scripts look for are v0.20\'s', () => {
    onCopy((run) => {
      run(prepared)
      const lines = Object.values(CHANGES).filter(({says}) => says !== undefined)
      const outputs = run(lines.map(({line}) => line))
      expect(lines.filter(({says}, at) => !says?.test(outputs[at]?.stdout ?? '')).map(({line}, at) => `${line}: ${outputs[at]?.stdout ?? ''}`)).toEqual([])
    })
  })

  test('50. calicoctl-NAME in PATH is a command, and never in the place of one of ours', () => {
    const bin = join(folder, 'plugins')
    mkdirSync(bin)
    const first = [...new Set(ids().map((id) => id.split(':')[0] ?? ''))]
    for (const name of ['hello', ...first]) writeFileSync(join(bin, `calicoctl-${name}`), '#!/bin/sh\necho plugin "$@"\n', {mode: 0o755})
    const plugged = (line: string) => inOwnProcess(line.split(' '), {env: {HOME: folder, PATH: `${bin}:${process.env.PATH ?? ''}`, CALICO_DATASTORE: `embedded:${storeFile(folder)}`}})
    return Promise.all([
      plugged('hello a -b').then(({stdout}) => expect(stdout).toBe('plugin a -b\n')),
      ...first.map(async (word) => expect([word, (await plugged(`${word} --help`)).stdout.startsWith('plugin')]).toEqual([word, false])),
      ...['profile show', 'version', 'help'].map(async (line) => expect((await plugged(line)).stdout).not.toContain('plugin ')),
    ])
  })
})
