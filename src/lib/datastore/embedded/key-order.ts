/**
 * Compares two keys as etcd does, by the bytes of their UTF-8. JavaScript compares UTF-16 units, which is the same except that
 * the surrogates of characters above U+FFFF stand before U+E000 to U+FFFF there.
 */
export function compareKeys(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return utf8Rank(x) - utf8Rank(y)
  }
  return a.length - b.length
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdfff
const utf8Rank = (unit: number): number => (isSurrogate(unit) ? unit + 0x10000 : unit)
