/**
 * What hides secrets: in logs, diagnostics and the journal (src/lib/redact.ts), and in messages that repeat a setting or a word of the command line.
 * An input says which secret is planted in which form, and what is around it; one that does not is a text by itself.
 */
import {formatUsageError} from '../../../src/lib/cli/grammar/format.js'
import {engineAddress} from '../../../src/lib/docker/engine.js'
import {stringifyJson} from '../../../src/lib/json/json.js'
import {asRecord} from '../../../src/lib/model/schema/codec.js'
import {knownSecrets, NO_SECRETS, redactText, redactValue, redactWords, REMOVED, type Secrets, secretsAsBytes} from '../../../src/lib/redact.js'
import {parseConfigFile} from '../../../src/lib/settings/config-file.js'
import {parseEndpoints} from '../../../src/lib/settings/endpoints.js'
import {environmentSource} from '../../../src/lib/settings/environment.js'
import type {Target} from '../engine.js'
import {json, promise, text} from './inputs.js'

/** Is in each secret that is planted, and nowhere else. */
const MARK = 'hunter2Xq'
/** What none of the rules is about. */
const SUSPICIOUS = /passw|passphrase|pwd|secret|token|credential|auth|cookie|bearer|basic|key|pass|:\/\/|@|-----|LS0tLS1|[A-Za-z0-9+/]{64}|-u[ =]|--user/i

interface Form {
  /** The line, or lines, with SECRET behind NAME. */
  readonly write: (name: string, secret: string) => string
  /** What no secret has in this form. */
  readonly without: RegExp
  /** A name of something that is no secret by its name. */
  readonly anyName?: boolean
  /** Where a line begins; otherwise behind a blank, too. */
  readonly ownLine?: boolean
}

