/** How many columns of a terminal TEXT takes, which is escaped (src/lib/printable.ts): wide characters take two, combining ones none. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

const characterWidth = (character: string): number => {
  if (/\p{M}/u.test(character)) return 0
  return /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u.test(character) ? 2 : 1
}

/** Behind these, a line may end inside of a word: they are between the parts of names, addresses and lists. */
const PART = /[^\s,;/:._-]*[\s,;/:._-]+|[^\s,;/:._-]+/g

/**
 * TEXT in lines of at most WIDTH columns. Lines end between words where they can, then between parts of a word, and anywhere in a part that is longer than a line.
 * All but the spaces at the ends of lines is kept.
 */
export function foldText(text: string, width: number): string[] {
  if (textWidth(text) <= width) return [text]
  const lines: string[] = []
  let line = ''
  const put = (piece: string): void => {
    if (textWidth((line + piece).trimEnd()) <= width) {
      line += piece
      return
    }
    if (line !== '') lines.push(line.trimEnd())
    line = piece
  }
  for (const word of text.match(/\S+\s*/g) ?? [text]) {
    if (textWidth(word.trimEnd()) <= width) {
      put(word)
      continue
    }
    for (const part of word.match(PART) ?? [word]) {
      if (textWidth(part.trimEnd()) <= width) put(part)
      else for (const character of part) put(character)
    }
  }
  return line.trimEnd() === '' ? lines : [...lines, line.trimEnd()]
}
