/** Faults that are put into a store or into the product, each of which a world must find: so that no invariant is a decoration. */
import type {Mutation} from '../../scripts/simulation.mjs'

export interface Mutant {
  readonly what: string
  readonly world: string
  /** Of broken.ts. */
  readonly broken?: string
  readonly mutation?: Mutation
  /** What the world says of it. */
  readonly tells: RegExp
  /** Those that are left after shrinking, where that is of interest. */
  readonly actors?: string
}

export const MUTANTS: readonly Mutant[] = [
  {what: 'a store that drops the conditions on keys loses updates', world: 'editors', broken: 'conditions-on-keys', tells: /which no command of its own was to do|executed/},
  {what: 'a store that drops the conditions on prefixes lets a profile go that an endpoint names', world: 'editors', broken: 'conditions-on-prefixes', tells: /names the profile|overlap/},
  {what: 'a store that drops the condition on the cluster is written while it is locked', world: 'editors', broken: 'condition-on-cluster', tells: /while the store was locked/},
  {
    what: 'a lost answer is taken for a failure',
    world: 'editors',
    mutation: {file: 'src/lib/client/commit.ts', from: 'const {made: committed, told} = isError', to: 'throw error\n    const {made: committed, told} = isError'},
    tells: /and was executed|told a change/,
  },
  {what: 'a store that drops the conditions on keys gives an address twice', world: 'addresses', broken: 'conditions-on-keys', tells: /which no command of its own was to do|has it|counts|listed/},
  {
    what: 'a write that arrived after all is not looked for when it is decided again',
    world: 'addresses',
    mutation: {file: 'src/lib/client/commit.ts', from: 'if (late) return late', to: ''},
    tells: /it failed with .+ has addresses/,
  },
  {
    what: 'a handle is counted wrongly',
    world: 'addresses',
    mutation: {file: 'src/lib/ipam/give.ts', from: 'assigned.cidr, count)', to: 'assigned.cidr, 1)'},
    tells: /the handle h.+ counts/,
  },
  {
    what: 'a release by handle takes the addresses of others, too',
    world: 'addresses',
    mutation: {file: 'src/lib/ipam/release.ts', from: 'handleOf(attribute) === handle && (sequenceNumber', to: '(sequenceNumber'},
    tells: /which no command of its own was to do/,
  },
]
