/** The reference of every command, as docs/reference/*.md. */
import {commandBlocks, manualPages, topicTitle} from './pages.mjs'

const MADE = '<!-- Made by npm run docs from the help of the commands: change it there. -->'

/**
 * The files of docs/reference.
 * @param {import('./describe.mjs').ProgramText} program
 * @returns {{name: string, text: string}[]}
 */
export function referenceFiles(program) {
  const topics = [...new Set(program.commands.map(({id}) => id.split(':', 1)[0] ?? ''))]
  const pages = manualPages(program).filter(({section}) => section !== 1)
  return [
    {name: 'README.md', text: [MADE, '# Reference', 'The help of every command. The manual has the same pages, for example `man calicoctl-profile`.',
      topics.map((topic) => `* [${topic}](${topic}.md): ${prose(topicTitle(program, topic, program.commands.filter(({id}) => id === topic)))}`).join('\n'),
      '## Files, environment, exit codes', pages.map(({name, section, title}) => `* [${name}](${name}.${section}.md): ${title}`).join('\n'),
      '## Global options', list(program.globalFlags)].join('\n\n') + '\n'},
    ...topics.map((topic) => ({name: `${topic}.md`, text: topicFile(program, topic)})),
    ...pages.map(({name, section, title, synopsis, sections}) => ({
      name: `${name}.${section}.md`,
      text: [MADE, `# ${name}(${section})`, `${title}`, ...(synopsis.length === 0 ? [] : [code(synopsis)]), ...sections.flatMap(({heading, blocks}) => [`## ${sentence(heading)}`, ...blocks.map(blockText)])].join('\n\n') + '\n',
    })),
  ]
}

/** @param {import('./describe.mjs').ProgramText} program @param {string} topic */
function topicFile(program, topic) {
  const commands = program.commands.filter(({id}) => id.split(':', 1)[0] === topic)
  const match = commands.find((command) => command.match !== undefined)?.match
  return [
    MADE,
    `# calicoctl ${topic}`,
    prose(topicTitle(program, topic, commands)),
    ...commands.flatMap((command) => [`## ${command.id.replaceAll(':', ' ')}`, ...commandBlocks(command, true).map(blockText)]),
    ...(match === undefined ? [] : ['## Rules', code(match.split('\n'))]),
    'The [global options](README.md#global-options) and all [exit codes](calicoctl-exit-codes.7.md).',
  ].join('\n\n') + '\n'
}

/** @param {import('./pages.mjs').Block} block */
function blockText(block) {
  if (block.kind === 'heading') return `**${block.text}**`
  if (block.kind === 'lines') return code(block.lines)
  return block.kind === 'rows' ? list(block.rows) : prose(block.text)
}

/** @param {readonly string[]} lines */
const code = (lines) => ['```', ...lines, '```'].join('\n')

/** @param {readonly import('./describe.mjs').Row[]} rows */
const list = (rows) => rows.map(([term, text]) => `* \`${term}\`: ${prose(text)}`).join('\n')

/** Outside backquotes, what Markdown would take for a mark stands for itself. @param {string} text */
const prose = (text) => text.split(/(`[^`]*`)/).map((part, i) => (i % 2 === 1 ? part : part.replace(/[\\*_<>[\]|]/g, '\\$&'))).join('')

/** @param {string} heading */
const sentence = (heading) => `${heading.slice(0, 1)}${heading.slice(1).toLowerCase()}`
