/** How long a change waits to be confirmed: whatever becomes of the machine's clock meanwhile, and whoever ends it. */
import {existsSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {CalicoError} from '../../../../src/lib/errors.js'
import {ownIdentity} from '../../../../src/lib/files/lock-file.js'
import {waitForDeadline} from '../../../../src/lib/journal/confirm/timer.js'
import {makeWaitingFolder, readWaiting, updateWaiting, type Waiting, writeWaiting} from '../../../../src/lib/journal/confirm/waiting.js'

const WITHIN = 300_000
const BEGIN = Date.parse('2026-01-01T00:00:00Z')
const HOUR = 3_600_000

let folder: string
let path: string
const waiting: Waiting = {v: 1, id: 'abc', words: ['profile', 'add', 'web'], cluster: 'c', host: 'h', within: WITHIN, deadline: null, command: ownIdentity(), timer: ownIdentity(), failed: null, options: {}, folder: '/', env: {}}
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-waiting-'))
  path = join(folder, 'confirm/c-c.json')
  makeWaitingFolder(path)
  await writeWaiting(path, {...waiting, deadline: new Date(BEGIN + WITHIN).toISOString()})
})
afterEach(() => rmSync(folder, {recursive: true}))

/** A clock that is SET by so many milliseconds after a minute; `slept` is how long it was waited. */
function clockThatIsSet(by: number) {
  const clock = {
    slept: 0,
    now: () => BEGIN + clock.slept + (clock.slept >= 60_000 ? by : 0),
    uptime: () => 5_000 + clock.slept,
    sleep(milliseconds: number) {
      clock.slept += milliseconds
      return Promise.resolve()
    },
  }
  return clock
}

test.each([0, HOUR, -HOUR])('the clock is set by %d ms meanwhile: the change waits no shorter and no longer', async (by) => {
  const clock = clockThatIsSet(by)
  expect(await waitForDeadline(path, 'abc', clock)).toBe(true)
  expect(clock.slept).toBe(WITHIN)
})
test('the clock is set back before the first look: it waits no longer than it was asked to', async () => {
  const clock = {...clockThatIsSet(0), now: () => BEGIN - HOUR}
  expect(await waitForDeadline(path, 'abc', clock)).toBe(true)
  expect(clock.uptime()).toBe(5_000 + WITHIN)
})
test('confirmed meanwhile, it is not taken back', async () => {
  const clock = clockThatIsSet(0)
  const sleep = (milliseconds: number): Promise<void> => {
    if (clock.slept > 100_000) rmSync(path)
    return clock.sleep(milliseconds)
  }
  expect(await waitForDeadline(path, 'abc', {...clock, uptime: clock.uptime, sleep})).toBe(false)
})
test('who notes something of a change that has ended meanwhile does not make it wait again', async () => {
  const busy = (): CalicoError => new CalicoError('conflict', 'busy')
  const note = (): Promise<boolean> => updateWaiting(path, 'abc', busy, (now) => ({...now, deadline: new Date(BEGIN).toISOString()}))
  expect(await note()).toBe(true)
  expect(readWaiting(path)?.deadline).toBe('2026-01-01T00:00:00.000Z')
  await writeWaiting(path, {...waiting, id: 'other'})
  expect(await note()).toBe(false)
  expect(readWaiting(path)).toMatchObject({id: 'other', deadline: null})
  rmSync(join(folder, 'confirm'), {recursive: true})
  expect(await note()).toBe(false)
  expect(existsSync(path)).toBe(false)
})
