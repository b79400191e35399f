/**
 * Text from elsewhere (the datastore, Docker, BIRD, files, the command line) made harmless for whoever looks at it: no character that steers a
 * terminal, hides, ends a line or reverses the direction of text is left as it is (design.md §5). Pure.
 */

/** The characters that need a closer look: all but those of printable ASCII. A small class, which costs nothing to compile. */
const NOT_ASCII = /[^\x20-\x7e]/
const NOT_ASCII_IN_LINES = /[^\n\x20-\x7e]/
const NOT_ASCII_ALL = /[^\x20-\x7e]/gu

/**
 * Whether CHARACTER, one code point, may be shown as it is. Not: controls (Cc), formats (Cf), private (Co), unassigned (Cn), half characters (Cs), the
 * separators of lines and paragraphs, and the other characters that Unicode calls ignorable, such as fillers: they take no space, so that two names look alike.
 */
const isPrintable = (character: string): boolean => !/[\p{C}\p{Zl}\p{Zp}\p{DI}]/u.test(character)

/** TEXT with each character that is not printable as ESCAPED makes it; INLINES, line feeds stay. */
function replaceUnprintable(text: string, escaped: (code: number) => string, {inLines = false} = {}): string {
  // Nearly all text is ASCII, and the classes of Unicode take a millisecond at their first use.
  if (!(inLines ? NOT_ASCII_IN_LINES : NOT_ASCII).test(text)) return text
  return text.replace(NOT_ASCII_ALL, (character) => (isPrintable(character) || (inLines && character === '\n') ? character : escaped(character.codePointAt(0) ?? 0)))
}

const hex = (code: number, width: number): string => code.toString(16).padStart(width, '0')

/** TEXT for people, in one line: what is not printable, line feeds among it, as `\xNN`, `\uNNNN` or `\u{NNNNN}`. */
export function escapeText(text: string): string {
  return replaceUnprintable(text, (code) => (code < 0x100 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 1)}}`))
}

/** As {@link escapeText}, line by line: line feeds are kept. For text whose lines are ours. */
export const escapeLines = (text: string): string => (text.includes('\n') ? text.split('\n').map(escapeText).join('\n') : escapeText(text))

/** The JSON text JSON, of the same value, with all that is not printable as `\uNNNN`; line feeds, which stand between tokens only, are kept. */
export function escapeJson(json: string): string {
  return replaceUnprintable(json, (code) => (code < 0x10000 ? `\\u${hex(code, 4)}` : utf16Units(code)), {inLines: true})
}

/** CODE beyond 16 bits as JSON has it. */
const utf16Units = (code: number): string => `\\u${hex(0xd800 + ((code - 0x10000) >> 10), 4)}\\u${hex(0xdc00 + ((code - 0x10000) & 0x3ff), 4)}`

/** A double-quoted YAML text, with all that is not printable as `\uNNNN` or, beyond 16 bits, `\UNNNNNNNN`; line feeds are kept. */
export function escapeYaml(quoted: string): string {
  return replaceUnprintable(quoted, (code) => (code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`), {inLines: true})
}
