/**
 * Changes that wait to be confirmed (--confirm-within), by two users, each on a host of their own with a journal and timers; beside them `confirm`, `undo`
 * and the question about what is overdue, at any moment, and another user who edits the same profiles. A process may be killed wherever it waits or writes.
 */
import {addProfile, editProfile} from '../../../src/lib/client/profiles.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {together} from '../../../src/lib/client/together.js'
import {CalicoError, EXIT_CODES, isError} from '../../../src/lib/errors.js'
import {arm, type Armed} from '../../../src/lib/journal/confirm/arm.js'
import {isRolledBack} from '../../../src/lib/journal/confirm/late.js'
import {reportOverdue} from '../../../src/lib/journal/confirm/overdue.js'
import {confirmChange, isWaitedFor, refuseRunning, rolledBack, settleBegun, settleUndone} from '../../../src/lib/journal/confirm/settle.js'
import {foundText, lookOnce, runTimer, takeBack, tryOnce} from '../../../src/lib/journal/confirm/timer.js'
import {listWaiting, readWaiting, stateOf, type Waiting, waitingIn} from '../../../src/lib/journal/confirm/waiting.js'
import {type JournalEntry, newEntry} from '../../../src/lib/journal/entry.js'
import {journalPath} from '../../../src/lib/journal/place.js'
import {type Entry, readJournal} from '../../../src/lib/journal/read.js'
import {ChangedSinceError, chooseEntry, type Found, lateParts, lookAt, onlyParts, undo} from '../../../src/lib/journal/undo.js'
import {addTag} from '../../../src/lib/rules/edit.js'
import {processes} from '../doubles/host.js'
import {type Disk, newDisk, newMachines, type Running} from '../doubles/machine.js'
import type {Actor, World} from '../simulation.js'
import {type Change, newChanges} from './confirm-changes.js'

const PROFILES = ['web', 'db', 'cache']

interface User {
  readonly actor: Actor
  readonly disk: Disk
  readonly changes: Change[]
  /** What runs on its host. */
  readonly running: Set<Promise<unknown>>
}

/** How a process ended; undefined: it was killed. */
type Exit<T> = {readonly done: T} | {readonly failed: CalicoError} | undefined

const nothing = {profiles: [], mark: ''}

const journal = (): Entry[] => readJournal(journalPath(process.env) ?? '')

