/** Which files of the driver's unit are whose: the package's unit stays, what calicoctl wrote goes. */
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {isUnitInstalled, ownUnitFiles} from '../../../../src/lib/calico-node/libnetwork-service/systemd.js'
import {DRIVER_ENVIRONMENT_FILE, DRIVER_UNIT_FILE, PACKAGED_UNIT_FILE} from '../../../../src/lib/calico-node/libnetwork-service/unit.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'calicoctl-unit-'))
})
afterEach(() => rmSync(root, {recursive: true}))

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(root + path), {recursive: true})
    writeFileSync(root + path, '')
  }
}

test('a package alone has not installed the driver: it has no variables yet', () => {
  expect(isUnitInstalled({root})).toBe(false)
  put(PACKAGED_UNIT_FILE)
  expect(isUnitInstalled({root})).toBe(false)
})

test('with its variables, the package\'s unit is the driver\'s; only the variables are ours to remove', () => {
  put(PACKAGED_UNIT_FILE, DRIVER_ENVIRONMENT_FILE)
  expect(isUnitInstalled({root})).toBe(true)
  expect(ownUnitFiles({root})).toEqual([DRIVER_ENVIRONMENT_FILE])
})

test('without a package, both files are ours', () => {
  put(DRIVER_UNIT_FILE, DRIVER_ENVIRONMENT_FILE)
  expect(isUnitInstalled({root})).toBe(true)
  expect(ownUnitFiles({root})).toEqual([DRIVER_UNIT_FILE, DRIVER_ENVIRONMENT_FILE])
})
