/**
 * Taking secrets out of what goes into an archive (decisions.md 35): passwords and their like by the name that stands before them, PEM wherever
 * it stands, user information in URLs, and what is known to be secret. Too much goes rather than too little. All functions are pure.
 */

export const REMOVED = '(removed)'

/** Names that a secret goes by. */
const SECRET_WORDS = String.raw`passw(?:or)?d|passphrase|pwd|secret|token|credential|authorization|cookie|(?:api|private|access)[_-]?key|(?<![a-z])(?:auth|pass)(?![\w.-])`
/** Behind these a secret may stand after nothing but a blank, as in configurations of BIRD and of routers. */
const PASSWORD_WORDS = 'passw(?:or)?d|passphrase|pwd'
/** Words that follow them in sentences. */
const PROSE = '(?:and|are|authentication|by|can|cannot|check|does|expired|failed|file|files|for|from|has|hash|is|may|must|needs?|not|of|on|or|policy|required|should|that|to|too|was|will|with|without)(?![\\w-])'
let secretName: RegExp | undefined
/** Whether what is called NAME is a secret, by its name. */
const isSecretName = (name: string): boolean => (secretName ??= new RegExp(SECRET_WORDS, 'i')).test(name)

interface Rule {
  readonly find: RegExp
  readonly replace: string | ((found: string) => string)
}

/** Made at the first use: this module is in the bundle that every command loads. */
let rules: readonly Rule[] | undefined

