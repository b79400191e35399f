import {describe, expect, test} from '@jest/globals'
import {undoneText} from '../../../src/lib/views/history.js'

describe('what an undo makes of an object', () => {
  const key = '/calico/resources/v3/projectcalico.org/profiles/web'
  const profile = (labels: object): string => JSON.stringify({kind: 'Profile', metadata: {name: 'web', uid: 'u'}, spec: {labelsToApply: labels}})

  test.each([
    ['updated: what goes back', {key, before: profile({}), after: profile({web: ''})}, 'profile/web updated (labelsToApply: -web)'],
    ['deleted', {key, before: undefined, after: profile({})}, 'profile/web deleted'],
    ['created again', {key, before: profile({}), after: undefined}, 'profile/web created'],
    ['a value that is no JSON', {key, before: '{', after: profile({})}, 'profile/web updated'],
  ])('%s', (_, change, text) => {
    expect(undoneText(change, false)).toBe(text)
    expect(undoneText(change, true)).toBe(text.replace('web ', 'web would be '))
  })
})