export const confirm: World = {
  name: 'confirm',
  actors: 3,
  commands: 3,
  share: 0.3,
  span: 12_000,
  later: 45_000,
  // What is killed here is a process, not all that its actor does.
  spared: ['death'],
  make(all) {
    const {store, random} = all
    const chance = random.fork('host')
    const users: User[] = []
    const changes = newChanges({state: () => store.state, now: () => all.time.now, violated: (text) => all.violated(text)})
    const {isThere, isLate} = changes
    let isOver = false

    const machines = newMachines({
      pause: () => chance.next() * 8,
      start: async (words, parent) => {
        const user = users.find(({disk}) => disk === parent.disk)
        if (!user) throw new TypeError('a program of nobody')
        await user.actor.sleep(user.actor.fault('slow', 0.03) ? 14_000 + chance.next() * 2_000 : 5 + chance.next() * 60)
        const {id} = JSON.parse(parent.disk.files.get(words[1] ?? '') ?? '{}') as {id?: string}
        const exit = await run(user, `calicoctl ${words.join(' ')}`, (session) => hidden(user, words, session), changeOf(user, id), words.length === 2)
        return exit && 'done' in exit ? {code: 0, output: exit.done} : {code: exit?.failed.exitCode ?? EXIT_CODES.unknown, output: ''}
      },
    })

    const changeOf = (user: User, id: string | undefined): Change | undefined => user.changes.find((change) => change.id === id)

    /** Does WORK in a process of its own on the host of USER, with a session of its own; of CHANGE, if that is known yet. */
    async function run<T>(user: User, typed: string, work: (session: (options?: Partial<Parameters<typeof newSession>[1]>) => Session, self: Running) => Promise<T>, change?: Change, isTimer = false): Promise<Exit<T>> {
      const {actor, disk} = user
      const dying = (): boolean => !isOver && actor.fault('killed', 0.006)
      let gone = (): void => undefined
      const killed = new Promise<undefined>((resolve) => (gone = () => resolve(undefined)))
      const inner = actor.process()
      const stop = (how: string): void => {
        if (!inner.alive || self.ended) return
        inner.kill()
        actor.tell(`is ${how}: ${typed}`)
        gone()
      }
      const self: Running = machines.add(
        {
          get alive() {
            return inner.alive
          },
          store: () => inner.store(),
          kill() {
            if (!inner.alive || self.ended) return
            if (change) {
              change.killed = true
              if (isTimer) change.orphaned = true
            }
            stop('killed')
          },
          terminate: () => stop('terminated'),
        },
        disk,
        dying,
      )
      if (!isOver && actor.fault('killed', 0.04)) void actor.sleep(actor.random.next() * 1_000).then(() => self.kill())
      const session = (options: Partial<Parameters<typeof newSession>[1]> = {}): Session => newSession(self.store(), {warn: (text) => actor.tell(`warns: ${text}`), ...options})
      actor.tell(`begins ${typed}`)
      const ends = processes
        .run(self, () => work(session, self))
        .then(
          (done): Exit<T> => ({done}),
          (error: unknown): Exit<T> => {
            if (!self.alive) return undefined
            if (error instanceof CalicoError) return {failed: error}
            all.violated(`${typed} threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
            return undefined
          },
        )
        .then((exit) => {
          if (!self.alive) return undefined
          self.ended = true
          actor.tell(`ends ${typed}: ${exit && 'failed' in exit ? `${exit.failed.kind}: ${exit.failed.message}` : 'done'}`)
          return exit
        })
      const exit = Promise.race([ends, killed])
      user.running.add(exit)
      void exit.then(() => user.running.delete(exit))
      return exit
    }

    /** The changes of USER that are rolled back, by what their files say. */
    const rolledBackOn = ({disk: {files}}: User): string[] =>
      [...files].flatMap(([path, text]) => {
        const waiting = path.endsWith('.json') ? waitingIn(text) : undefined
        return waiting && isRolledBack(waiting) ? waiting.id : []
      })

    /** WORK, which may change only what needs one of MAY. */
    const allowed = <T>(actor: Actor, words: string, may: readonly string[], work: () => Promise<T>): Promise<T> =>
      new Promise((resolve, reject) => void actor.command(words, {may}, () => work().then(resolve, reject)))

    const back = ({profiles, mark}: Pick<Change, 'profiles' | 'mark'>): string[] => profiles.map((profile) => `-tag ${profile} ${mark}`)

    /** src/commands/__confirm.ts. @returns what it prints */
    async function hidden(user: User, [, path = '', option, meant = '']: readonly string[], session: Parameters<Parameters<typeof run>[2]>[0]): Promise<string> {
      const entryOf = (id: string): Entry => {
        const entry = journal().find((each) => each.id === id)
        if (!entry) throw new CalicoError('failed', 'The journal has nothing of it')
        return entry
      }
      const look = async ({id, late}: Waiting): Promise<Found> => lookAt(session(), entryOf(id), late)
      if (option === '--look') {
        const waiting = readWaiting(path)
        return waiting ? foundText(await look(waiting)) : ''
      }
      if (option !== '--now') {
        await runTimer(path)
        return ''
      }
      const undoing = async ({id, late}: Waiting): Promise<void> => {
        const own = newEntry({id: 'undo', words: ['undo', id], warn: (text) => user.actor.tell(`warns: ${text}`)})
        await allowed(user.actor, `rolls back ${id}`, back(changeOf(user, id) ?? nothing), () => undo(session({record: (written) => own.add(written)}), onlyParts(entryOf(id), late)))
        own.end(0)
      }
      await takeBack(path, meant, {look, undo: undoing}, (waiting, late) => rolledBack(path, waiting, late))
      return ''
    }

    /** A command with --confirm-within, as src/lib/cli/edit-command.ts makes it of one. */
    async function edit(user: User, change: Change, within: number, isBatch: boolean): Promise<void> {
      const {actor} = user
      const {mark, profiles} = change
      const typed = `${isBatch ? 'batch --atomic: ' : ''}tag ${mark} for ${profiles.join(', ')} --confirm-within ${within / 1_000}s`
      const before = rolledBackOn(user)
      const exit = await run(
        user,
        typed,
        async (session, self) => {
          const entry: JournalEntry = newEntry({id: isBatch ? 'batch' : 'profile:tag:add', words: [typed], warn: (text) => actor.tell(`warns: ${text}`)})
          change.id = entry.id
          let armed: Promise<Armed> | undefined
          const own = session({
            prepare: async (cluster) => {
              await (armed ??= arm({entry, cluster: cluster ?? '', within, options: {}}))
            },
            record: async (written) => {
              const settle = await entry.add(written)
              // While it is under way.
              if (actor.fault('killed', 0.08)) void actor.sleep(actor.random.next() * 20).then(() => self.kill())
              return settle
            },
          })
          const tag = async (on: Session, profile: string): Promise<unknown> => editProfile(on, profile, (before) => ({profile: addTag(before, mark)}))
          let code = 0
          try {
            await allowed(actor, typed, profiles.map((profile) => `+tag ${profile} ${mark}`), async () => {
              if (isBatch) await together(own, 'the batch', async (staged) => {
                for (const profile of profiles) await tag(staged, profile)
              })
              else for (const profile of profiles) await tag(own, profile)
            })
          } catch (error) {
            code = error instanceof CalicoError ? error.exitCode : 1
            throw error
          } finally {
            entry.end(code)
            const lines = await (await armed?.catch(() => undefined))?.end()
            for (const line of lines ?? []) actor.tell(`says: ${line}`)
          }
        },
        change,
      )
      change.ended = true
      change.endedAt = all.time.now
      if (!exit) return
      const refused = 'failed' in exit && exit.failed.message.includes('is not confirmed yet') ? before.find((id) => exit.failed.message.includes(id)) : undefined
      if (refused !== undefined) all.violated(`${typed} is refused because of ${refused}, which is rolled back`)
      if ('done' in exit && !change.made) all.violated(`${typed} reported that it is done, and it was never made`)
      if ('failed' in exit && isBatch && change.made && exit.failed.kind !== 'unknown') all.violated(`${typed} failed with ${exit.failed.kind}, "${exit.failed.message}", and was made`)
    }

    async function confirming(user: User, id: string | undefined): Promise<void> {
      const change = changeOf(user, id)
      const began = all.time.now
      const candidates = change ? [change] : [...user.changes]
      const exit = await run(user, `calicoctl confirm ${id ?? ''}`, async () => {
        for (const each of candidates) each.confirming++
        const {id: confirmed} = await confirmChange(id, journal, ({path, waiting}) => lookOnce(path, waiting.id), process.env)
        const meant = changeOf(user, confirmed)
        if (meant) meant.confirmed = true
        if (meant && !candidates.includes(meant)) meant.confirming++
        return meant
      }, change)
      if (!exit) return
      for (const each of candidates) if (!('done' in exit) || exit.done !== each) each.confirming--
      if ('done' in exit) {
        const {done: meant} = exit
        if (meant?.made && !meant.undoing && !isThere(meant)) all.violated(`"Confirmed: ${meant.id} will not be rolled back", and it is rolled back`)
      } else if (change && exit.failed.message.includes('already rolled back') && isThere(change) && !isLate(change, began)) all.violated(`confirm ${change.id}: "${exit.failed.message}", and it is there`)
    }

    /** src/commands/undo.ts. */
    async function undoing(user: User, change: Change): Promise<void> {
      const seen = {written: false, whole: false}
      const began = all.time.now
      const exit = await run(user, `calicoctl undo ${change.id}`, async (session) => {
        const entry = chooseEntry(journal(), change.id)
        refuseRunning(entry.id, process.env)
        change.undoing = true
        seen.whole = change.ended
        const late = isWaitedFor(entry.id, process.env) ? await lateParts(session(), entry) : []
        const own = newEntry({id: 'undo', words: ['undo', change.id], warn: (text) => user.actor.tell(`warns: ${text}`)})
        try {
          await allowed(user.actor, `undo ${change.id}`, back(change), () => undo(session({record: async (written) => {
            const settle = await own.add(written)
            return (outcome) => {
              if (typeof outcome === 'bigint') seen.written = true
              return settle(outcome)
            }
          }}), entry))
        } catch (error) {
          throw (error instanceof ChangedSinceError || isError(error, 'not-found') ? await settleBegun(entry.id, () => lookAt(session(), entry), process.env) : undefined) ?? error
        }
        own.end(0)
        await settleUndone(entry.id, late, process.env)
      }, change)
      if (!exit) return
      if ('done' in exit && seen.whole) change.undone = true
      if ('failed' in exit && /^profile\/.+ changed since/.test(exit.failed.message) && change.made && !change.disturbed) all.violated(`undo ${change.id}: "${exit.failed.message}", and no other user has changed what it made`)
      if ('done' in exit && seen.whole && isThere(change) && !isLate(change, began)) all.violated(`undo ${change.id} reported that it was reverted, and it is there`)
      if ('failed' in exit && seen.written && exit.failed.kind !== 'unknown') all.violated(`undo ${change.id} failed with ${exit.failed.kind}, "${exit.failed.message}", and has reverted it`)
    }

    async function asked(user: User): Promise<void> {
      let meant: Change | undefined
      await run(user, 'calicoctl profile show', () =>
        reportOverdue(process.env, {
          note: (lines) => {
            user.actor.tell(`says: ${lines.join(' ')}`)
            meant = user.changes.find(({id}) => lines.some((line) => line.includes(id)))
          },
          ask: () => {
            if (meant) meant.asked = true
            return Promise.resolve(true)
          },
        }),
      )
    }

    async function change(user: User, number: number): Promise<void> {
      const {actor, changes: own} = user
      const {random: draws} = actor
      const [profiles, within] = [PROFILES.filter(() => draws.chance(0.5)), 3_000 + draws.below(3_000)]
      const begun: Change = {mark: `t${actor.number}-${number}-${own.length}`, host: actor.number, profiles, within, id: '', made: false, madeAt: 0, touched: false, disturbed: false, confirming: 0, confirmed: false, undoing: false, undone: false, asked: false, ended: false, endedAt: Infinity, killed: false, orphaned: false}
      if (begun.profiles.length === 0) return
      own.push(begun)
      changes.add(begun)
      const beside: Promise<void>[] = []
      const later = (at: number, work: () => Promise<void>): void => void beside.push(actor.sleep(at).then(async () => (begun.id === '' ? undefined : work())))
      if (draws.chance(0.35)) later(draws.next() * 1.5 * within, () => confirming(user, draws.chance(0.7) ? begun.id : undefined))
      // About when its time is over.
      if (draws.chance(0.25)) later(within + draws.next() * 400, () => confirming(user, begun.id))
      if (draws.chance(0.15)) later(draws.next() * 1.3 * within, () => undoing(user, begun))
      if (draws.chance(0.2)) later(draws.next() * 2 * within, () => asked(user))
      await edit(user, begun, within, draws.chance(0.5))
      await Promise.all(beside)
      if (draws.chance(0.7)) await ended(user)
    }

    async function ended({running}: User): Promise<void> {
      while (running.size > 0) await Promise.all(running)
    }

    async function others(actor: Actor, commands: number): Promise<void> {
      for (let i = 0; i < commands; i++) {
        await actor.sleep(actor.random.next() * 9_000)
        const profile = actor.random.pick(PROFILES)
        await actor.command(`profile ${profile} tag add o${i}`, {may: [`+tag ${profile} o${i}`]}, () => editProfile(actor.session(), profile, (before) => ({profile: addTag(before, `o${i}`)})))
      }
    }

    async function finish(user: User): Promise<string[]> {
      // The time of all is over, also of what may come late.
      await user.actor.sleep(90_000)
      const first = await run(user, 'a look', () => Promise.resolve(listWaiting(process.env)))
      const waiting = first && 'done' in first ? first.done : []
      const problems = changes.unsettled(user.changes, waiting)
      for (const {path, waiting: each} of waiting) {
        const name = `the change ${each.id}`
        const look = await run(user, 'a look', () => Promise.resolve(stateOf(each, Date.now())))
        const state = look && 'done' in look ? look.done : 'unseen'
        if (state !== 'overdue' && state !== 'failed') problems.push(`${name} is ${state}, and no process works on it`)
        if (user.actor.random.chance(0.5)) await confirming(user, each.id)
        else {
          const change = changeOf(user, each.id)
          await run(user, 'the answer yes', () => tryOnce(path, each.id, 'inherit'))
          await ended(user)
          if (change?.made && !change.disturbed && isThere(change)) problems.push(`${name} was to be rolled back now, and is there`)
        }
      }
      const last = await run(user, 'a look', () => Promise.resolve(listWaiting(process.env)))
      for (const {waiting: each} of last && 'done' in last ? last.done : []) {
        const change = changeOf(user, each.id)
        if (change?.made && !change.disturbed && !change.undoing) problems.push(`the change ${each.id} still waits: ${each.failed ?? 'it did not fail'}`)
      }
      return problems
    }

    return {
      async setUp(session) {
        for (const profile of PROFILES) await addProfile(session, profile)
      },
      async act(actor, commands) {
        if (actor.number === 2) return others(actor, commands)
        const user: User = {actor, disk: newDisk(), changes: [], running: new Set()}
        users.push(user)
        for (let i = 0; i < commands; i++) {
          // A second one at the same time is refused.
          await Promise.all(Array.from({length: actor.random.chance(0.15) ? 2 : 1}, () => change(user, i)))
        }
        await ended(user)
      },
      needs: changes.note,
      wrong: changes.wrong,
      async end() {
        isOver = true
        const problems: string[] = []
        for (const user of users) problems.push(...(await finish(user)))
        return problems
      },
    }
  },
}
