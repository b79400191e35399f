import {describe, expect, test} from '@jest/globals'
import type {Rule} from '../../../src/lib/model/types.js'
import {sameRule} from '../../../src/lib/rules/compare.js'

const rule = (more: object): Rule => ({action: 'Allow', ...more})

describe('the same rule', () => {
  test.each([
    [{}, {source: {}, destination: {}}],
    [{source: {selector: 'has(a)'}}, {source: {selector: "a == ''"}}],
    [{source: {notSelector: 'has(a)'}}, {source: {notSelector: 'a==""'}}],
    [{source: {selector: "(x == 'y') && has(a)"}}, {source: {selector: '( x=="y" ) && a == \'\''}}],
    [{source: {selector: "b in {'x', 'y'}"}}, {source: {selector: 'b in {"y","x"}'}}],
    [{destination: {nets: ['10.0.0.0/08']}}, {destination: {nets: ['10.0.0.0/8']}}],
    [{protocol: '6'}, {protocol: 6}],
    [{ipVersion: 4, source: {}}, {ipVersion: 4}],
    [{ipVersion: 4, source: {nets: ['10.0.0.0/8', '11.0.0.0/8'], selector: 'has(a)'}}, {source: {selector: "a == ''", nets: ['10.0.0.0/8', '11.0.0.0/8']}, ipVersion: 4}],
  ])('%j %j', (a, b) => expect(sameRule(rule(a), rule(b))).toBe(true))
})

describe('not the same rule', () => {
  test.each([
    [{}, {protocol: 'TCP'}],
    [{protocol: 'TCP', destination: {ports: [80, 443]}}, {protocol: 'TCP', destination: {ports: [443, 80]}}],
    [{source: {selector: 'has(a)'}}, {destination: {selector: 'has(a)'}}],
    [{source: {selector: 'has(a)'}}, {source: {notSelector: 'has(a)'}}],
    [{source: {selector: 'has(a)'}}, {source: {selector: "a == 'x'"}}],
    [{source: {nets: []}}, {source: {}}],
    [{}, {metadata: {annotations: {a: 'b'}}}],
    [{protocol: 6}, {protocol: 'TCP'}],
    [{ipVersion: 4}, {ipVersion: 6}],
    [{a: 1n}, {a: 2n}],
  ])('%p %p', (a, b) => expect(sameRule(rule(a), rule(b))).toBe(false))
})
