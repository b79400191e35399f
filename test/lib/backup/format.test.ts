/** Files that were a backup once. */
import {gzipSync} from 'node:zlib'
import {expect, test} from '@jest/globals'
import {backupBytes, backupParts} from '../../../src/lib/backup/format.js'

async function* inPieces(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  await Promise.resolve()
  yield* parts
}

async function whole(): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of backupBytes({clusterGUID: 'g', revision: '7', savedAt: '2026-01-01T00:00:00.000Z'}, (async function* () {
    await Promise.resolve()
    yield [{key: '/calico/a', value: '{}'}]
  })())) parts.push(part)
  return Buffer.concat(parts)
}

async function read(...parts: readonly Uint8Array[]): Promise<unknown> {
  try {
    let count = 0
    for await (const _ of backupParts(inPieces(parts), 'FILE')) count++
    return count
  } catch (error) {
    return error
  }
}

test('a backup', async () => expect(await read(await whole())).toBe(3))

test.each<[string, (bytes: Buffer) => readonly Uint8Array[], string]>([
  ['zeros behind it, as a device of blocks has', (bytes) => [bytes, Buffer.alloc(100_000), Buffer.alloc(100_000)], 'it has data after its end'],
  ['another one behind it', (bytes) => [bytes, bytes], 'it has data after its end'],
  ['its end cut off', (bytes) => [bytes.subarray(0, bytes.length - 9)], 'it is truncated'],
  ['no gzip', () => [Buffer.from('apiVersion: calicoctl/v1')], 'it is not a gzip file, or it is damaged'],
  ['no UTF-8', () => [gzipSync(Buffer.from([0xff, 10]))], 'it is not UTF-8 text'],
  ['nothing', () => [], 'it is truncated'],
])('%s: refused', async (_, change, why) => {
  expect(await read(...change(await whole()))).toMatchObject({kind: 'invalid', message: expect.stringContaining(`FILE is not a valid backup: ${why}`) as unknown})
})
