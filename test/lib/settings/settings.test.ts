import {describe, expect, test, jest} from '@jest/globals'
import {effectiveSettings} from '../../../src/lib/settings/effective.js'
import type {SettingsInputs} from '../../../src/lib/settings/inputs.js'
import {resolveSettings} from '../../../src/lib/settings/settings.js'
import type {Settings} from '../../../src/lib/settings/types.js'

const CONFIG = '/etc/calico/calicoctl.cfg'
const PEM = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'

interface Given {
  flags?: SettingsInputs['flags']
  env?: Record<string, string>
  files?: Record<string, string | {code: string}>
}

const resolve = ({flags = {}, env = {}, files = {}}: Given = {}): Promise<Settings> =>
  resolveSettings({
    flags,
    env,
    directory: () => '/work',
    home: () => '/home/me',
    readFile(path) {
      const text = files[path] ?? {code: 'ENOENT'}
      if (typeof text === 'string') return text
      throw Object.assign(new Error(`${text.code}: ${path}`), text)
    },
  })

/** Everything that resolve complains about. */
async function problems(given: Given): Promise<string[]> {
  const error: unknown = await resolve(given).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const {kind, message, details} = error as {kind: string; message: string; details: string[]}
  expect(kind).toBe('invalid')
  return details.length > 0 ? [...details] : [message]
}

const config = (spec: Record<string, string>, annotations: Record<string, string> = {}): string =>
  JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'CalicoAPIConfig', metadata: {annotations}, spec})

const etcd = (urls: string[], origin: string): object => ({type: 'etcd', endpoints: {value: urls, origin}})

