/** The Huffman code of HPACK (RFC 7541 §5.2, Appendix B): a canonical one, so the lengths of its codes are all of it. */

/** For each byte, and for the end of a text, how many bits its code has, in base 36. */
const LENGTHS =
  'dnsssssssoussussssssssusssssssss' +
  '6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6' +
  'f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnno' +
  'mlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrr' +
  'koklmllnmmppooqnqrqqrrrrrsrrrrrq' +
  'u'
const END = 256
const LONGEST = 30

/** For each length, the first of its codes, and the symbols of all of them in order. */
interface Codes {
  readonly first: number
  readonly symbols: readonly number[]
}

let tables: readonly Codes[] | undefined

function codes(): readonly Codes[] {
  const symbols = Array.from({length: LONGEST + 1}, (): number[] => [])
  for (let symbol = 0; symbol <= END; symbol++) symbols[Number.parseInt(LENGTHS.charAt(symbol), 36)]?.push(symbol)
  let next = 0
  return symbols.map((own) => {
    const first = next * 2
    next = first + own.length
    return {first, symbols: own}
  })
}

/** The text of BYTES, each byte of it one character. @throws RangeError for what is no such text */
export function decodeHuffman(bytes: Uint8Array): string {
  tables ??= codes()
  let text = ''
  let code = 0
  let length = 0
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1)
      const {first, symbols} = tables[++length] ?? {first: 0, symbols: []}
      const symbol = symbols[code - first]
      if (symbol === END || length > LONGEST) throw new RangeError('a Huffman code that no text has')
      if (symbol === undefined) continue
      text += String.fromCharCode(symbol)
      code = 0
      length = 0
    }
  }
  // What is left fills the last byte: the beginning of the end's code, which is all ones.
  if (length > 7 || code !== 2 ** length - 1) throw new RangeError('a Huffman code is cut off')
  return text
}
