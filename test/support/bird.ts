/** BIRD for tests: Debian's own in network namespaces, and a server that speaks on a control socket as a transcript says. */
import {execFileSync, spawn} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {connect, createServer, type Socket} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {TestNamespace} from './namespaces.js'

/** Why there can be no real BIRD here; undefined if there can. */
export function whyNoBird(): string | undefined {
  try {
    execFileSync('sh', ['-c', 'command -v bird'], {env: {PATH: process.env.PATH}, stdio: 'ignore'})
    return undefined
  } catch {
    return 'not installed: bird (apt-get install bird)'
  }
}

export interface TestBird {
  /** Its control socket. */
  readonly path: string
  stop(): Promise<void>
}

/** Debian's BIRD with the configuration CONFIG inside NAMESPACE. It serves its socket when this returns. */
export async function startBird(namespace: TestNamespace, config: string): Promise<TestBird> {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-bird-'))
  const path = join(folder, 'bird.ctl')
  writeFileSync(join(folder, 'bird.conf'), config)
  const child = spawn('nsenter', [`--net=${namespace.path}`, 'bird', '-f', '-c', join(folder, 'bird.conf'), '-s', path, '-P', join(folder, 'pid')], {
    env: {PATH: process.env.PATH},
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  child.stderr.on('data', (data: Buffer) => (output += data.toString()))
  const ended = new Promise((resolve) => child.once('exit', resolve))
  for (const deadline = Date.now() + 60_000; ; ) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`bird did not start: ${output}`)
    if (await greets(path)) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    path,
    async stop() {
      child.kill('SIGKILL')
      await ended
      rmSync(folder, {recursive: true, force: true})
    },
  }
}

const greets = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('error', () => resolve(false))
    socket.once('data', () => {
      socket.destroy()
      resolve(true)
    })
  })

export interface TranscriptServer {
  readonly path: string
  /** What it was asked, in order. */
  readonly questions: string[]
  stop(): Promise<void>
}

/** A control socket at PATH that greets and answers every question as TRANSCRIPT does, in pieces of PIECE bytes. */
export async function startTranscriptServer(path: string, transcript: string | Buffer, {piece = 1 << 16}: {piece?: number} = {}): Promise<TranscriptServer> {
  const text = Buffer.from(transcript)
  const greeting = text.subarray(0, text.indexOf('\n') + 1)
  const answer = text.subarray(greeting.length)
  const sockets = new Set<Socket>()
  const questions: string[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.write(greeting)
    socket.on('data', (data) => {
      questions.push(data.toString())
      for (let at = 0; at < answer.length; at += piece) socket.write(answer.subarray(at, at + piece))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    path,
    questions,
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A folder for sockets, and how to remove it. */
export function socketFolder(): {path: (name: string) => string; remove: () => void} {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-ctl-'))
  return {path: (name) => join(folder, name), remove: () => rmSync(folder, {recursive: true, force: true})}
}
