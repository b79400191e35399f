import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {knownSecrets, NO_SECRETS, redactText, redactValue, redactWords, REMOVED, secretsAsBytes} from '../../src/lib/redact.js'
import {cpuMs} from '../support/cpu-time.js'

const BODY = ['MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj', 'MzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu', 'NMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s+CLOyS56YyCFGeJZ'].join('\n')
const PEM = `-----BEGIN RSA PRIVATE KEY-----\n${BODY}\nshortEnd=\n-----END RSA PRIVATE KEY-----`
const S = 'hunter2Xq'

describe('texts', () => {
  test.each([
    `ETCD_PASSWORD=${S} other`, `password: ${S}`, `password: two words ${S}`, `"etcdPassword": "${S}"`, `{\\"password\\":\\"x${S} y\\"}`, `{\\\\\\"password\\\\\\": \\\\\\"${S}\\\\\\"}`, `'api_key': '${S}'`,
    `https://root:${S}@10.0.0.1:2379/x`, `Authorization: Bearer ${S}`, `authorization="Basic ${S}"`, `EtcdConfig{Password:${S} Other:1}`, `map[CLIENT_SECRET:${S}]`,
    `run --etcd-password ${S} --x`, `access_token=${S}&x=1`, `passwd="a\\"${S}"`, `Passphrase = ${S}`, `private-key-secret: ${S}`, `LS0tLS1CRUdJTiBSU0E${S}`,
    `api-key: ${S}`, `X-Api-Key: ${S}`, `password => ${S}`, `"password" => "${S}"`, `password := ${S}`, `passwd->${S}`, `pwd=${S}`, `Pwd: ${S}`, `DB_PASS=${S}`, `"auth": "${S}"`, `Cookie: a=${S}; b=${S}`, `Set-Cookie: id=${S}; Path=/`,
    `passwd ${S}`, `  password "${S}";`, `username admin password ${S}`, `<password>${S}</password>`, `<etcd:Password kind="plain">\n  ${S}\n</etcd:Password>`, `<user password="${S}"/>`,
    `password: |\n  ${S}\n  two ${S}\n`, `a:\n  etcdPassword: >-\n    ${S}\n\n    more ${S}\n  next: 1\n`, `- password: |2\n    ${S}\n`, `tokens:\n  - ${S}\n  - x${S}\n`, `password:\n  ${S}\n`, `password: | # why\n\t${S}`, `"client-secret": |\r\n  ${S}`,
    `rw:${S}@10.0.0.1:2379`, `--datastore=rw:${S}@host:1`, `http://rw:${S}/x@h:1`, `curl -u root:${S} http://h:1`, `etcdctl --user root:${S} get`, `Proxy: Basic ${S}==`, `Bearer ${S}`,
    // A log line that was cut; quotation marks in a text in a text; what another rule removes inside of it; a block whose line looks like a key; a comment that is none.
    `"password": "${S}`, `password='${S} x`, `"{\\"password\\":\\"a ${S}`, JSON.stringify(JSON.stringify({password: `"a" ${S} \\`, b: 1})), `{\\\\\\"password\\\\\\": \\\\\\"a\\\\\\\\\\\\\\"${S}\\\\\\"}`,
    `http://u:${'x'.repeat(1000)}${S}@h:1`, `password=a://b@${S}`, `password: |\n  ${S}: 1\n  b\n`, `a:\n  token: >\n    x: y\n    ${S}\n`, `password: #${S}\n  x\n`, `rw:${S}@10.0.0.1:2379\n-----END X-----`,
  ])('nothing is left of the secret in %j', (text) => {
    expect(redactText(text)).not.toContain(S)
    expect(redactText(text)).toContain(REMOVED)
  })
  test.each([
    ['whole', `a\n${PEM}\nb`], ['on one line', JSON.stringify({x: PEM})], ['without its end', `a\n${PEM.slice(0, 200)}`], ['without its beginning', `${BODY.slice(30)}\nshortEnd=\n-----END RSA PRIVATE KEY-----\nb`], ['its lines alone', BODY],
  ])('PEM, %s', (_, text) => {
    const clean = redactText(text)
    for (const part of [...BODY.split('\n').map((line) => line.slice(32)), 'shortEnd=']) if (text.includes(part)) expect(clean).not.toContain(part)
  })
  test('what is around secrets stays', () => {
    expect(redactText(`2026-11-21 [INFO] felix/a.go 12: Ready\n${PEM}\nhttp://10.0.0.1:2379 up\nETCD_PASSWORD=${S} NODENAME=h1\n`)).toBe(`2026-11-21 [INFO] felix/a.go 12: Ready\n${REMOVED}\nhttp://10.0.0.1:2379 up\nETCD_PASSWORD=${REMOVED} NODENAME=h1\n`)
    for (const text of ['-A cali-INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j ACCEPT', 'default via 10.0.0.1 dev eth0', 'sha256:0123456789abcdef', 'name: web\nspec: {}\n']) expect(redactText(text)).toBe(text)
  })
  test('a block ends where its indentation does', () => {
    expect(redactText(`spec:\n  password: |\n    ${S}\n\n    ${S}\n  endpoints: http://h:1\nkind: X\n`)).toBe(`spec:\n  password: ${REMOVED}\n  endpoints: http://h:1\nkind: X\n`)
    expect(redactText('password:\n  secretKeyRef:\n    name: bgp\n')).toContain('name: bgp')
  })
  test('sentences about passwords stay', () => {
    for (const text of ['authentication failed, invalid user ID or password', 'the password of etcd is not set', 'password authentication failed', 'Passed 3 tests; bypass: 1', 'author: x']) expect(redactText(text)).toBe(text)
  })
  test('what is known goes wherever it stands, values of an environment with their names', () => {
    const secrets = knownSecrets(['s3cr'], ['PLAIN=zebra', 'MY_TOKEN=abcd1234', 'EMPTY=', 'TOKEN=ab'])
    expect(redactText('s3cr PLAIN=zebra zebra abcd1234', secrets)).toBe(`${REMOVED} PLAIN=${REMOVED} zebra ${REMOVED}`)
  })
  test('a value of an environment may end as base64 does, and have a sign that means something in a replacement', () => {
    expect(redactText('x QUJDREVG= y', knownSecrets([], ['A_TOKEN=QUJDREVG=', 'B=', 'C']))).toBe(`x ${REMOVED} y`)
    expect(redactText('$&=secret1', knownSecrets([], ['$&=secret1']))).toBe(`$&=${REMOVED}`)
  })
  test('what is known goes also as it stands in JSON and in URLs', () => {
    const secret = 'a"b\\c é/&\ud800'
    const secrets = knownSecrets([secret], [])
    for (const spelled of [secret, JSON.stringify(secret).slice(1, -1), 'a%22b%5Cc%20%C3%A9%2F%26%EF%BF%BD']) {
      expect(redactText(`x${spelled}y`, secrets)).toBe(`x${REMOVED}y`)
      expect(redactText(Buffer.from(`x${spelled}y`).toString('latin1'), secretsAsBytes(secrets))).toBe(`x${REMOVED}y`)
    }
  })
  test('a longer secret goes before an assignment that is a part of it', () => {
    expect(redactText(`xA=b${S}`, knownSecrets([`xA=b${S}`], ['A=b']))).toBe(REMOVED)
  })
  test('twice is as once', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom('password', '=', ': ', '"', '\\"', S, '\n', ' ', PEM, '-----END X-----', 'a', '{', '://', '@')), (parts) => {
      const once = redactText(parts.join(''))
      expect(redactText(once)).toBe(once)
    }))
  })
  test.each([['\n', 1e6], ['-', 1e6], ['a', 1e6], ['password=', 1e5], ['password=\\"', 1e5], ['-----END X-----', 1e5], ['-----BEGIN X-----', 1e5], ['://', 3e5], [' ', 1e6], ['--token', 1e5], ['password: |\n', 1e5], ['password:\n ', 1e5], ['  password: |\n    x\n', 5e4], ['<password>', 1e5], ['<password ', 1e5], ['passwd ', 1e5], ['password=\\\\"', 1e5], ['password=\\"a\\\\\\"', 5e4], ['password="a', 1e5], ['password=(removed)', 1e5], ['a:b', 3e5], ['-u a:', 2e5], ['\t', 1e6], ['- ', 5e5]] as const)('%j many times takes no long time', (part, times) => {
    expect(cpuMs(() => redactText(part.repeat(times)))).toBeLessThan(5_000)
  })
})

