/** The Mesos plugin's log. */
import {execFileSync} from 'node:child_process'
import {mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {beforeAll, describe, expect, test} from '@jest/globals'
import {failure, mesosPlugin} from '../support/mesos-plugin.js'
import {CALICO_MESOS, plugin} from '../support/net-modules.js'

const world = mesosPlugin()
const {options, pool, allocation} = world

describe('the log', () => {
  const log = (name: string): string => join(world.folder, 'logs', name, 'isolator.log')
  beforeAll(() => mkdirSync(join(world.folder, 'logs')))
  const into = (file: string): Readonly<Record<string, string>> => ({CALICO_MESOS_LOG_FILE: file})

  test('version and datastore first, request and answer; readable by root and its group; no password', async () => {
    const file = log('plain')
    await pool()
    await allocation('u', {}, {...into(file), ETCD_USERNAME: 'someone', ETCD_PASSWORD: 'a-secret'})
    const text = readFileSync(file, 'utf8')
    const {version} = JSON.parse(readFileSync(join(dirname(CALICO_MESOS), '../package.json'), 'utf8')) as {version: string}
    const [first, second] = text.split('\n')
    expect(first).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \[\d+\] calico_mesos /)
    expect(first).toContain(`calico_mesos ${version}, datastore etcd ${world.etcd.endpoints[0] ?? ''} (from ETCD_ENDPOINTS)`)
    expect(second).toContain('request {"command":"allocate"')
    expect(text).toMatch(/answer \{"error":.*\}\n$/)
    expect(text).not.toContain('a-secret')
    expect(statSync(file).mode & 0o777).toBe(0o640)
  })

  test('a request of several lines is one line', async () => {
    const file = log('lines')
    await plugin('{\n"args":\n{}}\n2026-01-01T00:00:00.000Z [1] answer {"error":null}', options(into(file)))
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(4)
  })

  test('one file for a day, ten old ones', async () => {
    const file = log('rotated')
    mkdirSync(dirname(file))
    for (let day = 10; day < 22; day++) writeFileSync(`${file}.2020-01-${day}`, '')
    writeFileSync(`${file}.notes`, '')
    writeFileSync(file, 'yesterday\n')
    utimesSync(file, new Date('2020-02-03T12:00:00Z'), new Date('2020-02-03T12:00:00Z'))
    await plugin('{}', options(into(file)))
    const names = readdirSync(dirname(file)).sort()
    expect(names.filter((name) => /\d$/.test(name))).toEqual([...Array.from({length: 9}, (_, i) => `isolator.log.2020-01-${13 + i}`), 'isolator.log.2020-02-03'])
    expect(names).toContain('isolator.log.notes')
    expect(readFileSync(`${file}.2020-02-03`, 'utf8')).toBe('yesterday\n')
    expect(readFileSync(file, 'utf8')).not.toContain('yesterday')
  })

  test('where none can be written, there is none', async () => {
    const target = join(world.folder, 'target')
    writeFileSync(target, '')
    mkdirSync(join(world.folder, 'logs', 'linked'))
    symlinkSync(target, log('linked'))
    execFileSync('mkfifo', [join(world.folder, 'pipe')])
    for (const file of ['/proc/nonsense/isolator.log', world.folder, log('linked'), join(world.folder, 'pipe')]) {
      expect(await plugin('{"args":{}}', options(into(file)))).toMatchObject(failure('Missing command'))
    }
    expect(readFileSync(target, 'utf8')).toBe('')
  })
})
