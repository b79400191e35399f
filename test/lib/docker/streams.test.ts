/** What the Engine streams: logs in frames, and the progress of pulls, against recorded answers. */
import {readFileSync} from 'node:fs'
import {createServer} from 'node:http'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {hasImage, pullImage, pullMessage, type PullMessage, type PullProgress, pullReader} from '../../../src/lib/docker/images.js'
import {framedLines, isProgramMissing} from '../../../src/lib/docker/lifecycle.js'
import {lineSplitter} from '../../../src/lib/docker/lines.js'

const golden = (name: string): string => readFileSync(resolve(import.meta.dirname, '../../fixtures/golden/docker', name), 'utf8')

/** The status and body of a recorded answer. */
function answer(name: string): {status: number; body: string} {
  const [head = '', ...body] = golden(name).split(/\r?\n\r?\n/)
  const text = body.join('\n\n')
  return {status: Number(head.split(' ')[1]), body: text.split(/\n\nreal\t|\nreal\t/)[0] ?? ''}
}

test('lines come out whole, however the text is cut', () => {
  fc.assert(fc.property(fc.array(fc.string({unit: 'grapheme'}).map((text) => text.replaceAll(/[\r\n]/g, ''))), fc.array(fc.nat(20)), (lines, cuts) => {
    const data = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    const found: string[] = []
    const splitter = lineSplitter((line) => found.push(line))
    let at = 0
    for (const cut of cuts) {
      splitter.push(data.subarray(at, at + cut))
      at += Math.min(cut, data.length - at)
    }
    splitter.push(data.subarray(at))
    splitter.end()
    expect(found).toEqual(lines)
  }))
})

test('a recorded log: stdout and stderr in frames', () => {
  const hex = golden('20-logs-multiplexed-hex.txt').split('\n').map((line) => /^[0-9a-f]{8}: ([0-9a-f ]{39})/.exec(line)?.[1] ?? '').join('')
  const lines = framedLines(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  expect(lines[0]).toBe('bird: Mesh_10_201_0_3: State changed to feed')
  expect(lines.length).toBeGreaterThan(1)
})

test('frames that are cut, or none at all, crash nothing', () => {
  fc.assert(fc.property(fc.uint8Array({maxLength: 64}), (bytes) => {
    expect(Array.isArray(framedLines(Buffer.from(bytes)))).toBe(true)
  }))
})

test.each([
  ['OCI runtime exec failed: exec failed: unable to start container process: exec: "calico-node": executable file not found in $PATH: unknown', true],
  ['OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: \\"calico-node\\": executable file not found in $PATH: unknown', true],
  ['failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/x": stat /bin/x: no such file or directory: unknown', true],
  ['OCI runtime exec failed: exec failed: cannot exec in a stopped container: unknown', false],
  ['OCI runtime create failed: error mounting "/x" to rootfs at "/y": no such file or directory: unknown', false],
  ['calico/node is not ready: Failed to stat() nodename file: stat /var/lib/calico/nodename: no such file or directory', false],
])('the program is missing in the container: %s: %s', (text, expected) => expect(isProgramMissing(text)).toBe(expected))

describe('pulls', () => {
  const progress = (name: string): ({progress: PullProgress} | {failed: string})[] => {
    const reader = pullReader()
    return answer(name).body.split('\n').flatMap((line) => (line.startsWith('{') ? (reader.read(JSON.parse(line) as PullMessage) ?? []) : []))
  }

  test('layers and bytes, to the end', () => {
    const all = progress('30-pull-good.txt')
    expect(all[3]).toEqual({progress: {layers: 2, layersDone: 0, bytes: 65536, totalBytes: 3501502}})
    expect(all.at(-1)).toEqual({progress: {layers: 2, layersDone: 2, bytes: 3501502, totalBytes: 3501502}})
  })

  test.each(['null', '[]', '7', '{"status":7,"id":"a"}', '{"status":"Downloading","id":7}', '{"status":"Downloading","id":"a","progressDetail":{"current":"1","total":null}}', '{"status":"Downloading","id":"a","progressDetail":null}', '{"errorDetail":null}', '{"error":{"a":1}}'])(
    'what is not as the Engine sends it is no progress: %s',
    (line) => {
      const outcome = pullReader().read(pullMessage(line))
      expect([undefined, {progress: {layers: 1, layersDone: 0, bytes: 0, totalBytes: 0}}]).toContainEqual(outcome)
    },
  )

  test('broken half-way', () => expect(progress('32-pull-midstream-error.txt').at(-1)).toEqual({failed: 'unknown blob'}))

  test.each<[string, RegExp]>([
    ['32-pull-midstream-error.txt', /could not be pulled: unknown blob/],
    ['05-pull-fail-tag.txt', /no such host/],
    ['06-pull-fail-registry-refused.txt', /connection refused/],
    ['33-pull-manifest-unknown.txt', /could not be pulled: .*manifest/],
    ['18-api-too-old.txt', /is too old/],
    ['30-pull-good.txt', /ended the pull before it was complete/], // the image is still not there
  ])('an Engine that answers %s', async (name, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'calicoctl-pull-'))
    const {status, body} = answer(name)
    const server = createServer((request, response) => {
      const pull = request.url?.includes('/images/create') === true
      response.writeHead(pull ? status : 404, {'Content-Type': 'application/json'})
      response.end(pull ? body : '{"message":"No such image"}')
    })
    const socket = join(folder, 'docker.sock')
    await new Promise<void>((listening) => server.listen(socket, listening))
    try {
      const env = {DOCKER_HOST: `unix://${socket}`}
      await expect(pullImage('127.0.0.1:1/calico/node:v1', () => undefined, {env})).rejects.toMatchObject({kind: 'failed', message: expect.stringMatching(message) as unknown})
      await expect(hasImage('x', {env})).resolves.toBe(false)
    } finally {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
      rmSync(folder, {recursive: true, force: true})
    }
  })
})
