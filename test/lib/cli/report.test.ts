import {describe, expect, test} from '@jest/globals'
import {errorText} from '../../../src/lib/cli/report.js'
import {CalicoError, EXIT_CODES} from '../../../src/lib/errors.js'

describe('errorText', () => {
  test('what failed, why, what to do next; no stack', () => {
    const error = new CalicoError('refused', 'Profile web is in use', {details: ['by endpoint e1'], hint: 'Use --no-check.'})
    expect(errorText(error)).toBe('Error: Profile web is in use.\n  by endpoint e1\nUse --no-check.\n')
    expect(error.exitCode).toBe(8)
  })

  test('the message ends as a sentence, once', () => {
    for (const message of ['Profile web not found.', 'Did you mean web?', '2 problems in the command line:']) expect(errorText(new CalicoError('invalid', message))).toBe(`Error: ${message}\n`)
    expect(errorText(new CalicoError('invalid', 'There is no tag web'))).toBe('Error: There is no tag web.\n')
  })

  test('an error of ours says so, and --debug shows where', () => {
    expect(errorText(new TypeError('x is undefined'))).toMatch(/^Error: x is undefined\.\nThis is a bug in calicoctl\..*--debug/)
    const text = errorText(new TypeError('x is undefined'), {debug: {trace: (stack) => stack, reports: 'https://example.org/issues'}})
    expect(text).toContain('report.test.ts')
    expect(text).toMatch(/\nTo report a bug: https:\/\/example\.org\/issues\n$/)
    expect(errorText(new TypeError('x'), {debug: {trace: () => ''}})).toMatch(/\nTo report a bug, send this output to the publisher of this package\.\n$/)
  })

  test('a value or an option that oclif refuses is told in our words, with what was probably meant', () => {
    const refused = (message: string): Error => Object.assign(new Error(message), {oclif: {exit: 2}})
    expect(errorText(refused('Expected --output=jsn to be one of: table, json, yaml\nSee more help with --help'))).toBe("Error: --output: 'jsn' is not valid. Did you mean json? Valid values: table, json, yaml.\n")
    expect(errorText(refused('Expected --scope=world to be one of: local, global'))).toBe("Error: --scope: 'world' is not valid. Valid values: local, global.\n")
    expect(errorText(refused('The following error occurred:\n  Missing required flag out'))).toBe('Error: The option --out is missing.\n')
  })

  test('text from a datastore is escaped', () => expect(errorText(new CalicoError('failed', 'bad \u001b[2J'))).toContain('\\x1b[2J'))
})

test('the exit codes are those of design.md §5', () => {
  expect(EXIT_CODES).toMatchObject({
    usage: 1, invalid: 1, failed: 1, 'not-root': 2, 'not-found': 4, conflict: 5, unreachable: 6, 'wrong-datastore': 6, denied: 7, refused: 8, unknown: 9, problems: 10, interrupted: 130, terminated: 143,
  })
})
