/** What the help says of each command, in parts: the manual and the reference are made of them. */
import {mkdirSync, readFileSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {makeManifest, readPackage} from '../bundle/manifest.mjs'
import {loadSource} from '../bundle/source.mjs'

/**
 * @typedef {readonly [term: string, text: string]} Row
 *
 * @typedef {object} CommandText
 * @property {string} id
 * @property {string} summary
 * @property {readonly string[]} usage whole lines, with calicoctl in front
 * @property {readonly string[]} examples command lines
 * @property {readonly string[]} description paragraphs
 * @property {readonly Row[]} args
 * @property {readonly Row[]} flags its own
 * @property {boolean} global whether it takes the global options
 * @property {string | undefined} match the grammar of rules, where it takes one
 * @property {readonly Row[]} exitCodes
 *
 * @typedef {object} ProgramText
 * @property {string} version
 * @property {string} description
 * @property {readonly CommandText[]} commands in the order of their names
 * @property {Readonly<Record<string, string>>} topics what the first words of commands are about
 * @property {readonly Row[]} globalFlags
 * @property {readonly Row[]} exitCodes
 * @property {readonly import('../../src/lib/settings/table.js').SettingRow[]} settings
 * @property {(name: string) => readonly string[]} variableNames
 */

/** @param {string} root @returns {Promise<ProgramText>} */
export async function describeProgram(root) {
  const scratch = join(root, '.cache', `manual-${process.pid}`)
  mkdirSync(scratch, {recursive: true})
  try {
    const manifest = await makeManifest({root, source: join(root, 'src'), scratch})
    const {TOPICS, EXIT_TEXTS, MATCH_HELP, argumentRows, exitCodeRows, usageText, usageOfId, SETTINGS, variableNames} = await loadSource(root, ['lib/cli/help.ts', 'lib/cli/grammar/own-usage.ts', 'lib/cli/grammar/v020.ts', 'lib/settings/table.ts'])
    const {version, description = ''} = readPackage(root)
    const shown = Object.entries(manifest).filter(([id, {hidden}]) => hidden !== true && !id.startsWith('__'))
    /** @type {Map<string, Row>} */
    const globalFlags = new Map()
    const commands = shown.map(([id, command]) => {
      /** @type {Row[]} */
      const flags = []
      let global = false
      for (const flag of Object.values(command.flags)) {
        if (flag.hidden) continue
        if (flag.helpGroup === 'GLOBAL') {
          globalFlags.set(flag.name, flagRow(flag))
          global = true
        } else flags.push(flagRow(flag))
      }
      const usage = command.usage === undefined ? [usageText(id, manifest)] : [command.usage].flat().map((line) => line.replace('<%= command.id %>', id.replaceAll(':', ' ')))
      return {
        id,
        summary: text(command.summary),
        usage: usage.map((line) => `calicoctl ${line.replace(/\s+/g, ' ')}`),
        examples: (command.examples ?? []).map((example) => text(typeof example === 'string' ? example : example.command)),
        description: text(command.description).split(/\n+/).filter((line) => line !== ''),
        args: argumentRows(command),
        flags: flags.sort(([a], [b]) => order(a, b)),
        global,
        match: usageOfId(id)?.includes('<MATCH>') ? MATCH_HELP : undefined,
        exitCodes: exitCodeRows(command),
      }
    })
    return {
      version,
      description,
      commands,
      topics: TOPICS,
      globalFlags: [...globalFlags.values()].sort(([a], [b]) => order(a, b)),
      exitCodes: Object.entries(EXIT_TEXTS),
      settings: SETTINGS,
      variableNames,
    }
  } finally {
    rmSync(scratch, {recursive: true, force: true})
  }
}

/** @param {string} a @param {string} b */
const order = (a, b) => (a.replace(/^(-\w, )?--/, '') < b.replace(/^(-\w, )?--/, '') ? -1 : 1)

/** @param {string | undefined} given */
const text = (given) => (given ?? '').replaceAll('<%= config.bin %>', 'calicoctl').trim()

/**
 * @param {{name: string, char?: string, type: string, description?: string, helpValue?: string | string[], options?: readonly string[], allowNo?: boolean}} flag
 * @returns {Row}
 */
function flagRow({name, char, type, description, helpValue, options, allowNo}) {
  const long = type === 'boolean' && allowNo ? `--[no-]${name}` : `--${name}`
  const value = type === 'boolean' ? '' : `=${[helpValue ?? options?.join('|') ?? name.toUpperCase()].flat().join('')}`
  return [`${char === undefined ? '' : `-${char}, `}${long}${value}`, text(description)]
}

/** The day of the newest release, for the pages' last line: YYYY-MM-DD. @param {string} root */
export function releaseDate(root) {
  return /^## \[\d[^\]]*\] - (\d{4}-\d\d-\d\d)/m.exec(readFileSync(join(root, 'CHANGELOG.md'), 'utf8'))?.[1] ?? ''
}