/** What ends a value without quotation marks. */
const SEPARATORS = /[\s,;&}\])"'\\]/g
const NOTHING = /(?!)/g
/** Behind a colon and a blank, all of the line. */
const UNQUOTED = /^["'\s\\]+|[\n\r]/g

const PLAIN: Form = {write: (name, secret) => `${name}=${secret}`, without: SEPARATORS}

const FORMS: readonly Form[] = [
  PLAIN,
  {write: (name, secret) => `{${name}:${secret} Other:1}`, without: SEPARATORS},
  {write: (name, secret) => `x?a=1&${name}=${secret}&b=2`, without: SEPARATORS},
  {write: (name, secret) => `${name}: ${secret}`, without: UNQUOTED},
  {write: (name, secret) => `${name} => ${secret}`, without: UNQUOTED},
  {write: (name, secret) => JSON.stringify({a: 1, [name]: secret, b: 2}), without: NOTHING},
  {write: (name, secret) => JSON.stringify(JSON.stringify({[name]: secret})), without: NOTHING},
  {write: (name, secret) => `'${name}': '${secret}'`, without: /['\n]/g},
  {write: (name, secret) => JSON.stringify({a: 1, [name]: secret}).slice(0, -2), without: NOTHING, ownLine: true},
  {write: (name, secret) => JSON.stringify(JSON.stringify({[name]: secret})).slice(0, -4), without: NOTHING, ownLine: true},
  {write: (name, secret) => `${name}: |\n  ${secret}\n  more ${MARK}`, without: UNQUOTED, ownLine: true},
  {write: (name, secret) => `${name}:\n  - ${secret}`, without: UNQUOTED, ownLine: true},
  {write: (name, secret) => `run --${name} ${secret} --x`, without: /^-+|\s/g},
  {write: (name, secret) => `<${name}>${secret}</${name}>`, without: /</g},
  {write: (_, secret) => `https://root:${secret}@10.0.0.1:2379/x`, without: /[\s"'<>]/g, anyName: true},
  {write: (_, secret) => `rw:${secret}@10.0.0.1:2379`, without: /[\s"'@:/]/g, anyName: true},
  {write: (_, secret) => `curl -u root:${secret} x`, without: /[\s"']/g, anyName: true},
  {write: (_, secret) => `Proxy: Basic ${secret}`, without: /[^\w.~+/=-]/g, anyName: true},
  {write: (_, secret) => `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END RSA PRIVATE KEY-----`, without: /-----/g, anyName: true},
]

/** Names that are secret, as they stand in settings of Calico, etcd and routers. */
const NAMES = ['ETCD_PASSWORD', 'password', 'etcdPassword', 'passwd', 'Passphrase', 'CLIENT_SECRET', 'access_token', 'api-key', 'X-Api-Key', 'private_key', 'Authorization', 'Cookie', 'credentials', 'DB_PASS', 'auth', 'pwd']
const name = (at: unknown): string => NAMES[indexIn(NAMES, at)] ?? ''
const indexIn = (list: readonly unknown[], at: unknown): number => (typeof at === 'number' && Number.isInteger(at) ? Math.abs(at) % list.length : 0)
/** At most LONGEST characters of VALUE as text, without MARK. */
const part = (value: unknown, longest = 64 * 1024): string => (typeof value === 'string' ? value : '').replaceAll(MARK, '').slice(0, longest)
/** The ends of what is planted: rules are bounded, so that they take time in proportion to the text. */
const END = 40

/** A secret without what WITHOUT finds, of what FIELDS say stands before and behind its mark; no PEM begins in it, nor is it one that was removed. */
const secretOf = ({left, right}: Record<string, unknown>, without: RegExp): string =>
  `${part(left, END)}${MARK}${part(right, END)}`.replace(/-{2,}/g, '-').replaceAll('LS0t', 'x').replaceAll(REMOVED, 'x').replace(without, '')

/** Fails unless CLEAN has no secret. */
function hidden(clean: string, what: string): void {
  const at = clean.indexOf(MARK)
  promise(at < 0, `${what} is left: ${JSON.stringify(clean.slice(Math.max(0, at - 60), at + 60))}`)
}

const asBytes = (value: string): string => Buffer.from(value).toString('latin1')

/** What redactText makes of TEXT; fails unless it is the same of that again. */
function redacted(source: string, secrets: Secrets = NO_SECRETS): string {
  const once = redactText(source, secrets)
  const twice = redactText(once, secrets)
  promise(twice === once, `twice is not as once: ${JSON.stringify(once.slice(0, 200))}, then ${JSON.stringify(twice.slice(0, 200))}`)
  return once
}

function withoutPlan(source: string): void {
  const once = redacted(source)
  if (!SUSPICIOUS.test(source)) promise(once === source, `a text without a secret has changed: ${JSON.stringify(once.slice(0, 200))}`)
  const words = source.split(/\s+/)
  const cleanWords = redactWords(words)
  promise(cleanWords.length === words.length, 'words are missing')
  if (!SUSPICIOUS.test(source)) promise(cleanWords.join('\n') === words.join('\n'), 'words without a secret have changed')
}

function inText(fields: Record<string, unknown>): void {
  const {write, without, anyName, ownLine} = FORMS[indexIn(FORMS, fields.form)] ?? PLAIN
  const planted = write(anyName ? '' : name(fields.name), secretOf(fields, without))
  const [before, after] = [part(fields.before), part(fields.after)]
  const [from, to] = ownLine || fields.lines !== false ? ['\n', '\n'] : [' ', ' ']
  const source = `${before}${from}${planted}${to}${after}`
  const clean = redacted(source)
  hidden(clean, 'a secret')
  hidden(redactText(asBytes(source)), 'a secret, as bytes')
  if (SUSPICIOUS.test(before) || SUSPICIOUS.test(after) || from === ' ') return
  promise(clean.startsWith(`${before}\n`), `what is before a secret has changed: ${JSON.stringify(clean.slice(0, 200))}`)
  // Of a block, lines that are indented deeper are a part.
  if (!ownLine) promise(clean.endsWith(`\n${after}`), `what is behind a secret has changed: ${JSON.stringify(clean.slice(0, 200))}`)
}

function inValues(fields: Record<string, unknown>): void {
  const secret = secretOf(fields, NOTHING)
  const own = name(fields.name)
  const around = json(Buffer.from(stringifyJson(fields).replaceAll(MARK, '')))?.value
  const document = {around, [own]: secret, list: [around, {[own]: [secret, {x: [around], [own]: 7}]}], Env: [`A=${secret}`, secret.replaceAll('=', '')], environment: {A: secret}, Cmd: ['run', `--${own.toLowerCase()}`, secret], settings: [{name: own, value: secret}]}
  const clean = redactValue(document)
  hidden(stringifyJson(clean), 'a secret in a value')
  hidden(stringifyJson(redactValue({text: stringifyJson(document.settings.map(() => ({[own]: secret})))})), 'a secret in a text in a value')
  promise(stringifyJson(redactValue(clean)) === stringifyJson(clean), 'twice is not as once, in a value')
  hidden(redactWords(['set', `--${own}`, secret, part(fields.after)]).join('\n'), 'a secret in words')
}

function known(fields: Record<string, unknown>): void {
  const secret = secretOf(fields, /^\s+|\s+$/g)
  const [before, after] = [part(fields.before), part(fields.after)]
  // Neither the name nor what is around it says that it is one.
  const environment = [before, `${part(fields.variable, END).replaceAll('=', '') || 'A'}=${part(fields.value, END)}`].filter((line) => !REMOVED.includes(line.slice(line.indexOf('=') + 1)))
  const secrets = knownSecrets([secret], environment)
  for (const spelled of [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(Buffer.from(secret).toString())]) {
    hidden(redactText(`${before}${spelled}${after}`, secrets), 'a known secret')
    hidden(redactText(asBytes(`${before}${spelled}${after}`), secretsAsBytes(secrets)), 'a known secret, as bytes')
    hidden(stringifyJson(redactValue({[before]: [`${spelled}${after}`]}, secrets)), 'a known secret in a value')
  }
  hidden(redactText(`${before}\nA_TOKEN=${secret}\n${after} ${secret}`, knownSecrets([], [`A_TOKEN=${secret}`])), 'a secret of an environment')
}

const plans = (extra: object): string[] => [
  ...FORMS.map((_, form) => ({before: '2026-11-21 [INFO] felix/a.go 12: Ready', left: '', right: '9', after: 'listening on 10.0.0.1:2379', form, name: form})),
  ...NAMES.map((_, at) => ({before: 'spec:\n  a: 1', left: 'x', right: '-_', after: 'kind: X', form: at % 7, name: at})),
  {before: '', left: 'a"\\', right: 'é\n', after: '}', form: 5, name: 0},
].map((plan) => JSON.stringify({...plan, ...extra}))

export const SECRETS: readonly Target[] = [
  {
    name: 'redaction',
    seeds: () => [
      ...plans({lines: true}), ...plans({lines: false, variable: 'A', value: 'b c'}),
      'ETCD_PASSWORD=x NODENAME=h1\nhttps://a:b@h:1/\n', 'password: |\n  a\n\n  b\nkind: X\n', '-----BEGIN X-----\nAAAA\n-----END X-----\n', '<password>x</password>', 'curl -u root:x h', 'Bearer abcdefgh', 'the password of etcd is not set', 'passwd "a";',
    ],
    dictionary: [...NAMES, REMOVED, '=', ': ', ':', '=>', '->', '"', '\\"', "'", '|', '>-', '#', '\n', '\n  ', '\r', '- ', '--', '://', '@', ':1', '<', '>', 'Basic ', 'Bearer ', '-u ', '--user ', '-----BEGIN X-----', '-----END X-----', 'LS0tLS1CRUdJT', 'A'.repeat(64), '(', ')', ',', ';', '&', '}', ']'],
    run(input) {
      withoutPlan(text(input))
      const document = json(input)
      if (!document) return
      redactValue(document.value)
      const fields = asRecord(document.value)
      if (!fields) return
      inText(fields)
      inValues(fields)
      known(fields)
    },
  },
  {
    name: 'secrets-in-messages',
    seeds: () => plans({lines: true}),
    dictionary: ['http://', 'https://', '@', '%40', ':', '/', ',', ' ', "'", '"', ':2379', '[', ']', 'ETCD_PASSWORD=', '*', '&', '!', '|', '#', '- ', '? ', '{', '}', '\n', '\t', '--datastore='],
    run(input) {
      const fields = asRecord(json(input)?.value)
      if (!fields) return
      const messages: string[] = []
      const say = (message: string): void => void messages.push(message)
      const secret = secretOf(fields, NOTHING)
      const host = part(fields.after, END)
      // With a blank or a comma in it, it must not look like a port, a path, another entry of the list, or the end of a URL.
      for (const [scheme, without] of [['http://', /[,@%]|^[0-9]+/g], ['https://', /\s|^[/0-9]+|:\/\//g], ['', /\s|^[/0-9]+|:\/\//g]] as const) {
        const url = `${scheme}root:${secretOf(fields, without)}@${host}`
        parseEndpoints({value: url, origin: 'x'}, say)
        environmentSource({ETCD_ENDPOINTS: url}, say, say)
        environmentSource({ETCD_AUTHORITY: url, ETCD_SCHEME: scheme}, say, say)
        environmentSource({ETCD_AUTHORITY: 'a:1', ETCD_SCHEME: url}, say, say)
        say(engineAddress({DOCKER_HOST: url.replace(/^https?:/, 'tcp:')}))
      }
      const word = secretOf(fields, /['\s]/g)
      for (const problem of [`unexpected '--datastore=http://root:${word}@h:1'`, `unexpected 'https://root:${word}@h:1'`, `unknown option --etcd-password, before '${word}'`]) say(formatUsageError({type: 'usage', usage: [], problem, suggestion: problem, help: []}))
      // On one line: what stands on a line of its own may be a key, and an unknown one is named.
      const line = secret.replace(/[\n\r\u2028\u2029\u0085]/g, ' ')
      for (const value of [line, JSON.stringify(secret), `"${secret}"`, `{a: ${line}}`, `|\n    ${line}`]) {
        const read = parseConfigFile(`apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdUsername: u\n  etcdPassword: ${value}\n${part(fields.before, 200)}`)
        if ('problems' in read) read.problems.forEach(say)
      }
      for (const message of messages) hidden(message, 'a secret in a message')
    },
  },
]
