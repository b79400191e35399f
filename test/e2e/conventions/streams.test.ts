/** The conventions of command lines (clig.dev, 12-factor CLI apps, GNU, POSIX, kubectl, no-color.org), one test each, for every command that they concern: streams, formats, errors and exit codes, 11 to 28. Where one is not held on purpose, the exceptions are a table, each with its reason. */
import {spawnSync} from 'node:child_process'
import {readFileSync, writeFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {CALICOCTL} from '../../support/cli.js'
import {againLines, changeLines, CHANGES, conventions, FAILING, helpOf, prepared, showing, wrong} from '../../support/conventions.js'
import {startSilentServer} from '../../support/silent-server.js'
import {type Output, storeFile, wordsOf} from '../../support/whole-store.js'

const {folder, run, one, start, commands, ids, shownAs, onCopy} = conventions()

describe('streams and formats', () => {
  const isJson = (text: string): boolean => {
    try {
      JSON.parse(text)
      return true
    } catch {
      return false
    }
  }

  test('11. stdout is data alone, also with --debug', () => {
    expect(wrong(shownAs('-o json --debug'), ({stdout}) => isJson(stdout))).toEqual([])
  })

  test('12. a failure leaves stdout empty, or with a whole document', () => {
    const away = run(showing.map((line) => `${line} -o json --timeout 100ms`), {CALICO_DATASTORE: 'http://127.0.0.1:1'})
    expect(away.flatMap(({code, stdout}, at) => (stdout === '' ? (code === 0 ? [showing[at]] : []) : isJson(stdout) ? [] : [showing[at]]))).toEqual([])
    expect(away.filter(({code}) => code === 6).length).toBeGreaterThan(30)
  })

  test('13. tables of get: an object a line, its name first, headers without blanks, no cell blank', () => {
    for (const line of showing.filter((each) => /^get [a-z.]+( -A)?$/.test(each))) {
      const {items = []} = JSON.parse(shownAs('-o json').get(line)?.stdout ?? '{}') as {items?: unknown[]}
      const [header = '', ...rows] = (shownAs('-o wide').get(line)?.stdout ?? '').split('\n').filter((text) => text.startsWith('|'))
      const cells = (text: string): string[] => text.split('|').slice(1, -1).map((cell) => cell.trim())
      expect([line, cells(header).filter((cell) => cell === '' || /\s/.test(cell))]).toEqual([line, []])
      expect([line, cells(header)[0]]).toEqual([line, expect.stringMatching(/^(NAME|NAMESPACE|KIND|CIDR|NODE|HANDLE|ID)$/)])
      const starts = rows.filter((row) => cells(row)[0] !== '')
      expect([line, starts.length]).toEqual([line, items.length])
      expect([line, starts.filter((row) => cells(row).includes(''))]).toEqual([line, []])
    }
  })

  test('14. -o plain: tabs, no borders, as many fields in each line', () => {
    const plain = new Map([...shownAs('-o plain')].filter(([, {stderr}]) => !stderr.includes('Usage:') && !stderr.includes('-o')))
    expect(plain.size).toBeGreaterThan(50)
    expect(wrong(plain, ({stdout}, line) => /^(policy (explain|test)|status|schema)/.test(line) || (!/^[+|]/m.test(stdout) && new Set(stdout.split('\n').slice(0, -1).map((text) => text.split('\t').length)).size <= 1))).toEqual([])
  })

  test('15. JSON says its apiVersion and kind', () => {
    expect(wrong(shownAs('-o json'), ({stdout}, line) => {
      const value = JSON.parse(stdout) as unknown
      return [value].flat().every((each) => line.endsWith('rule json') || (typeof (each as {apiVersion?: unknown}).apiVersion === 'string' && typeof (each as {kind?: unknown}).kind === 'string'))
    })).toEqual([])
  })

  test('16. the order is always the same', () => {
    const lines = showing.filter((line) => !/^(ipam assign|batch|history|create|apply|replace|mesos)/.test(line))
    const [first, second] = [run(lines), run(lines)]
    expect(lines.filter((_, at) => first[at]?.stdout !== second[at]?.stdout)).toEqual([])
  })

  test('17. -q prints nothing on success; -o name is what other commands take', () => {
    onCopy((run) => {
      expect(run(prepared).filter(({code}) => code !== 0)).toEqual([])
      const lines = changeLines.map((line) => `-q ${line}`)
      expect(run(lines).flatMap(({code, stdout, stderr}, at) => (code === 0 && stderr === '' && (stdout === '' || lines[at]?.includes('ipam assign')) ? [] : [`${lines[at] ?? ''}: ${code} ${stdout}${stderr}`]))).toEqual([])
    })
    const names = (line: string): string[] => one(`${line} -o name`).stdout.split('\n').filter((name) => name !== '')
    for (const kind of ['profile', 'pool', 'node', 'bgppeer', 'block', 'handle', 'tier']) {
      const all = names(`get ${kind}`)
      expect(all.length).toBeGreaterThan(0)
      expect([kind, run(all.map((name) => `get ${kind} ${name}`)).map(({code}) => code)]).toEqual([kind, all.map(() => 0)])
    }
    const TAKES: Readonly<Record<string, (name: string) => string>> = {
      'profile show': (name) => `profile ${name} rule show`,
      'profile web tag show': (name) => `profile web tag remove ${name} --dry-run`,
      'pool show': (name) => `pool set ${name} --nat-outgoing --dry-run`,
      'bgp peer show': (name) => `bgp peer remove ${name} --dry-run`,
      'node bgp peer show --node h1': (name) => `node bgp peer remove ${name} --node h1 --dry-run`,
      'endpoint show': (name) => `endpoint ${name} profile show`,
      'endpoint eth0 --workload w1 profile show': (name) => `profile ${name} tag show`,
      'node show': (name) => `node bgp peer show --node ${name}`,
      'get kinds': (name) => `get ${name} -A`,
      'lint codes': (name) => `lint codes ${name}`,
      schema: (name) => `schema ${name}`,
    }
    const taken = Object.entries(TAKES).flatMap(([line, use]) => {
      const all = names(line)
      return all.length === 0 ? [`${line}: none`] : run(all.map(use)).flatMap(({code, stderr}, at) => (code === 0 || /has no namespaces|More than one endpoint matches/.test(stderr) ? [] : [`${use(all[at] ?? '')}: ${code} ${stderr}`]))
    })
    expect(taken).toEqual([])
    expect(one(`undo ${names('history')[0] ?? ''} --dry-run`).code).toBe(0)
  })

  test('18. a change says in one line what it did; what is so already is unchanged', () => {
    onCopy((run) => {
      run(prepared)
      const lines = changeLines
      const first = run(lines)
      expect(lines.filter((_, at) => ![0].includes(first[at]?.code ?? -1))).toEqual([])
      const silent = lines.filter((_, at) => `${first[at]?.stdout ?? ''}${first[at]?.stderr ?? ''}`.trim() === '')
      expect(silent).toEqual([])
      const twice = lines.filter((_, at) => first[at]?.stdout.trim() !== '' && /(created|updated|deleted)( \(|$)/m.test(first[at]?.stderr ?? ''))
      expect(twice).toEqual(['pool remove 10.6.0.0/16']) // v0.20's line does not name the pool
      expect(lines.filter((_, at) => / updated$/m.test(first[at]?.stderr ?? ''))).toEqual([]) // what was changed is named
      const again = againLines
      const second = run(again)
      expect(again.flatMap((line, at) => (second[at]?.code === 0 && !/ (created|updated|deleted)/.test(second[at].stderr) && (second[at].stdout + second[at].stderr).trim() !== '' ? [] : [`${line}: ${second[at]?.code ?? ''} ${second[at]?.stdout ?? ''}${second[at]?.stderr ?? ''}`]))).toEqual([])
    })
  })

  test('19. no colours in a pipe, with NO_COLOR, TERM=dumb or --no-color; FORCE_COLOR has them (each stream: terminal.test.ts)', () => {
    const line = 'profile add coloured --dry-run'
    const esc = '\u001b['
    expect([...shownAs('')].filter(([, {stdout, stderr}]) => (stdout + stderr).includes(esc)).map(([each]) => each)).toEqual([])
    for (const more of [{}, {NO_COLOR: '1'}, {TERM: 'dumb'}]) expect(one(line, more).stdout).not.toContain(esc)
    expect(one(line, {FORCE_COLOR: '1'}).stdout).toContain(esc)
    const all = [...showing, ...changeLines.map((each) => `${each} --dry-run`)].map((each) => `${each} --no-color`)
    const outputs = run(all, {FORCE_COLOR: '1'})
    expect(all.filter((_, at) => `${outputs[at]?.stdout ?? esc}${outputs[at]?.stderr ?? ''}`.includes(esc))).toEqual([])
  })

  test('20. no progress is drawn in a pipe, however long it takes', async () => {
    const server = await startSilentServer()
    try {
      const {stdout, stderr} = await start('profile show --timeout 1500ms', {CALICO_DATASTORE: '', ETCD_ENDPOINTS: server.endpoint})
      expect(stdout).toBe('')
      expect(stderr).toMatch(/^Error: /)
      expect(stderr).not.toMatch(/[\r\u001b]/)
    } finally {
      await server.stop()
    }
  })

  test('21. on a terminal of 80 columns nothing wraps, and no cell of a table is blank', () => {
    /** Lines that may be wider: commands of etcd's and values in JSON, both to be copied. */
    const WIDER = /^etcdctl |^ *\{"/
    const lines = showing.filter((line) => !line.endsWith('--export'))
    writeFileSync(join(folder, 'lines.json'), JSON.stringify(lines.map(wordsOf)))
    const program = `stty cols 80; exec '${process.execPath}' '${resolve(import.meta.dirname, '../../support/many-lines.mjs')}' < lines.json 3> screens.json`
    const {status} = spawnSync('script', ['-qefc', program, '/dev/null'], {cwd: folder, env: {PATH: process.env.PATH, TERM: 'xterm', SHELL: '/bin/sh', HOME: folder, CALICO_DATASTORE: `embedded:${storeFile(folder)}`, HOSTNAME: 'h1', DOCKER_HOST: `unix://${folder}/none`}})
    expect(status).toBe(0)
    const screens = JSON.parse(readFileSync(join(folder, 'screens.json'), 'utf8')) as Output[]
    const plain = (text: string): string[] => text.replaceAll(/\u001b\[[0-9;]*m/g, '').split('\n')
    const found = lines.flatMap((line, at) => {
      const text = plain(screens[at]?.stdout ?? '')
      const wide = text.filter((each) => each.length > 80 && !WIDER.test(each))
      const blank = text.filter((each, row) => each.startsWith('|') && text[row - 1]?.startsWith('+') && each.split('|').slice(1, -1).some((cell) => cell.trim() === ''))
      return [...wide, ...blank].map((each) => `${line}: ${each}`)
    })
    expect(found).toEqual([])
  })

  test('22. control characters of the datastore are escaped (every command: hostile.test.ts)', () => {
    onCopy((run, path) => {
      const store = JSON.parse(readFileSync(path, 'utf8')) as {keys: string[][]}
      const keys = store.keys.map(([key = '', value = '', ...rest]) => [key, key.endsWith('profiles/web') ? value.replace('"front":""', '"front":"","x\\u001b[31m\\u202e":""') : value, ...rest])
      writeFileSync(path, JSON.stringify({...store, keys}))
      for (const {stdout, stderr} of run(['profile web tag show', 'profile show -o wide', 'get profile web -o json', 'get profile web -o yaml'])) expect(stdout + stderr).not.toMatch(/[\u001b\u202e]/)
    })
  })
})

describe('errors and exit codes', () => {
  test('23. a message names the object, and ends in a sentence or in what to do', () => {
    const outputs = run(FAILING.map(([line]) => line))
    expect(FAILING.flatMap(([line, object, code], at) => {
      const {code: ended = -1, stdout = '', stderr = ''} = outputs[at] ?? {}
      return ended === code && stdout === '' && /^(Usage:[^]*\n)?Error: /m.test(stderr) && stderr.includes(object) ? [] : [`${line}: ${ended} ${stdout}${stderr}`]
    })).toEqual([])
  })

  test('24. no stack trace, unless --debug, which says where to report', () => {
    const outputs = run(FAILING.map(([line]) => line))
    expect(FAILING.filter((_, at) => /^\s+at /m.test(outputs[at]?.stderr ?? '')).map(([line]) => line)).toEqual([])
    const debugged = run(FAILING.map(([line]) => `${line} --debug`))
    expect(FAILING.filter((_, at) => !/^\s+at [^]*\nTo report a bug/m.test(debugged[at]?.stderr ?? '')).map(([line]) => line)).toEqual([])
  })

  test('25. all problems of a line are told together', () => {
    expect(one('pool add 10.0.0.0/99 --confirm-within x --timeout y').stderr).toMatch(/^Error: 3 problems in the command line:$/m)
    const confirmed = Object.entries(CHANGES).filter(([id]) => 'confirm-within' in (commands()[id]?.flags ?? {})).map(([, {line}]) => `${line} --confirm-within x --timeout y`)
    expect(confirmed.length).toBeGreaterThan(15)
    const refused = run(confirmed)
    expect(confirmed.filter((_, at) => !/^Error: 2 problems in the command line:\n.*confirm-within.*\n.*timeout|^Error: 2 problems in the command line:\n.*timeout.*\n.*confirm-within/m.test(refused[at]?.stderr ?? ''))).toEqual([])
    writeFileSync(join(folder, 'bad.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: a}\nspec: {nonsense: 1}\n---\nkind: Tier\napiVersion: projectcalico.org/v3\nmetadata: {name: b}\nspec: {order: x}\n')
    expect(one('validate -f bad.yaml').stderr).toMatch(/bad\.yaml:4[^]*bad\.yaml:9/)
  })

  test('26. exit codes mean what help exit-codes says (2: own-node, 7: datastore, 9: faults, 130 and 143: no. 42)', async () => {
    const page = (await start('help exit-codes')).stdout
    for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 130, 143]) expect(page).toMatch(new RegExp(`^ {2}${code} `, 'm'))
    expect(one('profile show').code).toBe(0)
    expect(one('profile add web --error-unchanged').code).toBe(3)
    expect(one('profile show --timeout 100ms', {CALICO_DATASTORE: 'http://127.0.0.1:1'}).code).toBe(6)
    expect(one('profile show --expect-cluster other').code).toBe(6)
    expect(one('ipam check').code).toBe(10)
    expect(new Set(FAILING.map(([, , code]) => code))).toEqual(new Set([1, 4, 5, 8]))
    for (const id of ids()) expect([id, helpOf(id).includes('\nEXIT CODES\n') || id === 'help' || id === 'completion']).toEqual([id, true])
  })

  test('27. diff: 0 the same, 1 different, more than 1 an error', () => {
    writeFileSync(join(folder, 'other.yaml'), 'kind: Profile\napiVersion: projectcalico.org/v3\nmetadata: {name: web}\nspec: {}\n')
    expect(run(['diff -f node.yaml', 'diff -f other.yaml', 'diff -f nosuch.yaml', 'diff']).map(({code}) => code)).toEqual([0, 1, 2, 2])
  })

  test('28. a reader that has gone is no error', () => {
    const {stderr, status} = spawnSync('bash', ['-c', `set -o pipefail; '${process.execPath}' '${CALICOCTL}' lint codes | head -1 >/dev/null`], {env: {PATH: process.env.PATH, HOME: folder}, encoding: 'utf8'})
    expect(stderr).toBe('')
    expect([0, 141]).toContain(status)
  })
})
