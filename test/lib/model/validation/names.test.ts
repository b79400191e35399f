import {describe, expect, test} from '@jest/globals'
import {checkAnnotations, checkLabels, isQualifiedName} from '../../../../src/lib/model/validation/names.js'

describe('isQualifiedName', () => {
  test.each(['a', 'A_b.c-d', 'example.com/a', '1', 'x'.repeat(63), `${'a.'.repeat(126)}a/b`])('%s is one', (key) => {
    expect(isQualifiedName(key)).toBe(true)
  })

  test.each(['', '_a', 'a-', 'x'.repeat(64), '/a', 'a/', 'a/b/c', 'Example.com/a', 'a b', 'é', `${'a'.repeat(254)}/b`])('%j is none', (key) => {
    expect(isQualifiedName(key)).toBe(false)
  })
})

const reported = (check: (report: (field: string) => void) => void) => {
  const fields: string[] = []
  check((field) => fields.push(field))
  return fields
}

test('labels are named one by one; annotation keys may have capitals', () => {
  expect(reported((report) => checkLabels({'x-': '', ok: 'a b', 'Ex.com/a': ''}, 'metadata.labels', report))).toEqual([
    'metadata.labels["x-"]',
    'metadata.labels["ok"]',
    'metadata.labels["Ex.com/a"]',
  ])
  expect(reported((report) => checkAnnotations({'Ex.com/A': 'any text', 'x-': ''}, 'a', report))).toEqual(['a["x-"]'])
})

test('annotations have 262144 bytes in all, counted in UTF-8', () => {
  const annotations = (bytes: number) => ({a: 'é'.repeat((bytes - 2) / 2), b: ''})
  expect(reported((report) => checkAnnotations(annotations(262144), 'a', report))).toEqual([])
  expect(reported((report) => checkAnnotations(annotations(262146), 'a', report))).toEqual(['a'])
})
