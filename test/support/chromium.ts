/** A headless Chromium, spoken to by the DevTools protocol through two pipes: no port, no library. */
import {type ChildProcess, spawn} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {Readable, Writable} from 'node:stream'

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: {readonly message: string}
}

export interface Page {
  /** The value of EXPRESSION, JavaScript, in the page. @throws Error if it throws */
  evaluate<T>(expression: string): Promise<T>
  /** Presses the mouse in the middle of what the CSS selector SELECTOR finds first, brought into view before. */
  click(selector: string): Promise<void>
  /** Types each of KEYS: a character, or the name of a key (`Enter`, `ArrowRight`). */
  press(...keys: readonly string[]): Promise<void>
  /** What the page printed to the console, did not catch, or was refused by its policy. */
  readonly problems: readonly string[]
  /** The addresses that it asked for, its own first. */
  readonly requests: readonly string[]
}

export interface Browser {
  /** Opens ADDRESS and waits until it is loaded. SCHEME: what the user prefers. */
  open(address: string, scheme?: 'dark' | 'light'): Promise<Page>
  stop(): Promise<void>
}

const KEY_CODES: Readonly<Record<string, number>> = {Enter: 13, Escape: 27, Tab: 9, ArrowLeft: 37, ArrowUp: 38, ArrowRight: 39, ArrowDown: 40, Backspace: 8}

export function startChromium(): Browser {
  const profile = mkdtempSync(join(tmpdir(), 'calicoctl-chromium-'))
  const child = spawn('chromium', ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', `--user-data-dir=${profile}`, '--window-size=1400,900', '--remote-debugging-pipe', 'about:blank'], {
    env: {PATH: process.env.PATH, HOME: profile},
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  })
  const connection = connect(child)
  return {
    async open(address, scheme = 'light') {
      const {targetId} = await connection.send<{targetId: string}>('Target.createTarget', {url: 'about:blank'})
      const {sessionId} = await connection.send<{sessionId: string}>('Target.attachToTarget', {targetId, flatten: true})
      return openPage(connection, sessionId, address, scheme)
    },
    async stop() {
      const ended = new Promise((settle) => child.once('exit', settle))
      if (child.exitCode === null && child.signalCode === null) {
        await connection.send('Browser.close', {}).catch(() => child.kill('SIGKILL'))
        await ended
      }
      rmSync(profile, {recursive: true, force: true, maxRetries: 5})
    },
  }
}

interface Connection {
  send<T>(method: string, params: object, sessionId?: string): Promise<T>
  listen(sessionId: string, heard: (method: string, params: Readonly<Record<string, unknown>>) => void): void
}

/** The two ends of the pipes of CHILD: JSON texts, each ended by a zero byte. */
function connect(child: ChildProcess): Connection {
  const [input, output] = [child.stdio[3] as Writable, child.stdio[4] as Readable]
  const waiting = new Map<number, {settle: (result: never) => void; fail: (error: Error) => void}>()
  const listeners = new Map<string, (method: string, params: Readonly<Record<string, unknown>>) => void>()
  let number = 0
  let ended: Error | undefined
  const end = (error: Error): void => {
    ended ??= error
    for (const {fail} of waiting.values()) fail(ended)
    waiting.clear()
  }
  child.once('error', end)
  child.once('exit', (code) => end(new Error(`chromium has ended (${String(code)})`)))
  input.on('error', end)
  let rest = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const [first = '', ...more] = text.split('\0')
    rest += first
    for (const next of more) {
      receive(JSON.parse(rest) as Message & {sessionId?: string})
      rest = next
    }
  })
  function receive({id, method, params = {}, result, error, sessionId}: Message & {sessionId?: string}): void {
    if (id === undefined) {
      if (method !== undefined) listeners.get(sessionId ?? '')?.(method, params)
      return
    }
    const call = waiting.get(id)
    waiting.delete(id)
    if (error) call?.fail(new Error(error.message))
    else call?.settle(result as never)
  }
  return {
    send: (method, params, sessionId) =>
      new Promise((settle, fail) => {
        if (ended) {
          fail(ended)
          return
        }
        const id = ++number
        waiting.set(id, {settle, fail})
        input.write(`${JSON.stringify({id, method, params, ...(sessionId === undefined ? {} : {sessionId})})}\0`)
      }),
    listen: (sessionId, heard) => void listeners.set(sessionId, heard),
  }
}

async function openPage(connection: Connection, sessionId: string, address: string, scheme: string): Promise<Page> {
  const problems: string[] = []
  const requests: string[] = []
  const send = <T>(method: string, params: object = {}): Promise<T> => connection.send<T>(method, params, sessionId)
  const loaded = new Promise<void>((settle) => {
    connection.listen(sessionId, (method, params) => {
      if (method === 'Page.loadEventFired') settle()
      if (method === 'Runtime.exceptionThrown' || method === 'Log.entryAdded' || method === 'Runtime.consoleAPICalled') problems.push(JSON.stringify(params))
      if (method === 'Network.requestWillBeSent') requests.push((params as {request: {url: string}}).request.url)
    })
  })
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
  await send('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: scheme}]})
  await send('Page.navigate', {url: address})
  await loaded
  const evaluate = async <T>(expression: string): Promise<T> => {
    const {result, exceptionDetails} = await send<{result: {value: T}; exceptionDetails?: {exception?: {description?: string}}}>('Runtime.evaluate', {expression, returnByValue: true, awaitPromise: true})
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the page threw')
    return result.value
  }
  return {
    problems,
    requests,
    evaluate,
    async click(selector) {
      const {x, y} = await evaluate<{x: number; y: number}>(`(() => { const e = document.querySelector(${JSON.stringify(selector)}); e.scrollIntoView({block: 'center', inline: 'center'}); const r = e.getBoundingClientRect(); return {x: r.left + r.width / 2, y: r.top + r.height / 2} })()`)
      for (const type of ['mouseMoved', 'mousePressed', 'mouseReleased']) await send('Input.dispatchMouseEvent', {type, x, y, ...(type === 'mouseMoved' ? {} : {button: 'left', clickCount: 1})})
    },
    async press(...keys) {
      for (const key of keys) {
        const text = key === 'Enter' ? '\r' : Array.from(key).length === 1 ? key : undefined
        const event = {key, ...(KEY_CODES[key] === undefined ? {} : {windowsVirtualKeyCode: KEY_CODES[key], code: key})}
        await send('Input.dispatchKeyEvent', {type: 'keyDown', ...event, ...(text === undefined ? {} : {text})})
        await send('Input.dispatchKeyEvent', {type: 'keyUp', ...event})
      }
    },
  }
}