/** Each takes time in proportion to its text, whoever wrote that: what repeats is bounded or ends with the line. */
function makeRules(): readonly Rule[] {
  // The name, what may end it, `"`, or `\"` in a text within a text, and the sign of an assignment.
  const named = String.raw`((?:${SECRET_WORDS})[\w.-]{0,64}\\{0,8}["']?[ \t]{0,8}(?:[:=]{1,4}>?|->)(?![:=>])`
  const end = String.raw`(?![^\n])`
  // A text in quotation marks, which ends with the line at the latest. In a text within a text the marks have N backslashes; one that belongs to the inner text has more.
  const text = String.raw`(?:(\\{1,8})"[^\n]*?(?:(?<!\\)(?:(?:\2\\){2})*\2"|${end})|"(?:[^"\\\n]|\\[^\n])*(?:"|\\?${end})|'[^'\n]*(?:'|${end}))`
  // A key of YAML, at the beginning of a line; group 1 is its indentation.
  const yamlKey = String.raw`^([ \t]{0,200})((?:- {0,8})?["']?[\w./-]{0,64}?(?:${SECRET_WORDS})[\w./-]{0,64}["']?[ \t]{0,8}:`
  const blankLine = String.raw`[ \t\r]{0,200}\n(?=\1[ \t])`
  return [
    {find: /^[ \t]*(?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{76})[ \t\r]*$/gm, replace: REMOVED},
    // `-----BEGIN` in base64.
    {find: /LS0tLS1CRUdJT[A-Za-z0-9+/=_-]*/g, replace: REMOVED},
    // A block below the key: all that is indented deeper.
    {find: new RegExp(String.raw`${yamlKey}[ \t]{0,8}[|>][-+0-9]{0,3}[ \t\r]{0,8})(?:#[^\n]*)?\n(?:\1[ \t][^\n]*(?:\n|$)|${blankLine})+`, 'gim'), replace: `$1$2 ${REMOVED}\n`},
    // A list or text on the lines below the key, but no map: its keys have names of their own.
    {find: new RegExp(String.raw`${yamlKey}[ \t\r]{0,16})(?:#[^\n]*)?\n(?:\1[ \t]{1,200}(?![ \t]|["']?[\w./-]{1,64}["']?:(?:[ \t\n]|$))[^\n]*(?:\n|$)|${blankLine})+`, 'gim'), replace: `$1$2 ${REMOVED}\n`},
    {find: new RegExp(String.raw`(<[\w:.-]{0,64}(?:${SECRET_WORDS})[\w.-]{0,64}(?:\s[^<>]{0,256})?>)(?!\(removed\)<)[^<]{1,4096}(?=<)`, 'gi'), replace: `$1${REMOVED}`},
    {find: /:\/\/[^\s"'<>]+/g, replace: withoutUser},
    // user:password@host:port
    {find: /(^|[\s"'=,([])([\w.%+-]{1,64}):(?!\(removed\))[^\s"'@:/]{1,128}@(?=[\w.[-]{1,255}:(?:\d|\(removed\)))/gm, replace: `$1$2:${REMOVED}@`},
    {find: /((?:^|\s)(?:-u|--user)[ =]["']?[\w.%+-]{1,64}:)(?!\(removed\))[^\s"']+/gm, replace: `$1${REMOVED}`},
    {find: new RegExp(String.raw`${named}[ \t]{0,8})${text}`, 'gi'), replace: `$1${REMOVED}`},
    {find: new RegExp(String.raw`${named})(?:\(removed\)|[^\s,;&}\])"'\\])+`, 'gi'), replace: `$1${REMOVED}`},
    // Behind a blank, the whole line: a password may have blanks, `Bearer` has one.
    {find: new RegExp(String.raw`${named}[ \t]{1,8})(?!\(removed\))[^"'\s\\][^\n]*`, 'gi'), replace: `$1${REMOVED}`},
    {find: new RegExp(String.raw`((?:${PASSWORD_WORDS})[ \t]{1,8})(?![:=(-]|${PROSE})(?:${text}|[^\s"'\\,;]+)`, 'gi'), replace: `$1${REMOVED}`},
    // Behind those that look for names: what follows `Basic` may be one.
    {find: /\b(Bearer|Basic)[ \t]{1,8}(?!\(removed\))[\w.~+/=-]{8,}/gi, replace: `$1 ${REMOVED}`},
    {find: new RegExp(String.raw`((?:${SECRET_WORDS})(?<=(?:^|[\s"'])--?[\w-]{0,64})[\w-]{0,64}[ \t]{1,8})[^\s-]\S*`, 'gi'), replace: `$1${REMOVED}`},
  ]
}

/** REST of a URL, from `://` on, without what stands before its last @. */
function withoutUser(rest: string): string {
  const at = rest.lastIndexOf('@')
  return at > 3 ? `://${REMOVED}${rest.slice(at)}` : rest
}

/** What was left of a PEM whose beginning is missing: its end, and the base64 before it. */
function withoutTornPem(text: string): string {
  const end = /-----END [A-Z0-9 ]{1,64}-----/g
  let result = ''
  let done = 0
  for (let match = end.exec(text); match; match = end.exec(text)) {
    let from = match.index
    while (from > done && /[A-Za-z0-9+/=\s\\]/.test(text.charAt(from - 1))) from--
    result += `${text.slice(done, from)}${REMOVED}`
    done = end.lastIndex
  }
  return result + text.slice(done)
}

/** A text that is known to be secret. */
interface Secret {
  readonly text: string
  /** Begins what replaces it: `NAME=` of an assignment, of which the value goes. */
  readonly name: string
}

/** What is known to be secret on this host, the longest first: it goes wherever it stands. */
export type Secrets = readonly Secret[]

export const NO_SECRETS: Secrets = []

/** Shorter ones would take half of every text with them. */
const SHORTEST_SECRET = 4

/**
 * TEXTS, known to be secret, and ENVIRONMENT, `NAME=value` each: values go with their names, and by themselves where the name says that they are secret. Each
 * goes as it is, and as it stands in JSON and in URLs.
 */
export function knownSecrets(texts: readonly string[], environment: readonly string[]): Secrets {
  const assignments = environment.filter((line) => /^[^=]+=[^]/.test(line))
  const values = assignments.filter((line) => isSecretName(nameIn(line))).map((line) => line.slice(line.indexOf('=') + 1))
  const alone = [...texts, ...values].map((text) => text.trim()).filter((text) => text.length >= SHORTEST_SECRET)
  const found = new Map<string, Secret>()
  for (const text of alone) for (const spelled of spellings(text)) found.set(spelled, {text: spelled, name: ''})
  for (const text of assignments) found.set(text, {text, name: `${nameIn(text)}=`})
  return [...found.values()].sort((a, b) => b.text.length - a.text.length)
}

/** TEXT as it is, within JSON, and in a URL. */
const spellings = (text: string): string[] => [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd'))]

const nameIn = (assignment: string): string => assignment.slice(0, assignment.indexOf('='))

/** TEXT without secrets. It may be of bytes (latin1) if SECRETS are: see {@link secretsAsBytes}. */
export function redactText(text: string, secrets: Secrets = NO_SECRETS): string {
  let result = text
  for (const secret of secrets) result = result.replaceAll(secret.text, () => secret.name + REMOVED)
  result = withoutTornPem(result.replace(/-----BEGIN [A-Z0-9 ]{1,64}-----[^]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/g, REMOVED))
  rules ??= makeRules()
  // The overloads of replace() take one or the other.
  for (const {find, replace} of rules) result = typeof replace === 'string' ? result.replace(find, replace) : result.replace(find, replace)
  return result
}

/** Where a secret may stand: behind a name that says so, in a URL, or in a PEM. */
const SUSPICIOUS = /passw|passphrase|pwd|secret|token|credential|auth|cookie|bearer|basic|key|pass|:\/\/|@|-----|LS0tLS1|[A-Za-z0-9+/]{64}|-u[ =]|--user/i

/** WORDS of a command line without secrets: neither within a word, nor behind one that names what follows, such as `--password` or `EtcdPassword`. */
export function redactWords(words: readonly string[]): readonly string[] {
  if (!SUSPICIOUS.test(words.join(' '))) return words
  return words.map((word, at) => {
    const name = words[at - 1]
    return name !== undefined && !/[=\s]/.test(name) && isSecretName(name) ? REMOVED : redactText(word)
  })
}

/** SECRETS for texts in which each character is a byte. */
export function secretsAsBytes(secrets: Secrets): Secrets {
  const asBytes = (text: string): string => Buffer.from(text).toString('latin1')
  return secrets.map(({text, name}) => ({text: asBytes(text), name: asBytes(name)}))
}

/** VALUE, as read from JSON, without secrets: by the names of its fields, in its texts, and all values of environments (`Env`). */
export function redactValue(value: unknown, secrets: Secrets = NO_SECRETS): unknown {
  if (typeof value === 'string') return redactText(value, secrets)
  if (Array.isArray(value)) return redactList(value, secrets)
  if (typeof value !== 'object' || value === null) return value
  const named = value as {name?: unknown; Name?: unknown}
  const name = named.name ?? named.Name
  const ofSecret = typeof name === 'string' && isSecretName(name)
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => {
      const shownKey = redactText(key, secrets)
      if (/^env(ironment)?$/i.test(key)) return [shownKey, withoutValues(field)]
      if (isSecretName(key) || (ofSecret && key.toLowerCase() === 'value')) return [shownKey, removeScalars(field, secrets)]
      return [shownKey, redactValue(field, secrets)]
    }),
  )
}

/** A list of words may be a command line, in which a secret stands behind its option. */
function redactList(list: readonly unknown[], secrets: Secrets): unknown[] {
  return list.map((item, at) => {
    const before: unknown = list[at - 1]
    const behindOption = typeof item === 'string' && typeof before === 'string' && before.startsWith('-') && !before.includes('=') && isSecretName(before)
    return behindOption ? REMOVED : redactValue(item, secrets)
  })
}

/** What stands under a secret's name; references to secrets (`secretKeyRef`) are objects, whose fields are judged by their own names. */
function removeScalars(value: unknown, secrets: Secrets): unknown {
  if (Array.isArray(value)) return value.map((item) => removeScalars(item, secrets))
  if (typeof value === 'object' && value !== null) return redactValue(value, secrets)
  return value === null || value === '' || typeof value === 'boolean' ? value : REMOVED
}

/** An environment as a list of `NAME=value`, or as an object: the names alone. */
function withoutValues(environment: unknown): unknown {
  if (Array.isArray(environment)) return environment.map((line) => (typeof line === 'string' && line.includes('=') ? `${nameIn(line)}=${REMOVED}` : REMOVED))
  if (typeof environment === 'object' && environment !== null) return Object.fromEntries(Object.keys(environment).map((name) => [name, REMOVED]))
  return environment === null ? null : REMOVED
}
