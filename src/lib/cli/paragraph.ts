/** v0.20's paragraphs (cli-v0.20 §1.6): white space as single blanks, at most 80 columns, broken behind hyphens too, and a blank line after. */

const WIDTH = 80

/** The lines of TEXT as a paragraph, its blank line included. */
export function paragraph(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((each) => each !== '')) {
    let gap = line === '' ? '' : ' '
    for (const part of word.split(/(?<=[A-Za-z0-9]-)(?=[A-Za-z])/)) {
      let rest = part
      if (line.length + gap.length + rest.length > WIDTH && line !== '') {
        lines.push(line)
        line = ''
        gap = ''
      }
      for (; rest.length > WIDTH; rest = rest.slice(WIDTH)) lines.push(rest.slice(0, WIDTH))
      line += gap + rest
      gap = ''
    }
  }
  return [...lines, line, '']
}
