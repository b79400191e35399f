/** How long a change waits to be confirmed: whatever becomes of the machine's clock meanwhile, and whoever ends it. */
import {existsSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {LockedError} from '../../../../src/lib/client/cluster.js'
import {CalicoError} from '../../../../src/lib/errors.js'
import {ownIdentity} from '../../../../src/lib/files/lock-file.js'
import {confirmChange, rolledBack, settleBegun, settleUndone} from '../../../../src/lib/journal/confirm/settle.js'
import {foundText, runTimer, takeBack, type Undoing, waitForDeadline} from '../../../../src/lib/journal/confirm/timer.js'
import {findWaiting, listWaiting, makeWaitingFolder, moveAside, readWaiting, stateOf, updateWaiting, type Waiting, withTimerLock, writeWaiting} from '../../../../src/lib/journal/confirm/waiting.js'
import type {Entry} from '../../../../src/lib/journal/read.js'
import type {Found, Stand} from '../../../../src/lib/journal/undo.js'

const WITHIN = 300_000
const BEGIN = Date.parse('2026-01-01T00:00:00Z')
const HOUR = 3_600_000
const MINUTE_AGO = (): string => new Date(Date.now() - 60_001).toISOString()

const ENTRY: Entry = {id: 'abc', time: '', user: '', sudoUser: undefined, host: '', command: '', words: [], parts: [], exitCode: 0, confirmation: 'undone'}

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
test('between two tries it waits, longer each time, at most half a minute; after the last one not at all', async () => {
  const slept: number[] = []
  const clock = clockThatIsSet(0)
  let tries = 0
  await runTimer(path, {
    clock: {...clock, uptime: clock.uptime, sleep: (milliseconds) => (tries > 0 ? Promise.resolve(slept.push(milliseconds)) : clock.sleep(milliseconds))},
    attempt() {
      if (++tries === 8) rmSync(path)
      return Promise.resolve()
    },
  })
  expect([tries, slept]).toEqual([8, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]])
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

describe('a rollback that dies, or whose answer is lost', () => {
  const before = {...process.env}
  beforeAll(() => void (process.env.CALICOCTL_JOURNAL = 'off'))
  afterAll(() => void (process.env = before))
  const env = (): NodeJS.ProcessEnv => ({XDG_STATE_HOME: folder})
  beforeEach(async () => {
    path = join(folder, 'calicoctl/confirm/c-c.json')
    makeWaitingFolder(path)
    await writeWaiting(path, {...waiting, deadline: new Date(BEGIN).toISOString(), timer: null})
  })
  const found = (stand: Stand, ...late: readonly number[]): Found => ({stand, late})
  /** What the store says, and how often it was undone. */
  function storeThat(stands: boolean) {
    const store = {
      stands,
      undone: 0,
      look: (): Promise<Found> => Promise.resolve(found(store.stands ? 'made' : 'undone')),
      undo(): Promise<void> {
        if (!store.stands) throw new CalicoError('conflict', 'changed since')
        store.undone++
        store.stands = false
        return Promise.resolve()
      },
    }
    return store
  }
  const remove = (): void => rmSync(path)
  const dies = (): never => {
    throw new Error('killed')
  }
  const unknown = new CalicoError('unknown', 'no answer')

  test('it dies between the undo and the removal of its file: confirm says that the change is rolled back', async () => {
    const store = storeThat(true)
    await expect(takeBack(path, 'abc', store, dies)).rejects.toThrow('killed')
    expect(readWaiting(path)).toMatchObject({id: 'abc', begun: true, failed: null})
    await expect(confirmChange(undefined, () => [], store.look, env())).rejects.toMatchObject({kind: 'conflict', message: expect.stringContaining('already rolled back')})
    expect(existsSync(path)).toBe(false)
  })
  test('another change waits there by the time that it begins: that one is left alone', async () => {
    const store = storeThat(true)
    await takeBack(path, 'earlier', store, dies)
    expect(store.undone).toBe(0)
    expect(readWaiting(path)).toMatchObject({id: 'abc', failed: null})
  })
  test('it dies before the undo: confirm keeps the change, but not before what it may have sent can no longer arrive', async () => {
    const store = storeThat(true)
    await takeBack(path, 'abc', {...store, undo: () => Promise.reject(unknown)}, remove).catch(() => undefined)
    const now = readWaiting(path)
    expect(now).toMatchObject({begun: true, failed: null})
    await expect(confirmChange('abc', () => [], store.look, env())).rejects.toMatchObject({kind: 'conflict', message: expect.stringContaining('was interrupted, and may still be executed until') as unknown})
    expect(readWaiting(path)).toEqual(now)
    if (now) await writeWaiting(path, {...now, tried: MINUTE_AGO()})
    expect(await confirmChange('abc', () => [], store.look, env())).toMatchObject({id: 'abc'})
    expect([existsSync(path), store.stands]).toEqual([false, true])
  })
  test('no one can say whether it was made: that is reported, and the change waits no more', async () => {
    await writeWaiting(path, {...waiting, begun: true})
    await expect(confirmChange('abc', () => [], () => Promise.resolve(found('changed')), env())).rejects.toMatchObject({kind: 'conflict', message: expect.stringContaining('It is not known whether')})
    expect(existsSync(path)).toBe(false)
  })
  test('the store cannot be asked: the change goes on waiting', async () => {
    await writeWaiting(path, {...waiting, begun: true})
    await expect(confirmChange('abc', () => [], () => Promise.reject(new CalicoError('unreachable', 'away')), env())).rejects.toMatchObject({kind: 'unreachable'})
    expect(readWaiting(path)).toMatchObject({id: 'abc', begun: true})
  })
  test('where no rollback was begun, confirm does not ask', async () => {
    await confirmChange('abc', () => [], () => Promise.reject(new Error('asked')), env())
    expect(existsSync(path)).toBe(false)
  })
  test('the next try finds it made, and does not make it again', async () => {
    const store = storeThat(true)
    await takeBack(path, 'abc', store, dies).catch(() => undefined)
    await takeBack(path, 'abc', store, remove)
    expect([store.undone, existsSync(path)]).toEqual([1, false])
  })
  test('undo by hand after it: it says that the change is rolled back, not that it was changed', async () => {
    const store = storeThat(false)
    expect(await settleBegun('abc', store.look, env())).toBeUndefined()
    await writeWaiting(path, {...waiting, begun: true})
    expect(await settleBegun('abc', store.look, env())).toMatchObject({kind: 'conflict', message: expect.stringContaining('already rolled back')})
    expect(existsSync(path)).toBe(false)
  })

  /** The timer of a clock that is over at once, whose tries are these, one after another. */
  async function timer(...tries: readonly (Partial<Undoing> & {readonly done?: () => void})[]): Promise<number> {
    let tried = 0
    const clock = {...clockThatIsSet(0), sleep: () => Promise.resolve()}
    await runTimer(path, {clock, attempt: () => {
      const {done = remove, look = () => Promise.resolve(found('made')), undo = () => Promise.resolve()} = tries[tried++] ?? {}
      return takeBack(path, 'abc', {look, undo}, done).catch(() => undefined)
    }})
    return tried
  }
  test.each([['arrived', true], ['did not arrive', false]])('the answer of the undo is lost, and it %s: the next try looks', async (_, arrived) => {
    const store = storeThat(true)
    const lost = async (): Promise<void> => {
      if (arrived) await store.undo()
      throw unknown
    }
    expect(await timer({look: store.look, undo: lost}, {look: () => Promise.reject(new CalicoError('unreachable', 'away'))}, store)).toBe(3)
    expect([store.undone, store.stands, existsSync(path)]).toEqual([1, false, false])
  })
  test('what the first try sent arrives while the second undoes: it is rolled back', async () => {
    const store = storeThat(true)
    const late = (): Promise<void> => {
      store.stands = false
      return store.undo()
    }
    expect(await timer({look: store.look, undo: () => Promise.reject(unknown)}, {look: store.look, undo: late})).toBe(2)
    expect(existsSync(path)).toBe(false)
  })
  test('a user undoes it at the same time: it is rolled back', async () => {
    const store = storeThat(true)
    const beside = (): Promise<void> => {
      store.stands = false
      return Promise.reject(new CalicoError('not-found', 'nothing to undo'))
    }
    expect(await timer({look: store.look, undo: beside})).toBe(1)
    expect(existsSync(path)).toBe(false)
  })
  test('a try that is killed, or finds another process at it, is not the last one', async () => {
    const store = storeThat(true)
    expect(await timer({...store, done: dies}, store)).toBe(2)
    expect(existsSync(path)).toBe(false)
  })
  test('the datastore is locked when the time is over: it is rolled back after the lock', async () => {
    const store = storeThat(true)
    const locked = {...store, look: store.look, undo: () => Promise.reject(new LockedError('refused', 'locked'))}
    expect(await timer(locked, locked, store)).toBe(3)
    expect([store.stands, existsSync(path)]).toEqual([false, false])
  })
  test('it is refused: that is noted, and not tried again', async () => {
    const store = storeThat(true)
    expect(await timer({...store, undo: () => Promise.reject(new CalicoError('refused', 'in use'))}, store)).toBe(1)
    expect(readWaiting(path)).toMatchObject({failed: 'in use'})
    expect(readWaiting(path)).not.toHaveProperty('begun')
  })
  test('the first try is lost, the second refused: that the first may have been executed stays in the file, and confirm looks', async () => {
    const store = storeThat(true)
    expect(await timer({look: store.look, undo: () => Promise.reject(unknown)}, {look: store.look, undo: () => Promise.reject(new CalicoError('refused', 'in use'))})).toBe(2)
    expect(readWaiting(path)).toMatchObject({begun: true, failed: 'in use'})
    store.stands = false
    await expect(confirmChange('abc', () => [], store.look, env())).rejects.toMatchObject({kind: 'conflict', message: expect.stringContaining('already rolled back') as unknown})
  })
  test.each([['the datastore did not answer', new CalicoError('unreachable', 'away')], ['the datastore was locked', new LockedError('refused', 'locked')]])('%s: nothing was sent that could arrive later, and confirm keeps the change', async (_, error) => {
    const before = readWaiting(path)
    await expect(takeBack(path, 'abc', {...storeThat(true), undo: () => Promise.reject(error)}, remove)).rejects.toBe(error)
    expect(readWaiting(path)).toEqual(before)
    await confirmChange('abc', () => [], () => Promise.reject(new Error('asked')), env())
    expect(existsSync(path)).toBe(false)
  })
  test('changed since an earlier try that died: it is not said that nothing was rolled back', async () => {
    await writeWaiting(path, {...waiting, begun: true, deadline: new Date(BEGIN).toISOString()})
    expect(await timer({look: () => Promise.resolve(found('changed')), undo: () => Promise.reject(new Error('tried'))})).toBe(1)
    expect(readWaiting(path)?.failed).toContain('it is not known whether')
  })
  test('a command that gives its timer up leaves no file, however late the timer begins', async () => {
    let begun: Promise<number> | undefined
    await withTimerLock(path, async () => {
      begun = timer({})
      // It waits for the lock by now, or it has written.
      for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate)
      remove()
    })
    expect(await begun).toBe(0)
    expect(existsSync(path)).toBe(false)
  })

  describe('what the command had sent may arrive after the rollback', () => {
    const RUNS_ON = {deadline: new Date(Date.now() + HOUR).toISOString(), within: HOUR + 1_000} // its command ended a second ago
    beforeEach(() => writeWaiting(path, {...waiting, ...RUNS_ON}))
    const done = (now: Waiting, late: readonly number[]): Promise<void> => rolledBack(path, now, late)
    /** A store in which nothing of the change is; LATE of its parts may arrive. */
    const empty = (...late: readonly number[]): Undoing => ({look: () => Promise.resolve(found('unmade', ...late)), undo: () => Promise.reject(new Error('undone'))})

    test('it is looked for until a minute after the end of the command: the change is rolled back, and its file stays as long', async () => {
      await takeBack(path, 'abc', empty(1), done)
      const now = readWaiting(path)
      expect(now).toMatchObject({late: [1], failed: null, ...RUNS_ON})
      expect(now && stateOf(now, Date.now())).toBe('undone')
      await takeBack(path, 'abc', empty(1), done)
      expect(readWaiting(path)).toEqual(now)
      if (now) await writeWaiting(path, {...now, within: HOUR + 60_001})
      await takeBack(path, 'abc', empty(1), done)
      expect(existsSync(path)).toBe(false)
    })
    test('without such a part the file is gone at once', async () => {
      await takeBack(path, 'abc', empty(), done)
      expect(existsSync(path)).toBe(false)
    })
    test('the end of a command that was killed may not be noted: the minute begins now', async () => {
      await writeWaiting(path, {...waiting, within: 5_000})
      const before = Date.now()
      await takeBack(path, 'abc', empty(0), done)
      const {deadline} = readWaiting(path) ?? {}
      expect(Date.parse(deadline ?? '')).toBeGreaterThanOrEqual(before + 5_000)
    })
    test('what arrives is reverted, and is no longer looked for', async () => {
      await writeWaiting(path, {...waiting, ...RUNS_ON, late: [1, 2]})
      const asked: (readonly number[] | undefined)[] = []
      const store = {
        look({late}: Waiting): Promise<Found> {
          asked.push(late)
          return Promise.resolve(found('made', 2))
        },
        undo({late}: Waiting): Promise<void> {
          asked.push(late)
          return Promise.resolve()
        },
      }
      await takeBack(path, 'abc', store, done)
      expect(asked).toEqual([[1, 2], [1, 2]])
      expect(readWaiting(path)).toMatchObject({late: [2], failed: null})
    })
    test('another user changed the objects after the rollback: nothing has arrived, and nothing is reverted', async () => {
      await writeWaiting(path, {...waiting, ...RUNS_ON, begun: true, late: [1]})
      await takeBack(path, 'abc', {...empty(), look: () => Promise.resolve(found('changed', 1))}, done)
      expect(readWaiting(path)).toMatchObject({late: [1], failed: null})
    })
    test('it arrived, and was changed since: it could not be rolled back', async () => {
      await writeWaiting(path, {...waiting, ...RUNS_ON, begun: true, late: [1]})
      await expect(takeBack(path, 'abc', {look: () => Promise.resolve(found('changed')), undo: () => Promise.reject(new CalicoError('conflict', 'changed since'))}, done)).rejects.toThrow('changed since')
      expect(readWaiting(path)).toMatchObject({failed: 'changed since'})
    })
    test('confirm of it is refused: it was already rolled back, also without an ID', async () => {
      await takeBack(path, 'abc', empty(1), done)
      const now = readWaiting(path)
      for (const id of ['abc', undefined]) await expect(confirmChange(id, () => [ENTRY], () => Promise.reject(new Error('asked')), env())).rejects.toMatchObject({kind: 'conflict', message: expect.stringContaining('already rolled back') as unknown})
      expect(readWaiting(path)).toEqual(now)
    })
    test('confirm of one whose rollback was interrupted and made: the same, and what arrives late is looked for', async () => {
      await writeWaiting(path, {...waiting, ...RUNS_ON, begun: true})
      await expect(confirmChange('abc', () => [], () => Promise.resolve(found('undone', 0)), env())).rejects.toMatchObject({kind: 'conflict', message: expect.stringContaining('already rolled back') as unknown})
      expect(readWaiting(path)).toMatchObject({late: [0]})
    })
    test('undo by a command leaves it to the timer, whose time is then over', async () => {
      await settleUndone('abc', [0], env())
      expect(readWaiting(path)).toMatchObject({late: [0]})
      expect(await waitForDeadline(path, 'abc')).toBe(true)
      expect(await settleBegun('abc', () => Promise.resolve(found('unmade')), env())).toMatchObject({message: expect.stringContaining('already rolled back') as unknown})
      expect(existsSync(path)).toBe(false)
    })
    test('another change takes its place, and each is settled by itself; the timer of the first goes on', async () => {
      await takeBack(path, 'abc', empty(1), done)
      const first = readWaiting(path)
      if (first) moveAside(path, first)
      await writeWaiting(path, {...waiting, id: 'other'})
      const aside = findWaiting(path, 'abc')
      expect([aside?.waiting, findWaiting(path, 'other')?.path, findWaiting(path, 'third')]).toEqual([first, path, undefined])
      expect(listWaiting(env()).map(({waiting: {id}}) => id).sort()).toEqual(['abc', 'other'])
      // Without an ID, the one that is pending.
      expect(await confirmChange(undefined, () => [], () => Promise.reject(new Error('asked')), env())).toMatchObject({id: 'other'})
      await takeBack(aside?.path ?? '', 'abc', empty(), (now, late) => rolledBack(aside?.path ?? '', now, late))
      expect(existsSync(path)).toBe(false)
      expect(findWaiting(path, 'abc')).toBeUndefined()
    })
    test('the timer looks every five seconds, wherever the file is', async () => {
      const slept: number[] = []
      const tried: string[] = []
      const at = (id: string): string => path.replace('.json', `@${id}.json`)
      const clock = {...clockThatIsSet(0), sleep: (milliseconds: number) => Promise.resolve(slept.push(milliseconds))}
      await writeWaiting(path, {...waiting, deadline: new Date(BEGIN).toISOString()})
      await runTimer(path, {clock, attempt: async (id, where) => {
        tried.push(where)
        const now = readWaiting(where)
        if (tried.length === 1 && now) await writeWaiting(where, {...now, late: [0]})
        if (tried.length === 2 && now) {
          moveAside(path, now)
          await writeWaiting(path, {...waiting, id: 'other'})
        }
        if (tried.length === 3) rmSync(at(id))
      }})
      expect({tried, slept}).toEqual({tried: [path, path, at('abc')], slept: [5_000, 5_000]})
    })
  })
})

test('what is found goes from one process to another as a line', () => {
  expect(foundText({stand: 'undone', late: []})).toBe('undone')
  expect(foundText({stand: 'made', late: [0, 2]})).toBe('made 0 2')
})
