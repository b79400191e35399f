/** Batches that are staged and written in one transaction, single edits beside them, and both taken back (undo), each actor with a journal of its own. */
import {addProfile, editProfile} from '../../../src/lib/client/profiles.js'
import type {Recorder, Session} from '../../../src/lib/client/session.js'
import {together, type Together} from '../../../src/lib/client/together.js'
import {entriesUnder, type State} from '../../../src/lib/datastore/embedded/state.js'
import {type Entry, netChanges} from '../../../src/lib/journal/read.js'
import {undo, type UndoPlan} from '../../../src/lib/journal/undo.js'
import {kindPrefix} from '../../../src/lib/model/keys.js'
import type {Profile} from '../../../src/lib/model/types.js'
import {addTag, tagsOf} from '../../../src/lib/rules/edit.js'
import {type Actor, once, type World} from '../simulation.js'
import {profileNeeds} from './editors.js'
import {read} from './stored.js'

const PROFILES = ['web', 'db', 'cache', 'log']
const PROFILE = kindPrefix('Profile')

export const batches: World = {
  name: 'batches',
  actors: 4,
  commands: 5,
  make() {
    /** The profiles that each batch marks: all of them or none. */
    const marks = new Map<string, readonly string[]>()

    async function tagged(session: Session, profile: string, mark: string): Promise<void> {
      await editProfile(session, profile, (before) => ({profile: addTag(before, mark)}))
    }

    /** A session whose changes become one entry of JOURNAL. */
    function journalled(actor: Actor, journal: Entry[], words: string, command: string): Session {
      const parts: Entry['parts'][number][] = []
      const entry: Entry = {id: `j${journal.length}`, time: new Date().toISOString(), user: 'root', sudoUser: undefined, host: actor.name, command, words: [words], parts, exitCode: 0, confirmation: undefined}
      const record: Recorder = ({writes, revision, cluster}) => {
        const part = {of: [], unknown: true, cluster, revision: revision.toString(), changes: writes.map(({key, read: before, value}) => ({key, before: before?.value, after: value}))}
        if (parts.length === 0) journal.push(entry)
        parts.push(part)
        return Promise.resolve((outcome) => {
          if (outcome === 'not made') parts.splice(parts.indexOf(part), 1)
          else if (outcome !== 'unknown') Object.assign(part, {unknown: false, revision: outcome.toString()})
          if (parts.length === 0) journal.splice(journal.indexOf(entry), 1)
          return Promise.resolve()
        })
      }
      return actor.session({record})
    }

    async function step(actor: Actor, mark: string, journal: Entry[]): Promise<void> {
      const {random} = actor
      const chosen = random.below(6)
      if (chosen < 3) {
        const profiles = PROFILES.filter(() => random.chance(0.6))
        if (profiles.length === 0) return
        marks.set(mark, profiles)
        const words = `batch: tag ${mark} for ${profiles.join(', ')}`
        await actor.command<Together<void>>(words, {may: profiles.map((profile) => `+tag ${profile} ${mark}`), untrue: once(({wrote}) => wrote)}, () =>
          together(journalled(actor, journal, words, 'batch'), 'the batch', async (staged) => {
            for (const profile of profiles) await tagged(staged, profile, mark)
          }),
        )
      } else if (chosen === 3) {
        const profile = random.pick(PROFILES)
        const words = `profile ${profile} tag add ${mark}`
        await actor.command(words, {may: [`+tag ${profile} ${mark}`], untrue: once(() => true)}, () => tagged(journalled(actor, journal, words, 'profile:tag:add'), profile, mark))
      } else if (chosen === 4 || random.chance(0.3)) {
        const entry = random.chance(0.8) ? journal.pop() : journal[0]
        if (!entry) return
        const may = netChanges(entry).flatMap(({key, before, after}) => profileNeeds(key.slice(PROFILE.length), profileIn(after), profileIn(before)))
        await actor.command<UndoPlan>(`undo ${entry.id}: ${entry.words.join(' ')}`, {may, untrue: once(() => true)}, () => undo(journalled(actor, journal, `undo ${entry.id}`, 'undo'), entry))
      } else {
        const profiles = PROFILES.slice(0, 2)
        await actor.command<Together<void>>(`batch --dry-run: tag ${mark}`, {untrue: once(({wrote}) => wrote)}, () =>
          together(actor.session({dryRun: true}), 'the batch', async (staged) => {
            for (const profile of profiles) await tagged(staged, profile, mark)
          }),
        )
      }
    }

    return {
      async setUp(session) {
        for (const profile of PROFILES) await addProfile(session, profile)
      },
      async act(actor, commands) {
        const journal: Entry[] = []
        for (let i = 0; i < commands; i++) {
          await step(actor, `t${actor.number}-${i}`, journal)
          if (actor.random.chance(0.3)) await actor.sleep(actor.random.next() * 100)
        }
      },
      needs: ({key, kv, previous}) => (key.startsWith(PROFILE) ? profileNeeds(key.slice(PROFILE.length), previous && read<Profile>(previous), kv && read<Profile>(kv)) : [`change ${key}`]),
      wrong: (state) => wrongIn(state, marks),
    }
  },
}

const profileIn = (value: string | undefined): Profile | undefined => (value === undefined ? undefined : (JSON.parse(value) as Profile))

/** Of a batch, all is there or nothing. */
function wrongIn(state: State, marks: ReadonlyMap<string, readonly string[]>): string[] {
  const tags = new Map(entriesUnder(state, PROFILE).map((kv) => [kv.key.slice(PROFILE.length), new Set(tagsOf(read<Profile>(kv)))]))
  return [...marks].flatMap(([mark, profiles]) => {
    const marked = profiles.filter((profile) => tags.get(profile)?.has(mark))
    return marked.length === 0 || marked.length === profiles.length ? [] : [`of the batch ${mark} for ${profiles.join(', ')} only ${marked.join(', ')} is there`]
  })
}
