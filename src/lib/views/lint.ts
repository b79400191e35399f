/** How the findings of lint, and what it tells about its codes, are shown. */
import {CalicoError} from '../errors.js'
import {paragraph} from '../cli/paragraph.js'
import {ownDocument, type Presentation, shortIds} from '../cli/output/presentation.js'
import {nearest} from '../cli/suggest.js'
import {CODE_NAMES, type Code, CODES, isCode, type Level, LEVELS} from '../lint/codes.js'
import {type Finding, subjectLabel} from '../lint/finding.js'
import {type Page, PAGES} from '../lint/pages.js'

/** The code that TEXT names. @throws CalicoError `invalid` */
export function readCode(text: string): Code {
  if (isCode(text)) return text
  const meant = nearest(text, CODE_NAMES)
  throw new CalicoError('invalid', `'${text}' is not a lint code.${meant === undefined ? '' : ` Did you mean ${meant}?`}`, {hint: 'To list them: calicoctl lint codes'})
}

/** `2 errors, 1 warning` */
export function countText(findings: readonly Finding[]): string {
  return LEVELS.flatMap((level) => {
    const count = findings.filter((each) => each.level === level).length
    return count === 0 ? [] : [`${count} ${level}${count === 1 ? '' : 's'}`]
  }).join(', ')
}

export function presentFindings(findings: readonly Finding[], objects: number): Presentation<Finding> {
  const presentation: Presentation<Finding> = {
    rows: findings,
    columns: [
      {header: 'Level', value: ({level}) => level},
      {header: 'Code', value: ({code}) => code},
      {header: 'Object', value: ({subject}) => subjectLabel(subject), short: ({subject}) => shortIds(subjectLabel(subject))},
      {header: 'Problem', value: ({field, message}) => (field === '' ? message : `${field} ${message}`), prose: true},
      {header: 'How to fix it', value: ({command}) => command, prose: true, command: true},
    ],
    name: ({subject}) => subjectLabel(subject),
    document: (all) =>
      ownDocument('LintResult', {
        objects,
        counts: Object.fromEntries(LEVELS.map((level) => [level, all.filter((each) => each.level === level).length])),
        findings: all.map(({code, level, subject, field, message, command}) => ({
          code, level, object: subjectLabel(subject), kind: subject.kind ?? null, namespace: subject.namespace ?? null, name: subject.name ?? null, key: subject.key, field, message, command,
        })),
      }),
    alignment: 'left',
  }
  return findings.length === 0 ? {...presentation, text: () => []} : presentation
}

interface CodeRow {
  readonly code: Code
  readonly level: Level
  readonly summary: string
}

const rowOf = (code: Code): CodeRow => ({code, ...CODES[code]})

export const presentCodes = (): Presentation<CodeRow> => ({
  rows: CODE_NAMES.map(rowOf),
  columns: [
    {header: 'Code', value: ({code}) => code},
    {header: 'Level', value: ({level}) => level},
    {header: 'Meaning', value: ({summary}) => summary, prose: true},
  ],
  name: ({code}) => code,
  document: (codes) => ownDocument('LintCodes', {codes}),
  alignment: 'left',
})

export function presentPage(code: Code): Presentation<CodeRow & Page> {
  const page = PAGES[code]
  return {
    rows: [{...rowOf(code), ...page}],
    columns: [{header: 'Code', value: () => code}, {header: 'Meaning', value: () => page.meaning, prose: true}, {header: 'How to fix it', value: () => page.mend, prose: true}],
    name: () => code,
    document: () => ownDocument('LintCode', {...rowOf(code), ...page}),
    text: () => pageLines(code, page),
    alignment: 'left',
  }
}

/** TEXT at most 80 columns wide. */
const wrapped = (text: string): readonly string[] => paragraph(text).slice(0, -1)

function pageLines(code: Code, {meaning, example, mend}: Page): string[] {
  const {level, summary} = CODES[code]
  return [
    `${code} (${level}): ${summary}.`,
    '', ...wrapped(meaning),
    '', 'Example:', ...Object.entries(example).flatMap(([key, value]) => [`  ${key}`, `    ${value === null ? 'does not exist' : typeof value === 'string' ? value : JSON.stringify(value)}`]),
    '', 'How to fix it:', ...wrapped(mend),
  ]
}