describe('which endpoints', () => {
  test.each<[string, Given, object]>([
    ['nothing set', {}, etcd(['http://127.0.0.1:2379'], 'the default')],
    ['ETCD_ENDPOINTS, blanks and doubles', {env: {ETCD_ENDPOINTS: 'http://a:1 , http://b:2,http://a:1'}}, etcd(['http://a:1', 'http://b:2'], 'ETCD_ENDPOINTS')],
    ['CALICO_ wins', {env: {ETCD_ENDPOINTS: 'http://a:1', CALICO_ETCD_ENDPOINTS: 'http://b:2'}}, etcd(['http://b:2'], 'CALICO_ETCD_ENDPOINTS')],
    ['an empty variable is not set', {env: {ETCD_ENDPOINTS: '', CALICO_ETCD_ENDPOINTS: ''}}, etcd(['http://127.0.0.1:2379'], 'the default')],
    ['ETCD_AUTHORITY', {env: {ETCD_AUTHORITY: '10.0.0.1:4001'}}, etcd(['http://10.0.0.1:4001'], 'ETCD_AUTHORITY')],
    ['a slash at the end, as Go takes it', {env: {ETCD_ENDPOINTS: 'http://a:1/,http://b:2/'}}, etcd(['http://a:1', 'http://b:2'], 'ETCD_ENDPOINTS')],
    ['a slash behind ETCD_AUTHORITY', {env: {ETCD_AUTHORITY: 'a:1/'}}, etcd(['http://a:1'], 'ETCD_AUTHORITY')],
    ['CALICO_ETCD_AUTHORITY and CALICO_ETCD_SCHEME', {env: {CALICO_ETCD_AUTHORITY: 'a:1', CALICO_ETCD_SCHEME: 'http', ETCD_AUTHORITY: 'b:2', ETCD_SCHEME: 'x'}}, etcd(['http://a:1'], 'CALICO_ETCD_AUTHORITY')],
    ['an empty option is none', {flags: {datastore: '', config: ''}, env: {ETCD_ENDPOINTS: 'http://a:1'}}, etcd(['http://a:1'], 'ETCD_ENDPOINTS')],
    ['ETCD_SCHEME alone', {env: {ETCD_SCHEME: 'http'}}, etcd(['http://127.0.0.1:2379'], 'ETCD_SCHEME')],
    ['ETCD_ENDPOINTS before ETCD_AUTHORITY', {env: {ETCD_ENDPOINTS: 'http://a:1', ETCD_AUTHORITY: 'bad'}}, etcd(['http://a:1'], 'ETCD_ENDPOINTS')],
    ['an IPv6 address in brackets', {env: {ETCD_ENDPOINTS: 'http://[fd00::1]:2379'}}, etcd(['http://[fd00::1]:2379'], 'ETCD_ENDPOINTS')],
    ['the flag before all', {flags: {datastore: 'http://f:1,http://g:2'}, env: {ETCD_ENDPOINTS: 'http://a:1'}}, etcd(['http://f:1', 'http://g:2'], '--datastore')],
    ['CALICO_DATASTORE with URLs', {env: {CALICO_DATASTORE: 'http://f:1', ETCD_ENDPOINTS: 'http://a:1'}}, etcd(['http://f:1'], 'CALICO_DATASTORE')],
    ['etcd = ask the other sources', {flags: {datastore: 'etcd'}, env: {CALICO_DATASTORE: 'embedded', ETCD_ENDPOINTS: 'http://a:1'}}, etcd(['http://a:1'], 'ETCD_ENDPOINTS')],
    ['etcdv3, as Calico calls it, is etcd', {flags: {datastore: 'etcdv3'}, env: {CALICO_DATASTORE: 'embedded', ETCD_ENDPOINTS: 'http://a:1'}}, etcd(['http://a:1'], 'ETCD_ENDPOINTS')],
    ['the configuration file', {files: {[CONFIG]: config({datastoreType: 'etcdv3', etcdEndpoints: 'http://c:1'})}}, etcd(['http://c:1'], CONFIG)],
    ['the environment before the file', {env: {ETCD_ENDPOINTS: 'http://a:1'}, files: {[CONFIG]: config({etcdEndpoints: 'http://c:1'})}}, etcd(['http://a:1'], 'ETCD_ENDPOINTS')],
    ['another file', {flags: {config: '/x.cfg'}, files: {'/x.cfg': config({etcdEndpoints: 'http://x:1'}), [CONFIG]: 'not: read: at: all'}}, etcd(['http://x:1'], '/x.cfg')],
    ['YAML', {files: {[CONFIG]: 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n  etcdEndpoints: http://y:1\n'}}, etcd(['http://y:1'], CONFIG)],
    ['embedded', {flags: {datastore: 'embedded'}}, {type: 'embedded', path: {value: '/home/me/.local/state/calicoctl/store.json', origin: '--datastore'}}],
    ['embedded, XDG', {env: {CALICO_DATASTORE: 'embedded', XDG_STATE_HOME: '/state'}}, {type: 'embedded', path: {value: '/state/calicoctl/store.json', origin: 'CALICO_DATASTORE'}}],
    ['embedded with a path', {flags: {datastore: 'embedded:/tmp/a:b.json'}}, {type: 'embedded', path: {value: '/tmp/a:b.json', origin: '--datastore'}}],
    ['embedded with a relative path', {flags: {datastore: 'embedded:s.json'}}, {type: 'embedded', path: {value: '/work/s.json', origin: '--datastore'}}],
  ])('%s', async (_, given, expected) => {
    expect((await resolve(given)).datastore).toEqual(expected)
  })

  test('both forms set: the winner is used, and that is said', async () => {
    expect((await resolve({env: {ETCD_ENDPOINTS: 'http://a:1', ETCD_AUTHORITY: 'b:2'}})).warnings).toEqual([expect.stringContaining('ETCD_AUTHORITY')])
  })
})

describe('what v0.20 refuses in the variables (cli-v0.20 §1.5), and what is refused beyond', () => {
  test.each<[Record<string, string>, string]>([
    [{ETCD_ENDPOINTS: 'a:1'}, 'does not have the form'],
    [{ETCD_ENDPOINTS: 'http://a:1://b'}, 'does not have the form'],
    [{ETCD_ENDPOINTS: 'http://a:1,'}, 'an entry is empty'],
    [{ETCD_ENDPOINTS: 'http://a:1,https://b:2', ETCD_CA_CERT_FILE: '/ca'}, 'http and https are mixed'],
    [{ETCD_ENDPOINTS: 'ftp://a:1'}, 'neither http:// nor https://'],
    [{ETCD_ENDPOINTS: 'http://a'}, 'does not have the form HOST:PORT'],
    [{ETCD_ENDPOINTS: 'http://fd00::1:2379'}, 'in brackets'],
    [{ETCD_ENDPOINTS: 'http://[fd00::g]:2379'}, 'neither a host name nor an IP address'],
    [{ETCD_ENDPOINTS: 'http://a:1/v2'}, 'a path'],
    [{ETCD_ENDPOINTS: 'http://a:1//'}, 'a path'],
    [{ETCD_ENDPOINTS: 'http://a:1 http://b:2'}, "a space in the endpoint that begins with 'http://a:1'; separate several endpoints with commas"],
    [{ETCD_ENDPOINTS: 'http://a:1 ETCD_PASSWORD=hunter2'}, 'ETCD_PASSWORD=… follows'],
    [{ETCD_AUTHORITY: 'a:1 ETCD_SCHEME=http'}, 'ETCD_SCHEME=… follows'],
    [{ETCD_ENDPOINTS: '"http://a:1"'}, 'quotation marks'],
    [{ETCD_ENDPOINTS: 'http://a:0'}, 'not a port'],
    [{ETCD_ENDPOINTS: 'http://a:65536'}, 'not a port'],
    [{ETCD_ENDPOINTS: 'http://a:x'}, 'not a port'],
    [{ETCD_ENDPOINTS: 'http://a_b:1'}, 'neither a host name nor an IP address'],
    [{ETCD_ENDPOINTS: 'http://-a:1'}, 'neither a host name nor an IP address'],
    [{ETCD_ENDPOINTS: 'http://a-.b:1'}, 'neither a host name nor an IP address'],
    [{ETCD_ENDPOINTS: `http://${'a'.repeat(64)}:1`}, 'neither a host name nor an IP address'],
    [{ETCD_ENDPOINTS: `http://${'a.'.repeat(128)}a:1`}, 'neither a host name nor an IP address'],
    [{ETCD_AUTHORITY: 'a'}, 'does not have the form HOST:PORT'],
    [{ETCD_AUTHORITY: '10.1:2379'}, "the address '10.1' in '10.1:2379' is not written in full: v0.20 read it as 10.0.0.1; if you mean that, write 10.0.0.1"],
    [{ETCD_ENDPOINTS: 'http://127.1:2379'}, 'write 127.0.0.1'],
    [{ETCD_ENDPOINTS: 'http://010.0.0.1:2379'}, 'write 8.0.0.1'],
    [{ETCD_SCHEME: 'HTTP'}, 'neither http nor https'],
    [{ETCD_SCHEME: 'https'}, 'set ETCD_CA_CERT_FILE'],
    [{ETCD_ENDPOINTS: 'https://a:1', ETCD_CA_CERT_FILE: '/none'}, 'there is no such file'],
    [{ETCD_ENDPOINTS: 'https://a:1', ETCD_CA_CERT_FILE: '/ca', ETCD_CERT_FILE: '/ca'}, 'no key'],
    [{ETCD_ENDPOINTS: 'https://a:1', ETCD_CA_CERT_FILE: '/ca', ETCD_KEY_FILE: '/ca'}, 'no certificate'],
    [{ETCD_ENDPOINTS: 'https://a:1', ETCD_CA_CERT_FILE: '/text'}, 'not a PEM text'],
    [{ETCD_DISCOVERY_SRV: 'example.com'}, 'not supported; set the endpoints'],
    [{DATASTORE_TYPE: 'kubernetes'}, "'kubernetes' is not supported"],
    [{ETCD_USERNAME: 'u'}, 'no password'],
    [{ETCD_PASSWORD: 'p'}, 'no user name'],
    [{CALICO_DATASTORE: 'zookeeper'}, 'is not etcd, embedded'],
    [{CALICO_DATASTORE: 'embedded:'}, 'contains no file name'],
  ])('%j', async (env, words) => {
    const found = await problems({env, files: {'/ca': PEM, '/text': 'hello'}})
    expect(found).toEqual([expect.stringContaining(words)])
    expect(found[0]).not.toContain('hunter2')
    expect(found[0]).toContain(Object.keys(env).find((name) => found[0]?.startsWith(name)) ?? 'no variable named')
  })

  test('with http the TLS files are not looked at', async () => {
    await expect(resolve({env: {ETCD_ENDPOINTS: 'http://a:1', ETCD_KEY_FILE: '/none'}})).resolves.toMatchObject({datastore: {type: 'etcd'}})
  })

  test('a password in a URL is refused and not repeated', async () => {
    for (const url of ['http://user:hunter2@a:1', 'user:hunter2@a:1', 'http://user:hunter2@a:1://', 'http://user:/hunter2 x@a:1', 'http://user:x,hunter2://y@a:1', 'http://user:a,"hunter2,b@a:1', 'http://user:,"hunter2@a:1']) {
      const found = await problems({env: {ETCD_ENDPOINTS: url}})
      expect(found.join('\n')).not.toContain('hunter2')
    }
  })

  test('all problems are told together', async () => {
    const found = await problems({env: {ETCD_ENDPOINTS: 'http://a,https://b:0', DATASTORE_TYPE: 'x', ETCD_USERNAME: 'u'}})
    expect(found.length).toBeGreaterThanOrEqual(5)
  })
})

describe('one group: TLS and credentials come from where the endpoints come from (decisions.md 14)', () => {
  const secrets = {ETCD_USERNAME: 'u', ETCD_PASSWORD: 'p', ETCD_CA_CERT_FILE: '/ca'}
  const files = {'/ca': PEM, '/cert': PEM, '/key': PEM}

  test('all of the environment', async () => {
    const env = {...secrets, ETCD_ENDPOINTS: 'https://a:1', ETCD_CERT_FILE: '/cert', CALICO_ETCD_KEY_FILE: '/key'}
    expect((await resolve({env, files})).datastore).toEqual({
      ...etcd(['https://a:1'], 'ETCD_ENDPOINTS'),
      ca: {value: {file: '/ca', pem: PEM}, origin: 'ETCD_CA_CERT_FILE'},
      cert: {value: {file: '/cert', pem: PEM}, origin: 'ETCD_CERT_FILE'},
      key: {value: {file: '/key', pem: PEM}, origin: 'CALICO_ETCD_KEY_FILE'},
      username: {value: 'u', origin: 'ETCD_USERNAME'},
      password: {value: 'p', origin: 'ETCD_PASSWORD'},
    })
  })

  test('endpoints of the flag or of the file get nothing of the environment', async () => {
    expect((await resolve({flags: {datastore: 'https://f:1'}, env: secrets, files})).datastore).toEqual(etcd(['https://f:1'], '--datastore'))
    expect((await resolve({env: secrets, files: {...files, [CONFIG]: config({etcdEndpoints: 'https://c:1'})}})).datastore).toEqual(etcd(['https://c:1'], CONFIG))
  })

  test('endpoints of the environment get nothing of the file', async () => {
    const file = config({etcdEndpoints: 'http://c:1', etcdUsername: 'fu', etcdPassword: 'fp'})
    expect((await resolve({env: {ETCD_ENDPOINTS: 'http://a:1'}, files: {[CONFIG]: file}})).datastore).toEqual(etcd(['http://a:1'], 'ETCD_ENDPOINTS'))
  })

  test('all of the file, PEM in a file or inline', async () => {
    const file = config({etcdEndpoints: 'https://c:1', etcdUsername: 'fu', etcdPassword: 'fp', etcdCACert: PEM, etcdCertFile: '/cert', etcdKeyFile: '/key'})
    expect((await resolve({files: {...files, [CONFIG]: file}})).datastore).toMatchObject({
      ca: {value: {file: 'inline', pem: PEM}, origin: CONFIG},
      cert: {value: {file: '/cert'}},
      key: {value: {file: '/key'}},
      username: {value: 'fu', origin: CONFIG},
    })
  })
})

describe('the configuration file', () => {
  test.each<[string, string]>([
    ['{', 'not YAML'],
    ['- a', 'the file'],
    [JSON.stringify({apiVersion: 'v1', kind: 'CalicoAPIConfig'}), 'apiVersion'],
    [JSON.stringify({apiVersion: 'projectcalico.org/v3', kind: 'Other'}), 'kind'],
    [config({etcdEndpoint: 'http://a:1'}), 'unknown key spec.etcdEndpoint; did you mean spec.etcdEndpoints?'],
    ['apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdEndpoints: http://a:1\n  etcdEndpoints: http://b:1\n', 'unique'],
    [config({datastoreType: 'kubernetes', etcdEndpoints: 'http://a:1'}), 'not supported'],
    [config({etcdEndpoints: 'https://a:1', etcdCACert: PEM, etcdCACertFile: '/ca'}), 'both set'],
  ])('%s', async (text, words) => {
    expect((await problems({files: {[CONFIG]: text}})).join('\n')).toContain(words)
  })

  test('a key that is no text is refused, and Node prints no warning of its own', async () => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    expect(await problems({files: {[CONFIG]: '? {a: b}\n: c\n'}})).not.toEqual([])
    expect(warned).not.toHaveBeenCalled()
    warned.mockRestore()
  })
  test('what is wrong with its YAML is said without the text that stands there: it may be a password, or long', async () => {
    const said = (await problems({files: {[CONFIG]: `a: b\n- hunter2${'x'.repeat(100_000)}\nc: |hunter2\n d\n`}})).join('\n')
    expect(said).toContain('not YAML: line 2')
    expect(said).not.toContain('hunter2')
    expect(said.length).toBeLessThan(2_000)
  })

  test.each([['!!hunter2', 'begins with ! in quotes'], ['!x!hunter2', 'begins with ! in quotes'], ['"\\Uhunter2x"', 'double quotes'], ['| hunter2', 'not YAML'], ['> hunter2', 'Not a YAML token'], ['a: hunter2', 'not YAML'], ['[hunter2', 'not YAML']])('nor is the part of a value repeated that means something to YAML: %s', async (password, words) => {
    const said = (await problems({files: {[CONFIG]: `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdPassword: ${password}\n  etcdEndpoints: x\n`}})).join('\n')
    expect(said).not.toContain('hunter')
    if (password !== '!!hunter2') expect(said).toContain(words)
  })

  test('one that was asked for must be there', async () => {
    expect(await problems({flags: {config: '/none'}})).toEqual(['the configuration file /none cannot be read: there is no such file'])
  })

  test('one that cannot be read is an error if it is needed, else a warning', async () => {
    const files = {[CONFIG]: {code: 'EACCES'}}
    const said = `the configuration file ${CONFIG} cannot be read: permission denied`
    expect(await problems({files})).toEqual([said])
    expect((await resolve({env: {ETCD_ENDPOINTS: 'http://a:1'}, files})).warnings).toEqual([expect.stringContaining(`${said.replace(/[^.?]$/, '$&.')} The file is not needed, because ETCD_ENDPOINTS sets the datastore; it is ignored`)])
  })

  const OLD = 'apiVersion: v1\nkind: calicoApiConfig\nmetadata:\nspec:\n  datastoreType: "etcdv2"\n  etcdAuthority: 10.0.0.1:2379\n  etcdScheme: http\n'
  const TABS = 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n\tetcdEndpoints: http://c:1\n'
  const BROKEN: [string, string][] = [
    ['of calicoctl 1.x', OLD],
    ['indented with tabs', TABS],
    ['a map that is never closed', '{'],
    ['with a key that nobody knows', config({etcdEndpoint: 'http://a:1'})],
    ['that says things twice', config({etcdEndpoints: 'https://c:1', etcdCACert: PEM, etcdCACertFile: '/ca'})],
    ['of variables', 'ETCD_ENDPOINTS=http://a:1\n'],
  ]
  test.each(BROKEN)('a file %s is an error where it is needed, and a warning where it is not', async (_, text) => {
    const files = {[CONFIG]: text}
    const said = await problems({files})
    for (const given of [{env: {ETCD_ENDPOINTS: 'http://a:1'}}, {env: {ETCD_AUTHORITY: 'a:1'}}, {flags: {datastore: 'http://a:1'}}]) {
      const {datastore, warnings} = await resolve({...given, files})
      expect(datastore).toMatchObject({endpoints: {value: ['http://a:1']}})
      expect(warnings).toEqual([expect.stringContaining(said[0] ?? '?')])
    }
    expect((await resolve({flags: {datastore: 'embedded'}, files})).warnings).toHaveLength(1)
    const asked = {flags: {config: '/x.cfg'}, files: {'/x.cfg': text}}
    expect(await problems(asked)).toEqual(said.map((each) => each.replace(CONFIG, '/x.cfg')))
    expect((await resolve({...asked, env: {ETCD_ENDPOINTS: 'http://a:1'}})).warnings).toHaveLength(1)
  })

  test('one of calicoctl 1.x: whose form it is and what to write, with line and column', async () => {
    expect(await problems({files: {[CONFIG]: OLD}})).toEqual([
      `${CONFIG}: line 1, column 13: this file has the format of calicoctl 1.x (apiVersion: v1, kind: calicoApiConfig); this version reads the format of calicoctl 3.x. Write apiVersion: projectcalico.org/v3 (line 1, column 13), kind: CalicoAPIConfig (line 2, column 7), datastoreType: etcdv3 (line 5, column 18), etcdEndpoints: http://HOST:2379 instead of etcdAuthority (line 6, column 3) and etcdScheme (line 7, column 3)`,
    ])
    expect((await problems({files: {[CONFIG]: 'apiVersion: projectcalico.org/v3\nkind: calicoApiConfig\n'}})).join()).toMatch(/line 2, column 7: .*Write kind: CalicoAPIConfig \(line 2, column 7\)$/)
  })

  test.each<[string, string, string]>([
    ['tabs', TABS, 'not YAML: line 4, column 1: a tab at the beginning of a line; indent YAML with spaces'],
    ['an unknown key', 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdEndpoint: http://a:1\n', 'line 4, column 3: unknown key spec.etcdEndpoint'],
    ['an unknown key that is long', `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  ? ${'k'.repeat(900)}\n  : v\n`, `unknown key spec.${'k'.repeat(80)}…`],
    ['a long key with a wrong value', `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\n  annotations:\n    ? ${'k'.repeat(900)}\n    : [v]\nspec: {}\n`, `metadata.annotations.${'k'.repeat(80)}…: must be a string`],
    ['a value', 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdPassword: 12345\n', 'line 4, column 17: spec.etcdPassword: must be a string'],
    ['a list', '- a\n', 'line 1, column 1: the file: must be an object with keys and values'],
    ['two documents', `${config({etcdEndpoints: 'http://a:1'})}\n---\n# another\na: b\n`, 'line 2, column 1: a second document begins; a configuration file has one'],
    ['keys inside each other on a line', '!a b: '.repeat(5000), 'not read: it has more than 100 lists or maps inside each other'],
    ['a text as the spec', 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec: x\n', 'line 3, column 7: spec: must be an object with keys and values'],
    ['another version', 'apiVersion: v9\nkind: CalicoAPIConfig\n', 'line 1, column 13: apiVersion: must be projectcalico.org/v3'],
    ['no version', 'kind: CalicoAPIConfig\nspec: {}\n', `${CONFIG}: apiVersion: must be projectcalico.org/v3`],
  ])('what is wrong is told with line and column: %s', async (_, text, words) => {
    expect((await problems({files: {[CONFIG]: text}})).join('\n')).toContain(words)
  })

  test.each(['', '\n', '# nothing yet\n', '---\n', '# a\n---\n# b\n', '--- \n...\n', '{}\n', '\uFEFF# a\n', 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n'])('one without a setting is not a file: %j', async (text) => {
    for (const given of [{files: {[CONFIG]: text}}, {flags: {config: '/x.cfg'}, files: {'/x.cfg': text}}]) {
      expect(await resolve(given)).toEqual({datastore: etcd(['http://127.0.0.1:2379'], 'the default'), warnings: []})
    }
  })

  test('one with a password but without endpoints: that it is not used is said', async () => {
    expect((await resolve({files: {[CONFIG]: config({etcdUsername: 'u', etcdPassword: 'p'})}})).warnings).toEqual([expect.stringContaining(`${CONFIG} does not set etcdEndpoints`)])
  })
})

describe('the expected cluster', () => {
  const pinned = config({etcdEndpoints: 'http://c:1'}, {'calicoctl/expect-cluster': 'of-file'})
  test.each<[Given, object | undefined]>([
    [{}, undefined],
    [{files: {[CONFIG]: pinned}}, {value: 'of-file', origin: CONFIG}],
    [{env: {ETCD_ENDPOINTS: 'http://a:1'}, files: {[CONFIG]: pinned}}, {value: 'of-file', origin: CONFIG}],
    [{env: {CALICO_EXPECT_CLUSTER: 'of-env'}, files: {[CONFIG]: pinned}}, {value: 'of-env', origin: 'CALICO_EXPECT_CLUSTER'}],
    [{flags: {expectCluster: 'of-flag'}, env: {CALICO_EXPECT_CLUSTER: 'of-env'}}, {value: 'of-flag', origin: '--expect-cluster'}],
    [{flags: {datastore: 'embedded'}, files: {[CONFIG]: pinned}}, undefined],
  ])('%j', async (given, expected) => {
    expect((await resolve(given)).expectCluster).toEqual(expected)
  })
})

test('what is shown of the settings names each origin and holds no secret', async () => {
  const env = {ETCD_ENDPOINTS: 'https://a:1', ETCD_CA_CERT_FILE: '/ca', ETCD_CERT_FILE: '/ca', ETCD_KEY_FILE: '/key', ETCD_USERNAME: 'u', ETCD_PASSWORD: 'hunter2'}
  const shown = effectiveSettings(await resolve({env, flags: {expectCluster: 'guid'}, files: {'/ca': PEM, '/key': '-----BEGIN PRIVATE KEY-----\nSECRET'}}))
  expect(shown.map(({name, origin}) => [name, origin])).toEqual([
    ['datastore', 'ETCD_ENDPOINTS'],
    ['endpoints', 'ETCD_ENDPOINTS'],
    ['caCert', 'ETCD_CA_CERT_FILE'],
    ['cert', 'ETCD_CERT_FILE'],
    ['key', 'ETCD_KEY_FILE'],
    ['username', 'ETCD_USERNAME'],
    ['password', 'ETCD_PASSWORD'],
    ['expectCluster', '--expect-cluster'],
  ])
  expect(JSON.stringify(shown)).not.toMatch(/hunter2|SECRET/)
})
