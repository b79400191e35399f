/** Which files of the driver's unit are whose: the package's unit stays, what calicoctl wrote goes; and what systemd, a stand-in, is asked for that. */
import {copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import {installUnit, isUnitInstalled, ownUnitFiles, removeUnit, stopUnit, unitState} from '../../../../src/lib/calico-node/libnetwork-service/systemd.js'
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

describe('with systemd', () => {
  const path = process.env.PATH
  /** A unit that runs for as long as it may. */
  const unit = (version: string): string =>
    `[Unit]\nDescription=${version}\n[Service]\nEnvironmentFile=${DRIVER_ENVIRONMENT_FILE}\nExecStart=${process.execPath} -e "setInterval(String,60000)"\n`
  const environment = 'HOSTNAME=host1\n'
  const calls = (): string[] => {
    const file = join(root, 'run/fake-systemd/calls')
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
    rmSync(file, {force: true})
    return lines
  }
  const write = (file: string, text: string): void => {
    put(file)
    writeFileSync(root + file, text)
  }
  beforeEach(() => {
    mkdirSync(join(root, 'bin'))
    mkdirSync(join(root, 'etc/systemd'), {recursive: true})
    copyFileSync(resolve(import.meta.dirname, '../../../support/stand-in/systemctl'), join(root, 'bin/systemctl'))
    process.env.PATH = `${root}/bin:${path ?? ''}`
  })
  afterEach(async () => {
    if (existsSync(root + PACKAGED_UNIT_FILE) || existsSync(root + DRIVER_UNIT_FILE)) await stopUnit()
    process.env.PATH = path
  })

  test('where the package of this version has brought the unit, only its variables are written, and it is enabled and started', async () => {
    write(PACKAGED_UNIT_FILE, unit('0.2.0'))
    expect(await installUnit({unit: unit('0.2.0'), environment}, {root})).toEqual({written: [DRIVER_ENVIRONMENT_FILE], differences: [], started: true})
    expect(existsSync(root + DRIVER_UNIT_FILE)).toBe(false)
    expect(calls()).toEqual(['enable calico-libnetwork.service', 'restart calico-libnetwork.service'])
    expect(await unitState()).toMatchObject({active: 'active', enabled: true})
    expect(await installUnit({unit: unit('0.2.0'), environment}, {root})).toEqual({written: [], differences: [], started: false})
    expect(calls()).toEqual([])
  })

  test('a unit that was written before the package came goes, and the package\'s is started in its place', async () => {
    await installUnit({unit: unit('0.1.9'), environment}, {root})
    expect(readFileSync(root + DRIVER_UNIT_FILE, 'utf8')).toBe(unit('0.1.9'))
    calls()
    write(PACKAGED_UNIT_FILE, unit('0.2.0'))
    expect(await installUnit({unit: unit('0.2.0'), environment}, {root})).toEqual({written: [], differences: [], started: true})
    expect(existsSync(root + DRIVER_UNIT_FILE)).toBe(false)
    expect(calls()).toEqual(['daemon-reload', 'restart calico-libnetwork.service'])
    expect(await unitState()).toMatchObject({active: 'active', enabled: true})
  })

  test('beside a package of another version, that of this installation is written and stands for it', async () => {
    write(PACKAGED_UNIT_FILE, unit('0.2.0'))
    expect(await installUnit({unit: unit('0.3.0'), environment}, {root})).toMatchObject({written: [DRIVER_UNIT_FILE, DRIVER_ENVIRONMENT_FILE], started: true})
    expect(readFileSync(root + PACKAGED_UNIT_FILE, 'utf8')).toBe(unit('0.2.0'))
  })

  test('taken out, the package\'s unit is disabled and stays; its variables go', async () => {
    write(PACKAGED_UNIT_FILE, unit('0.2.0'))
    await installUnit({unit: unit('0.2.0'), environment}, {root})
    calls()
    await removeUnit({root})
    expect(calls()).toEqual(['disable --now calico-libnetwork.service', 'daemon-reload'])
    expect([PACKAGED_UNIT_FILE, DRIVER_ENVIRONMENT_FILE].map((file) => existsSync(root + file))).toEqual([true, false])
    expect(isUnitInstalled({root})).toBe(false)
    expect(await unitState()).toMatchObject({active: 'inactive', enabled: false})
  })
})
