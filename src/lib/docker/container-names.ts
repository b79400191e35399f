/** The names of containers, for completion: one question by plain HTTP, since dockerode takes longer to load than a key press may. */
import {request} from 'node:http'
import {listedContainersOf} from './answers.js'
import {engineAddress} from './engine.js'

/** More than this is no list of containers that someone chooses from. */
const LARGEST_ANSWER = 4 * 1024 * 1024

/** The names of the Engine's containers that run, or of ALL. @throws Error if it does not answer within LIMITMS, or has TLS */
export function containerNames({all, limitMs}: {all: boolean; limitMs: number}): Promise<readonly string[]> {
  const address = engineAddress()
  const path = `/containers/json${all ? '?all=1' : ''}`
  const url = address.startsWith('unix://') ? undefined : new URL(address.replace(/^tcp:/, 'http:'))
  const where = url ? {host: url.hostname, port: url.port} : {socketPath: address.slice('unix://'.length)}
  return new Promise((resolve, reject) => {
    const asking = request({...where, path, signal: AbortSignal.timeout(limitMs)}, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('error', reject)
      response.on('data', (data: string) => {
        text += data
        if (text.length > LARGEST_ANSWER) response.destroy(new Error('too long'))
      })
      response.on('end', () => {
        try {
          resolve(namesIn(JSON.parse(text)))
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)))
        }
      })
    })
    asking.on('error', reject)
    asking.end()
  })
}

const namesIn = (list: unknown): readonly string[] => (listedContainersOf(list) ?? []).flatMap(({names: [name]}) => (name === undefined ? [] : [name.replace(/^\//, '')]))
