import {expect, test} from '@jest/globals'
import {bodyOf, draftOf, placedIn} from '../../../src/lib/resource-files/draft.js'

const BODY = 'kind: Profile\nspec:\n  nonsense: 1\n'

test.each([['as it was written', (text: string) => text], ['saved with CRLF', (text: string) => text.replaceAll('\n', '\r\n')]])('a problem of the body has its line in the kept file: %s', (_, saved) => {
  const text = draftOf('profile/web', BODY)
  const line = text.split('\n').indexOf('  nonsense: 1') + 1
  expect(line).toBeGreaterThan(3)
  expect(placedIn('/tmp/x.yaml', saved(text), '-:3:3: profile/web: spec.nonsense: unknown')).toBe(`/tmp/x.yaml:${line}:3: profile/web: spec.nonsense: unknown`)
  expect(placedIn('/tmp/x.yaml', saved(text), 'profile/web is in use')).toBe('profile/web is in use')
})

test('a problem is described with its line in the draft that it stands in, below others of them', () => {
  const draft = draftOf('profile/web', BODY, ['-:1:1: kind: must be set', '-:3:3: spec.nonsense: unknown', 'in use'])
  const line = (text: string): number => draft.split('\n').indexOf(text) + 1
  expect(draft.split('\n').slice(1, 4)).toEqual([`#   line ${line('kind: Profile')}, column 1: kind: must be set`, `#   line ${line('  nonsense: 1')}, column 3: spec.nonsense: unknown`, '#   in use'])
  expect([bodyOf(draft), bodyOf(draft.replaceAll('\n', '\r\n')), bodyOf('all:\r\n  new\r\n')]).toEqual([BODY, BODY, 'all:\n  new\n'])
})
