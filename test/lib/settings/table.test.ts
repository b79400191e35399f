/** Every setting by every place that can give it, and the table of them in docs/configuration.md. */
import {readFileSync} from 'node:fs'
import {resolve as path} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import {resolveSettings} from '../../../src/lib/settings/settings.js'
import {isSettingVariable, SETTINGS, variableNames} from '../../../src/lib/settings/table.js'
import type {Settings} from '../../../src/lib/settings/types.js'

const CONFIG = '/etc/calico/calicoctl.cfg'
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const URL = 'https://given:1'

/** A value of each variable and key, what it needs beside it, and what of the settings then has it. */
interface Case {
  readonly value: string
  readonly beside?: Readonly<Record<string, string>>
  readonly seen: (settings: Settings) => unknown
  /** What SEEN gives; VALUE where it is not said. */
  readonly becomes?: unknown
}

const etcd = ({datastore}: Settings) => (datastore.type === 'etcd' ? datastore : undefined)
const endpoints = (settings: Settings): unknown => etcd(settings)?.endpoints.value[0]
const ENVIRONMENT = {ETCD_ENDPOINTS: URL, ETCD_CA_CERT_FILE: '/pem'}
const VARIABLES: Record<string, Case> = {
  CALICO_DATASTORE: {value: 'embedded:/tmp/x.json', seen: ({datastore}) => datastore.type, becomes: 'embedded'},
  DATASTORE_TYPE: {value: 'kubernetes', seen: () => undefined},
  ETCD_ENDPOINTS: {value: 'http://given:1', seen: endpoints},
  ETCD_AUTHORITY: {value: 'given:1', seen: endpoints, becomes: 'http://given:1'},
  ETCD_SCHEME: {value: 'https', beside: {ETCD_CA_CERT_FILE: '/pem'}, seen: endpoints, becomes: 'https://127.0.0.1:2379'},
  ETCD_CA_CERT_FILE: {value: '/pem', beside: {ETCD_ENDPOINTS: URL}, seen: (all) => etcd(all)?.ca?.value.file},
  ETCD_CERT_FILE: {value: '/pem', beside: {...ENVIRONMENT, ETCD_KEY_FILE: '/key'}, seen: (all) => etcd(all)?.cert?.value.file},
  ETCD_KEY_FILE: {value: '/pem', beside: {...ENVIRONMENT, ETCD_CERT_FILE: '/key'}, seen: (all) => etcd(all)?.key?.value.file},
  ETCD_USERNAME: {value: 'given', beside: {ETCD_PASSWORD: 'p'}, seen: (all) => etcd(all)?.username?.value},
  ETCD_PASSWORD: {value: 'given', beside: {ETCD_USERNAME: 'u'}, seen: (all) => etcd(all)?.password?.value},
  CALICO_EXPECT_CLUSTER: {value: 'given', seen: ({expectCluster}) => expectCluster?.value},
  CALICOCTL_JOURNAL: {value: '/given', seen: ({journal}) => journal?.value},
}
const KEYS: Record<string, Case> = {
  datastoreType: {value: 'kubernetes', beside: {etcdEndpoints: 'http://c:1'}, seen: () => undefined},
  etcdEndpoints: {value: 'http://given:1', seen: endpoints},
  etcdCACertFile: {value: '/pem', beside: {etcdEndpoints: URL}, seen: (all) => etcd(all)?.ca?.value.file},
  etcdCACert: {value: PEM, beside: {etcdEndpoints: URL}, seen: (all) => etcd(all)?.ca?.value.pem},
  etcdCertFile: {value: '/pem', beside: {etcdEndpoints: URL, etcdKeyFile: '/key'}, seen: (all) => etcd(all)?.cert?.value.file},
  etcdKeyFile: {value: '/pem', beside: {etcdEndpoints: URL, etcdCertFile: '/key'}, seen: (all) => etcd(all)?.key?.value.file},
  etcdCert: {value: PEM, beside: {etcdEndpoints: URL, etcdKeyFile: '/key'}, seen: (all) => etcd(all)?.cert?.value.pem},
  etcdKey: {value: PEM, beside: {etcdEndpoints: URL, etcdCertFile: '/key'}, seen: (all) => etcd(all)?.key?.value.pem},
  etcdUsername: {value: 'given', beside: {etcdEndpoints: 'http://c:1', etcdPassword: 'p'}, seen: (all) => etcd(all)?.username?.value},
  etcdPassword: {value: 'given', beside: {etcdEndpoints: 'http://c:1', etcdUsername: 'u'}, seen: (all) => etcd(all)?.password?.value},
}

function caseOf(cases: Record<string, Case>, name: string): Case {
  const found = cases[name]
  if (!found) throw new Error(`there is no case for ${name}`)
  return found
}

interface Given {
  readonly flags?: {datastore?: string; config?: string; expectCluster?: string}
  readonly env?: Readonly<Record<string, string>>
  readonly file?: string
  readonly at?: string
}

