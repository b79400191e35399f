/** Calls a plugin as the Docker Engine does: POST over a Unix socket. */
import {request, type Agent, type IncomingHttpHeaders} from 'node:http'

export interface PluginReply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The reply's JSON. */
  readonly body: unknown
}

/** Posts BODY over a connection of its own (or AGENT's) (as JSON; a string as it is; nothing if undefined) to NAME on the socket. */
export function callPlugin(socketPath: string, name: string, body?: unknown, {verb = 'POST', agent}: {verb?: string; agent?: Agent} = {}): Promise<PluginReply> {
  return new Promise((resolve, reject) => {
    const sent = request({socketPath, path: `/${name}`, method: verb, agent: agent ?? false}, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(parts).toString()
        resolve({status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text)})
      })
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body))
  })
}
