import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {displayName, displayWorkload, dockerName, nameAnnotations} from '../../../src/lib/model/display-name.js'
import {convertName} from '../../../src/lib/model/names.js'

describe('displayName', () => {
  test('is what the user typed', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,60}$/), (typed) => {
        const name = convertName(typed)
        expect(displayName({name, annotations: nameAnnotations(typed, name)})).toEqual({name: typed})
      }),
    )
    expect(nameAnnotations('web', 'web')).toEqual({})
  })

  test('is never what somebody else wrote into the annotation', () => {
    const annotations = {'calicoctl/name': 'admin'}
    expect(displayName({name: 'web', annotations})).toEqual({name: 'web', suspicious: 'admin'})
    expect(displayName({name: 'web', annotations: {'calicoctl/name': ''}})).toEqual({name: 'web', suspicious: ''})
    expect(displayName({name: 'admin', annotations})).toEqual({name: 'admin'})
    expect(displayName({name: 'web'})).toEqual({name: 'web'})
    expect(displayName({name: 'web', annotations: Object.create({'calicoctl/name': 'Web'}) as Record<string, string>})).toEqual({name: 'web'})
    expect(displayName({name: 'web', annotations: {'calicoctl/name': 5} as unknown as Record<string, string>})).toEqual({name: 'web'})
  })

  test.each([
    ['a soft hyphen', 'we\u00adb'],
    ['a Hangul filler', 'web\u3164'],
    ['a zero-width joiner', 'web\u200d'],
    ['a letter of another script', 'w\u0435b'],
    ['a blank', 'a b'],
    ['an option', '-rf'],
    ['an option with a value', '--config=/x'],
    ['code', '$(touch x)'],
    ['more than 253 characters', `W${'e'.repeat(253)}`],
  ])('is not %s, although it converts to the stored name', (_what, typed) => {
    const name = convertName(typed)
    expect(displayName({name, annotations: nameAnnotations(typed, name)})).toEqual({name, suspicious: typed})
  })
})

test('displayWorkload does the same for the workload', () => {
  const workload = convertName('-var-run-netns-x')
  expect(displayWorkload({name: 'n', annotations: {'calicoctl/workload': '-var-run-netns-x'}}, workload)).toEqual({name: '-var-run-netns-x'})
  expect(displayWorkload({name: 'n', annotations: {'calicoctl/workload': 'other'}}, workload)).toEqual({name: workload, suspicious: 'other'})
  const hidden = convertName('we\u00adb')
  expect(displayWorkload({name: 'n', annotations: {'calicoctl/workload': 'we\u00adb'}}, hidden)).toEqual({name: hidden, suspicious: 'we\u00adb'})
})

test('dockerName is what Docker lets containers be called', () => {
  expect(dockerName('web_1.a-b')).toBe('web_1.a-b')
  for (const name of ['', '-rf', 'a b', 'we\u00adb', '$(x)', '/web', 5, undefined]) expect(dockerName(name)).toBeUndefined()
})
