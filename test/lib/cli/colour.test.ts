import {expect, test} from '@jest/globals'
import {settleColours} from '../../../src/lib/cli/colour.js'

test.each([
  [{}, false, {}],
  [{NO_COLOR: ''}, false, {}],
  [{NO_COLOR: '1'}, false, {NO_COLOR: '1'}],
  [{NO_COLOR: '1', FORCE_COLOR: '1'}, false, {FORCE_COLOR: '1'}],
  [{NO_COLOR: '1', FORCE_COLOR: ''}, false, {NO_COLOR: '1'}],
  [{FORCE_COLOR: '0'}, false, {NO_COLOR: '1'}],
  [{FORCE_COLOR: 'false'}, false, {NO_COLOR: '1'}],
  [{FORCE_COLOR: '1'}, true, {NO_COLOR: '1'}],
])('%j, --no-color %s', (environment: Record<string, string>, refused, settled) => {
  settleColours(environment, refused)
  expect(environment).toEqual(settled)
})
