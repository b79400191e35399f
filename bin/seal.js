'use strict'
/** V8 does not check the bytes of a code cache: a page of zeros, as a power cut leaves it, would crash Node. So a check sum is put behind them. */

const SIZE = 4

/** @param {Buffer} data @returns {Buffer} */
function seal(data) {
  const end = Buffer.alloc(SIZE)
  end.writeInt32LE(checkSum(data))
  return Buffer.concat([data, end])
}

/**
 * What was sealed, undefined if it is not what it was.
 * @param {Buffer} sealed
 */
function unseal(sealed) {
  if (sealed.length <= SIZE) return undefined
  const data = sealed.subarray(0, -SIZE)
  return checkSum(data) === sealed.readInt32LE(data.length) ? data : undefined
}

/** One word in each KB counts: enough for lost pages and cut files; all of them would take 5 ms. @param {Buffer} data */
function checkSum(data) {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length >> 2)
  let sum = data.length
  for (let i = 0; i < words.length; i += 256) sum = (Math.imul(sum, 31) + /** @type {number} */ (words[i])) | 0
  return sum
}

module.exports = {seal, unseal}