const settings = ({flags = {}, env = {}, file, at = CONFIG}: Given): Promise<Settings> =>
  resolveSettings({
    flags,
    env,
    directory: () => '/',
    home: () => '/home/me',
    readFile(name) {
      const text = name === at ? file : ['/pem', '/key'].includes(name) ? PEM : undefined
      if (text === undefined) throw Object.assign(new Error(name), {code: 'ENOENT'})
      return text
    },
  })

const config = (spec: Readonly<Record<string, string>>, annotations: Record<string, string> = {}): string =>
  JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'CalicoAPIConfig', metadata: {annotations}, spec})

/** A value that is refused is heard, too. */
const outcome = (given: Given, {seen}: Case): Promise<unknown> => settings(given).then(seen, (error: unknown) => (error as Error).message)

const allVariables = SETTINGS.flatMap(({variables}): readonly string[] => variables)
const allKeys = SETTINGS.flatMap(({keys}): readonly string[] => keys)

test('there is a case for each', () => {
  expect(Object.keys(VARIABLES).sort()).toEqual([...allVariables].sort())
  expect(Object.keys(KEYS).sort()).toEqual([...allKeys].sort())
})

describe('by a variable', () => {
  const names = SETTINGS.flatMap(({variables}) => variables.flatMap((name) => variableNames(name).map((spelt): [string, string] => [spelt, name])))
  const found = (spelt: string, each: Case): unknown => (each.value === 'kubernetes' ? expect.stringContaining(`${spelt}: the datastore type 'kubernetes'`) : (each.becomes ?? each.value))
  test.each(names)('%s', async (spelt, name) => {
    const each = caseOf(VARIABLES, name)
    expect(isSettingVariable(spelt)).toBe(true)
    expect(await outcome({env: {...each.beside, [spelt]: each.value}}, each)).toEqual(found(spelt, each))
  })
  test.each(names.filter(([spelt, name]) => spelt !== name))('%s before %s', async (spelt, name) => {
    const each = caseOf(VARIABLES, name)
    expect(await outcome({env: {...each.beside, [name]: 'other', [spelt]: each.value}}, each)).toEqual(found(spelt, each))
  })
  test.each(names)('an empty %s is none', async (spelt, name) => {
    const each = caseOf(VARIABLES, name)
    const others = Object.fromEntries(Object.entries(each.beside ?? {}).filter(([beside]) => !/KEY_FILE|CERT_FILE|USERNAME|PASSWORD/.test(beside)))
    const secure = others.ETCD_ENDPOINTS === undefined ? {} : {ETCD_ENDPOINTS: 'http://a:1'}
    expect(await settings({env: {...secure, [spelt]: ''}})).toEqual(await settings({env: secure}))
  })
})

test.each(allKeys.map((key) => [key]))('by the key %s of the configuration file', async (key) => {
  const each = caseOf(KEYS, key)
  const file = config({...each.beside, [key]: each.value})
  for (const given of [{file}, {file, at: '/x.cfg', flags: {config: '/x.cfg'}}]) {
    expect(await outcome(given, each)).toEqual(each.value === 'kubernetes' ? expect.stringContaining("the datastore type 'kubernetes'") : each.value)
  }
})

test('by the annotation, and by the options', async () => {
  expect((await settings({file: config({}, {'calicoctl/expect-cluster': 'given'})})).expectCluster?.value).toBe('given')
  expect((await settings({flags: {expectCluster: 'given'}, env: {CALICO_EXPECT_CLUSTER: 'other'}})).expectCluster?.value).toBe('given')
  expect(endpoints(await settings({flags: {datastore: 'http://given:1'}, env: {CALICO_ETCD_ENDPOINTS: 'http://other:1'}}))).toBe('http://given:1')
  expect((await settings({flags: {datastore: 'embedded:/x'}})).datastore.type).toBe('embedded')
})

test('docs/configuration.md\'s table is the code\'s', () => {
  const text = readFileSync(path(import.meta.dirname, '../../../docs/configuration.md'), 'utf8')
  const rows = (/\n## Which datastore\n[^]*?\n(\|[^]*?)\n\n/.exec(text)?.[1] ?? '').split('\n').slice(2)
  const words = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => (match[1] ?? '').replaceAll('\\|', '|'))
  const shown = rows.map((row) => {
    const [name = '', flag = '', variables = '', file = '', fallback = ''] = row.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())
    return {name, flag: words(flag), variables: words(variables), file: words(file).filter((word) => word !== 'metadata:'), fallback: fallback.replaceAll('`', '')}
  })
  expect(shown).toEqual(
    SETTINGS.map((row: {name: string; flag?: string; variables: readonly string[]; keys: readonly string[]; annotation?: string; default?: string}) => ({
      name: row.name,
      flag: row.flag === undefined ? [] : [row.flag],
      variables: row.variables,
      file: [...row.keys, ...(row.annotation === undefined ? [] : [row.annotation])],
      fallback: row.default ?? '',
    })),
  )
})
