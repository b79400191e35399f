import {mkdirSync, writeFileSync} from 'node:fs'
import {afterAll, describe, expect, test} from '@jest/globals'
import {PLUGIN_FOLDER, pluginFolder} from '../../../src/lib/system-check/plugins.js'
import {recordedHost, removeRecordedHosts} from './host.js'

const OPTIONS = {libnetwork: true}
const judge = (facts: Parameters<typeof pluginFolder.judge>[0]) => pluginFolder.judge(facts, OPTIONS)

describe('the folder of the plugins\' sockets', () => {
  afterAll(removeRecordedHosts)
  test('is made where it is missing', async () => {
    expect(judge(await pluginFolder.gather(recordedHost({})))).toEqual({state: 'ok', found: `${PLUGIN_FOLDER} will be created by the driver`})
  })
  test('is looked at', async () => {
    const host = recordedHost({'/etc/hostname': 'h'})
    mkdirSync(host.files.root + PLUGIN_FOLDER, {recursive: true, mode: 0o755})
    expect(await pluginFolder.gather(host)).toEqual({isFolder: true, uid: process.geteuid?.(), mode: 0o755})
    const file = recordedHost({'/run/docker/x': ''})
    writeFileSync(file.files.root + PLUGIN_FOLDER, '')
    expect(judge(await pluginFolder.gather(file))).toEqual({state: 'wrong', found: `${PLUGIN_FOLDER} is not a folder`})
  })
  test.each([[0, 0o755, 'ok'], [0, 0o700, 'ok'], [0, 0o775, 'wrong'], [0, 0o757, 'wrong'], [1000, 0o755, 'wrong']])('of user %i with mode %i: %s', (uid, mode, state) => {
    expect(judge({isFolder: true, uid, mode}).state).toBe(state)
  })
})
