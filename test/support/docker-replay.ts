/** A Docker Engine made of a real one's answers (golden/docker), with what a test changes of them. It runs nothing. */
import {readFileSync} from 'node:fs'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import {join, resolve} from 'node:path'

const GOLDEN = resolve(import.meta.dirname, '../fixtures/golden/docker')

/** The JSON body of a golden answer. */
function goldenBody(name: string): unknown {
  const text = readFileSync(join(GOLDEN, name), 'utf8')
  return JSON.parse(text.split(/\r?\n\r?\n/).slice(1).join('\n\n'))
}

export interface ListedContainer {
  Id: string
  Names: string[]
  State: string
  Status: string
}

export interface InspectedContainer {
  Id: string
  State: {Status: string; Running: boolean; ExitCode: number; StartedAt: string}
  RestartCount: number
  Mounts: {Source: string; Destination: string}[]
  Config: {Env: string[]; Labels: Record<string, string>}
}

export interface ExecAnswer {
  /** Null: it goes on for ever. */
  readonly exitCode: number | null
  readonly output: string
}

export interface ReplayEngine {
  /** For DOCKER_HOST. */
  readonly address: string
  containers: ListedContainer[]
  /** The one called calico-node. */
  inspected: InspectedContainer
  /** What a program does that is started in the container, by its words. */
  exec: (command: string) => ExecAnswer
  /** All programs that were started. */
  readonly started: string[]
  stop(): Promise<void>
}

/** Starts it at the socket PATH. */
export async function startReplayEngine(path: string): Promise<ReplayEngine> {
  const commands = new Map<string, string>()
  const engine: ReplayEngine = {
    address: `unix://${path}`,
    containers: goldenBody('19-list.txt') as ListedContainer[],
    inspected: goldenBody('01-inspect-running.txt') as InspectedContainer,
    exec: () => ({exitCode: 0, output: ''}),
    started: [],
    stop: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      }),
  }
  const json = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, {'Content-Type': 'application/json'}).end(JSON.stringify(body))
  }
  const answer = (request: IncomingMessage, response: ServerResponse, body: string): void => {
    const route = (request.url ?? '').split('?', 1)[0] ?? ''
    const [, kind, id = '', word] = route.split('/')
    if (route === '/containers/json') {
      json(response, 200, engine.containers)
    } else if (kind === 'containers' && word === 'json') {
      if (id === engine.inspected.Id) json(response, 200, engine.inspected)
      else json(response, 404, {message: `No such container: ${id}`})
    } else if (kind === 'containers' && word === 'exec') {
      if (!engine.inspected.State.Running || engine.inspected.State.Status === 'restarting') {
        json(response, 409, {message: `Container ${id} is restarting, wait until the container is running`})
        return
      }
      const exec = `${(goldenBody('22-exec-create.txt') as {Id: string}).Id.slice(0, 60)}${String(commands.size).padStart(4, '0')}`
      commands.set(exec, (JSON.parse(body) as {Cmd: string[]}).Cmd.join(' '))
      json(response, 201, {Id: exec})
    } else if (kind === 'exec' && word === 'start') {
      const command = commands.get(id) ?? ''
      engine.started.push(command)
      response.writeHead(200, {'Content-Type': 'application/vnd.docker.raw-stream'})
      const {exitCode, output} = engine.exec(command)
      if (exitCode === null) {
        response.flushHeaders()
        return
      }
      const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])
      header.writeUInt32BE(Buffer.byteLength(output), 4)
      response.end(output === '' ? '' : Buffer.concat([header, Buffer.from(output)]))
    } else if (kind === 'exec' && word === 'json') {
      json(response, 200, {...(goldenBody('24-exec-inspect.txt') as object), ID: id, ExitCode: engine.exec(commands.get(id) ?? '').exitCode})
    } else json(response, 404, {message: 'page not found'})
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (data: Buffer) => (body += data.toString()))
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((done) => server.listen(path, done))
  return engine
}
