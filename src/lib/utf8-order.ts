/**
 * Order of two strings by the bytes of their UTF-8, which is the order of their code points; for `sort`.
 * JavaScript's own order (UTF-16 units) puts U+10000 and above before U+E000.
 */
export function compareUtf8(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

/** A UTF-16 unit moved so that surrogates, which stand for the highest code points, come last. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}
