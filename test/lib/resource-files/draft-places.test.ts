import {expect, test} from '@jest/globals'
import {draftOf, placedIn} from '../../../src/lib/resource-files/draft.js'

const BODY = 'kind: Profile\nspec:\n  nonsense: 1\n'

test.each([['as it was written', (text: string) => text], ['saved with CRLF', (text: string) => text.replaceAll('\n', '\r\n')]])('a problem of the body has its line in the kept file: %s', (_, saved) => {
  const text = draftOf('profile/web', BODY)
  const line = text.split('\n').indexOf('  nonsense: 1') + 1
  expect(line).toBeGreaterThan(3)
  expect(placedIn('/tmp/x.yaml', saved(text), '-:3:3: profile/web: spec.nonsense: unknown')).toBe(`/tmp/x.yaml:${line}:3: profile/web: spec.nonsense: unknown`)
  expect(placedIn('/tmp/x.yaml', saved(text), 'profile/web is in use')).toBe('profile/web is in use')
})
