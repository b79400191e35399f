/** A page of the manual for man(1), with the macros of man(7). */

/**
 * @param {import('./pages.mjs').Page} page
 * @param {{version: string, date: string}} release
 */
export function roff({name, section, title, synopsis, sections, see}, {version, date}) {
  return [
    `.TH ${quoted(name)} ${section} "${date}" ${quoted(`calicoctl ${version}`)} "calicoctl manual"`,
    '.SH NAME',
    `${plain(name)} \\- ${plain(title.replace(/\.$/, ''))}`,
    ...(synopsis.length === 0 ? [] : ['.SH SYNOPSIS', ...unfilled(synopsis)]),
    ...sections.flatMap(({heading, blocks}) => [`.SH ${quoted(heading)}`, ...blocks.flatMap((block, i) => blockLines(block, blocks[i - 1]?.kind))]),
    '.SH SEE ALSO',
    see.map((each) => words(each)).join(',\n'),
    '',
  ].join('\n')
}

/** @param {import('./pages.mjs').Block} block @param {import('./pages.mjs').Block['kind'] | undefined} before @returns {string[]} */
function blockLines(block, before) {
  if (block.kind === 'heading') return [`.SS ${quoted(block.text)}`]
  if (block.kind === 'lines') return unfilled(block.lines)
  if (block.kind === 'rows') return block.rows.flatMap(([term, text]) => ['.TP', `\\fB${plain(term)}\\fR`, words(text)])
  return [...(before === undefined || before === 'heading' ? [] : ['.PP']), words(block.text)]
}

/** Lines that stay as they are. @param {readonly string[]} given */
const unfilled = (given) => ['.nf', ...given.map((line) => (line === '' ? '.sp' : plain(line))), '.fi']

/** Running text: what stands between backquotes, and the names of pages, are bold. @param {string} text */
const words = (text) => plain(text).replace(/`([^`]+)`/g, '\\fB$1\\fR').replace(/\b(calico[\w.\\-]*)(\([1-8]\))/g, '\\fB$1\\fR$2')

/** TEXT so that each of its characters stands for itself. @param {string} text */
const plain = (text) => text.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('…', '...').replace(/^(?=[.'])/gm, '\\&')

/** TEXT as one argument of a macro. @param {string} text */
const quoted = (text) => `"${plain(text).replaceAll('"', '\\(dq')}"`
