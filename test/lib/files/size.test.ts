import {expect, test} from '@jest/globals'
import {sizeText} from '../../../src/lib/files/size.js'

test.each([[4 * 1024 * 1024, '4 MiB'], [64 * 1024, '64 KiB'], [1_536 * 1024, '1536 KiB'], [1_000, '1000 bytes'], [10, '10 bytes'], [0, '0 bytes']])('%d bytes', (bytes, text) => expect(sizeText(bytes)).toBe(text))
