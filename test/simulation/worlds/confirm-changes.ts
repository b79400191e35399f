/** What is known of the changes of the world `confirm`, from the history of the store and from what commands reported, and what must hold of them. */
import type {Change as StoreChange} from '../../../src/lib/datastore/datastore.js'
import type {State} from '../../../src/lib/datastore/embedded/state.js'
import type {WaitingFile} from '../../../src/lib/journal/confirm/waiting.js'
import {kindPrefix} from '../../../src/lib/model/keys.js'
import type {Profile} from '../../../src/lib/model/types.js'
import {tagsOf} from '../../../src/lib/rules/edit.js'
import {profileNeeds} from './editors.js'
import {read} from './stored.js'

const PREFIX = kindPrefix('Profile')

/** A change that is to be confirmed. It adds a tag of its own to its profiles. */
export interface Change {
  readonly mark: string
  readonly host: number
  readonly profiles: readonly string[]
  id: string
  /** It was in the store, in one of its profiles. */
  made: boolean
  /** Another command has written one of its profiles while its tag was there; at any time since it began. */
  touched: boolean
  disturbed: boolean
  /** How many processes began to confirm it, and were not refused; one of them reported that it is confirmed; another one began to undo it. */
  confirming: number
  confirmed: boolean
  undoing: boolean
  /** It was reported that it is undone. */
  undone: boolean
  /** Its command has ended. */
  ended: boolean
  /** When it did, or was killed. */
  endedAt: number
  /** How long it may wait from then on, milliseconds. */
  readonly within: number
  /** When one of its profiles was last written by its command. */
  madeAt: number
  /** A user has answered that it is to be rolled back now. */
  asked: boolean
  /** One of the processes that work on it was killed; its timer was. */
  killed: boolean
  orphaned: boolean
}

interface Observed {
  readonly state: () => State
  readonly now: () => number
  readonly violated: (text: string) => void
}

export type Changes = ReturnType<typeof newChanges>

/** The changes of one run, by their marks. */
export function newChanges({state, now, violated}: Observed) {
  const changes = new Map<string, Change>()

  /** Whether one of its writes arrived after its command had ended, and after SINCE: who looked then may not have seen it. */
  const isLate = ({madeAt, endedAt}: Change, since: number): boolean => madeAt > endedAt && madeAt >= since

  const isThere = ({mark, profiles}: Change): boolean => profiles.some((profile) => tagsIn(state(), profile).includes(mark))

  function note({key, kv, previous}: StoreChange): string[] {
    if (!key.startsWith(PREFIX)) return [`change ${key}`]
    const profile = key.slice(PREFIX.length)
    const needs = profileNeeds(profile, previous && read<Profile>(previous), kv && read<Profile>(kv))
    for (const each of changes.values()) {
      if (needs.includes(`+tag ${profile} ${each.mark}`)) {
        each.made = true
        each.madeAt = now()
        continue
      }
      const isReverted = needs.includes(`-tag ${profile} ${each.mark}`)
      if (isReverted && now() < each.endedAt + each.within - 1 && !each.undoing && !each.asked) violated(`the change ${each.id} is rolled back before its time is over`)
      if (each.id !== '' && each.profiles.includes(profile) && !isReverted) each.disturbed = true
      if (previous && tagsOf(read<Profile>(previous)).includes(each.mark) && !isReverted) each.touched = true
    }
    return needs
  }

  function wrong(): string[] {
    return [...changes.values()].flatMap((each) => (each.confirmed && each.made && !each.undoing && !isThere(each) ? [`the change ${each.id} was reported as confirmed, and is rolled back`] : []))
  }

  /** Of a change that no one has confirmed, undone or written over: it is rolled back, or it is reported that it is not. */
  function unsettled(own: readonly Change[], waiting: readonly WaitingFile[]): string[] {
    const states = new Map(waiting.map(({waiting: each}) => [each.id, each]))
    return own.flatMap((each) => {
      const file = states.get(each.id)
      const name = `the change ${each.id} (${each.mark})`
      if (file?.failed === null && !each.made && !each.killed) return [`${name} has changed nothing, and waits`]
      if (!each.made || each.confirming > 0 || (each.undoing && !each.undone) || each.touched) return []
      if (file?.failed != null && /does not answer|may or may not|journal has nothing/.test(file.failed)) return [`${name} was given up: ${file.failed}`]
      if (isThere(each)) return file ? (each.orphaned || file.failed !== null ? [] : [`${name} is not rolled back, and no timer of it was killed`]) : [`${name} was not confirmed, is not rolled back, and nothing reports it`]
      return file?.failed != null && !(each.disturbed && (each.undone || file.failed.includes('not known whether'))) ? [`${name} "could not be rolled back: ${file.failed}", and it is rolled back`] : []
    })
  }

  return {add: (change: Change): void => void changes.set(change.mark, change), note, wrong, unsettled, isThere, isLate}
}

function tagsIn({keys}: State, profile: string): readonly string[] {
  const kv = keys.get(`${PREFIX}${profile}`)
  return kv ? tagsOf(read<Profile>(kv)) : []
}
