/** A client of BIRD's control socket: one question, one answer, bounded in time and size. */
import {connect, type Socket} from 'node:net'
import {StringDecoder} from 'node:string_decoder'
import {CalicoError} from '../errors.js'
import {endsReply, isGreeting, readReply, type Reply} from './reply.js'

/** For the whole conversation: BIRD answers within milliseconds, also with thousands of peers. */
const TIME_LIMIT_MS = 2_000
/** A row takes some 90 bytes: a mesh of ten thousand nodes stays well below. */
const SIZE_LIMIT = 4 << 20

export interface QueryOptions {
  readonly timeLimitMs?: number
  /** Bytes. */
  readonly sizeLimit?: number
}

/** No one answers at a control socket; `reason` tells why, for those who decide what that means. */
export class BirdUnreachableError extends CalicoError {
  constructor(
    readonly path: string,
    readonly reason: 'missing' | 'not-running' | 'forbidden' | 'silent' | 'failed',
    cause: unknown,
  ) {
    super('failed', REASONS[reason](path), {cause})
  }
}

const REASONS: Readonly<Record<BirdUnreachableError['reason'], (path: string) => string>> = {
  missing: (path) => `BIRD's control socket ${path} does not exist`,
  'not-running': (path) => `BIRD is not running: there is no answer at its control socket ${path}`,
  forbidden: (path) => `Permission denied for BIRD's control socket ${path}`,
  silent: (path) => `BIRD did not answer in time at its control socket ${path}`,
  failed: (path) => `The connection to BIRD's control socket ${path} was interrupted`,
}

const OF_CODE: Readonly<Record<string, BirdUnreachableError['reason']>> = {
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  ECONNREFUSED: 'not-running',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
}

/**
 * Asks the BIRD behind the control socket at PATH one QUESTION (`show protocols`).
 * @throws BirdUnreachableError; CalicoError `failed` if the answer is larger than the limit
 */
export async function askBird(path: string, question: string, {timeLimitMs = TIME_LIMIT_MS, sizeLimit = SIZE_LIMIT}: QueryOptions = {}): Promise<Reply> {
  const socket = connect(path)
  const timer = setTimeout(() => socket.destroy(new BirdUnreachableError(path, 'silent', undefined)), timeLimitMs)
  try {
    return readReply(await converse(socket, question, sizeLimit))
  } catch (error) {
    if (error instanceof CalicoError) throw error
    throw new BirdUnreachableError(path, OF_CODE[String((error as NodeJS.ErrnoException).code)] ?? 'failed', error)
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

/** What comes until the answer's end. The question is sent once the greeting is there. */
function converse(socket: Socket, question: string, sizeLimit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const decoder = new StringDecoder('utf8')
    const lines: string[] = []
    let rest = ''
    let size = 0
    let asked = false
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('closed before the end of the answer')))
    socket.on('data', (data: Buffer) => {
      size += data.length
      if (size > sizeLimit) {
        reject(new CalicoError('failed', `BIRD's answer is larger than ${sizeLimit} bytes`))
        return
      }
      const pieces = (rest + decoder.write(data)).split('\n')
      rest = pieces.pop() ?? ''
      for (const line of pieces) {
        lines.push(line)
        if (isGreeting(line)) {
          if (!asked) socket.write(`${question}\n`)
          asked = true
        } else if (endsReply(line)) {
          resolve(lines.join('\n'))
          return
        }
      }
    })
  })
}
