import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {displayName, displayWorkload, nameAnnotations} from '../../../src/lib/model/display-name.js'
import {convertName, convertProfileName, nodeName} from '../../../src/lib/model/names.js'

describe('displayName', () => {
  test('is what the user typed', () => {
    fc.assert(
      fc.property(fc.string(), (typed) => {
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

  test('follows the conversion of the kind', () => {
    expect(displayName({name: 'kns.a', annotations: {'calicoctl/name': 'k8s_ns.a'}}, convertProfileName)).toEqual({name: 'k8s_ns.a'})
    expect(displayName({name: 'kns.a', annotations: {'calicoctl/name': 'k8s_ns.a'}})).toEqual({name: 'kns.a', suspicious: 'k8s_ns.a'})
    expect(displayName({name: 'host', annotations: {'calicoctl/name': 'Host'}}, nodeName)).toEqual({name: 'Host'})
    expect(displayName({name: 'host', annotations: {'calicoctl/name': 'host_'}}, nodeName)).toEqual({name: 'host', suspicious: 'host_'})
  })
})

test('displayWorkload does the same for the workload', () => {
  const workload = convertName('/var/run/netns/x')
  expect(displayWorkload({name: 'n', annotations: {'calicoctl/workload': '/var/run/netns/x'}}, workload)).toEqual({name: '/var/run/netns/x'})
  expect(displayWorkload({name: 'n', annotations: {'calicoctl/workload': 'other'}}, workload)).toEqual({name: workload, suspicious: 'other'})
})
