/** Each page's example has that finding, and no other of any level. */
import {describe, expect, test} from '@jest/globals'
import {CODE_NAMES, levelOf} from '../../../src/lib/lint/codes.js'
import {PAGES} from '../../../src/lib/lint/pages.js'
import {exampleStore, lintOf} from './store.js'

describe('the pages of the codes', () => {
  test('there is one for each code', () => expect(Object.keys(PAGES).sort()).toEqual([...CODE_NAMES].sort()))

  test.each(CODE_NAMES)('%s', (code) => {
    const found = lintOf(exampleStore(PAGES[code].example))
    expect(found.map((finding) => `${finding.code} ${finding.level}`)).toEqual([`${code} ${levelOf(code)}`])
    const [{message, command} = {message: '', command: ''}] = found
    expect(message).not.toBe('')
    expect(command).not.toBe('')
  })
})