describe('values', () => {
  test('by name, in texts, environments, command lines; the rest as it was', () => {
    const value = {
      Config: {Env: [`ETCD_PASSWORD=${S}`, 'NODENAME=h1', 'X'], Cmd: ['run', '--password', S, `--token=${S}`], Labels: {'my.secret': S, version: 'v3'}},
      annotations: {'config.projectcalico.org/EtcdPassword': S, note: `password: ${S}`, last: JSON.stringify({spec: {password: S}})},
      settings: [{name: 'password', value: S}, {name: 'endpoints', value: 'http://h:1'}],
      password: {secretKeyRef: {name: 'bgp', key: 'rack1'}},
      tokens: [S, {token: S}], pem: PEM, n: 1782326400123456791n, yes: true, none: null,
    }
    const clean = redactValue(value) as typeof value
    const text = JSON.stringify(clean, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))
    for (const secret of [S, 'h1', BODY.slice(0, 40)]) expect(text).not.toContain(secret)
    expect(clean).toMatchObject({Config: {Env: [`ETCD_PASSWORD=${REMOVED}`, `NODENAME=${REMOVED}`, REMOVED], Labels: {version: 'v3'}}, settings: [{name: 'password', value: REMOVED}, {name: 'endpoints', value: 'http://h:1'}], password: value.password, n: value.n, yes: true, none: null})
  })
  test('any JSON goes through, and without secrets unchanged', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void redactValue(value, NO_SECRETS)))
    const plain = {metadata: {name: 'web', labels: {a: 'b'}}, spec: {ingress: [{action: 'Allow', source: {nets: ['10.0.0.0/8']}}]}}
    expect(redactValue(plain)).toEqual(plain)
  })
})

describe('words of a command line', () => {
  test.each([[['--etcd-password', S]], [['config', 'EtcdPassword', S]], [['curl -u root:' + S]], [['--user root:' + S]], [[`https://root:${S}@h:1`]], [[`--token=${S}`]]])('nothing is left of the secret in %j', (words) => {
    expect(redactWords(words).join(' ')).not.toContain(S)
    expect(redactWords(words)).toHaveLength(words.length)
  })
  test('others stay', () => {
    const words = ['profile', 'add', 'web', '--host', 'h1']
    expect(redactWords(words)).toEqual(words)
  })
})
