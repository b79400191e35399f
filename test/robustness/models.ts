/** What the clients of a cluster do, as models for the checker. */
import type {Model} from './linearizable.js'

/** A key of the store. */
export type RegisterInput = {readonly type: 'read'} | {readonly type: 'put' | 'delete'; readonly value?: string} | {readonly type: 'swap'; readonly from: string | undefined; readonly to: string}
/** What a read found (null = nothing), or whether a swap was made, and what it found if not. */
export type RegisterOutput = {readonly found: string | null} | {readonly swapped: true} | 'written'

export const register: Model<string | null, RegisterInput, RegisterOutput> = {
  initial: null,
  key: (state) => state ?? '\0',
  step(state, input, output) {
    switch (input.type) {
      case 'read':
        return typeof output === 'object' && 'found' in output && output.found === state ? state : undefined
      case 'put':
        return input.value
      case 'delete':
        return null
      case 'swap':
        if ((input.from ?? null) === state) return output === undefined || (typeof output === 'object' && 'swapped' in output) ? input.to : undefined
        return typeof output === 'object' && 'found' in output && output.found === state ? state : undefined
    }
  },
}

/** The tags of a profile. */
export type TagsInput = {readonly type: 'read'} | {readonly type: 'add' | 'remove'; readonly tag: string}
export type TagsOutput = readonly string[] | 'done'

export const tags: Model<ReadonlySet<string>, TagsInput, TagsOutput> = {
  initial: new Set(),
  key: (state) => [...state].sort().join(),
  step(state, input, output) {
    if (input.type === 'read') return output !== undefined && output !== 'done' && output.length === state.size && output.every((tag) => state.has(tag)) ? state : undefined
    if (state.has(input.tag) === (input.type === 'add')) return undefined
    const next = new Set(state)
    if (input.type === 'add') next.add(input.tag)
    else next.delete(input.tag)
    return next
  },
}
