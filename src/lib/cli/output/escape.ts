/** TEXT for a terminal: control characters, including those that steer terminals and those that reverse the direction of text, as `\xNN` or `\uNNNN`. */
export function escapeText(text: string): string {
  let safe = true
  for (let i = 0; i < text.length && safe; i++) safe = isPrintable(text.charCodeAt(i))
  if (safe) return text
  let result = ''
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    result += isPrintable(code) ? text.charAt(i) : code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`
  }
  return result
}

/** As {@link escapeText}, line by line: line feeds are kept. */
export const escapeLines = (text: string): string => text.split('\n').map(escapeText).join('\n')

const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0')

const isPrintable = (code: number): boolean =>
  (code >= 0x20 && code < 0x7f) ||
  (code >= 0xa0 &&
    code !== 0x061c &&
    !(code >= 0x200b && code <= 0x200f) &&
    !(code >= 0x2028 && code <= 0x202e) &&
    !(code >= 0x2060 && code <= 0x2069) &&
    code !== 0xfeff)
