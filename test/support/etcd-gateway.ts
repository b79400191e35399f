/** What etcdctl does most often, asked of etcd's own JSON gateway: its answer without a process of 30 ms. */
import {Agent, request} from 'node:http'

const LIMIT_MS = 5_000

interface KeyValue {
  readonly key: string
  readonly value?: string
}

export interface Gateway {
  /** What `etcdctl WORDS` prints; undefined where it must be asked itself: another command or option, or an answer that is an error. */
  ctl(words: readonly string[]): Promise<string | undefined>
  close(): void
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const text = (encoded: string | undefined): string => Buffer.from(encoded ?? '', 'base64').toString()

/** The first key that does not begin with PREFIX. */
function behind(prefix: string): string {
  const bytes = Buffer.from(prefix)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1
  return bytes.toString('base64')
}

/** The gateway of the member at ENDPOINT, without TLS. */
export function gateway(endpoint: string): Gateway {
  const agent = new Agent({keepAlive: true})
  async function ask<Answer>(path: string, question: object): Promise<Answer | undefined> {
    const body = JSON.stringify(question)
    try {
      return await new Promise((settle, fail) => {
        const sent = request(`${endpoint}/v3/kv/${path}`, {method: 'POST', agent, signal: AbortSignal.timeout(LIMIT_MS), headers: {'content-type': 'application/json', 'content-length': Buffer.byteLength(body)}}, (answer) => {
          const parts: Buffer[] = []
          answer.on('data', (part: Buffer) => parts.push(part))
          answer.on('error', fail)
          answer.on('end', () => settle(answer.statusCode === 200 ? (JSON.parse(Buffer.concat(parts).toString()) as Answer) : undefined))
        })
        sent.on('error', fail)
        sent.end(body)
      })
    } catch {
      return undefined
    }
  }
  return {
    async ctl([command = '', ...words]) {
      const options = words.filter((word) => word.startsWith('--'))
      const [key = '', value, ...more] = words.filter((word) => !word.startsWith('--'))
      if (key === '' || more.length > 0 || words.some((word) => word.startsWith('-') && !word.startsWith('--'))) return undefined
      const only = (...known: readonly string[]): boolean => options.every((option) => known.includes(option))
      const range = {key: base64(key), ...(options.includes('--prefix') ? {range_end: behind(key)} : {})}
      if (command === 'put' && value !== undefined && only()) return (await ask('put', {key: base64(key), value: base64(value)})) === undefined ? undefined : 'OK\n'
      if (value !== undefined) return undefined
      if (command === 'del' && only('--prefix')) {
        const answer = await ask<{deleted?: string}>('deleterange', range)
        return answer && `${answer.deleted ?? 0}\n`
      }
      if (command !== 'get' || !only('--prefix', '--keys-only', '--print-value-only')) return undefined
      const answer = await ask<{kvs?: readonly KeyValue[]}>('range', {...range, keys_only: options.includes('--keys-only')})
      return answer && (answer.kvs ?? []).map((found) => `${options.includes('--print-value-only') ? '' : `${text(found.key)}\n`}${text(found.value)}\n`).join('')
    },
    close: () => agent.destroy(),
  }
}
