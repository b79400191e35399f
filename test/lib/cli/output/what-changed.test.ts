import {expect, test} from '@jest/globals'
import {whatChanged} from '../../../../src/lib/cli/output/what-changed.js'

const object = (spec: object, metadata: object = {}) => ({kind: 'K', apiVersion: 'v', metadata: {name: 'a', uid: 'u', ...metadata}, spec})

test.each<[object, object, string | undefined]>([
  [object({order: 5}), object({order: 6}), 'order 5 → 6'],
  [object({}), object({natOutgoing: true}), 'natOutgoing none → true'],
  [object({profiles: ['db']}), object({profiles: ['web']}), 'profiles: +web -db'],
  [object({profiles: ['a', 'b']}), object({profiles: ['b', 'a']}), 'profiles: other order'],
  [object({labelsToApply: {a: ''}}), object({labelsToApply: {a: '', b: ''}}), 'labelsToApply: +b'],
  [object({}, {labels: {team: 'shop', x: 'y'}}), object({}, {labels: {team: 'store'}}), 'labels: +team=store -x'],
  [object({ingress: [{action: 'Allow'}]}), object({ingress: [{action: 'Deny'}]}), 'ingress changed'],
  [object({bgp: {asNumber: 1}}), object({bgp: {asNumber: 2}}), 'bgp.asNumber 1 → 2'],
  [object({selector: 'x'.repeat(50)}), object({selector: 'y'}), 'selector changed'],
  [object({a: 1, b: 1, c: 1, d: 1, e: 1, f: 1}), object({}), 'a 1 → none, b 1 → none, c 1 → none, d 1 → none, and 2 more'],
  [object({}, {uid: '1', resourceVersion: '7'}), object({}, {uid: '2', resourceVersion: '8'}), undefined],
  [object({n: 2n ** 60n}), object({n: 2n ** 60n}), undefined],
])('%j', (before, after, expected) => expect(whatChanged(before, after)).toBe(expected))
