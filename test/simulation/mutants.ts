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
  /** The one to begin with, where the first that finds it comes late. */
  readonly seed?: number
}

export const MUTANTS: readonly Mutant[] = [
  {what: 'a store that drops the conditions on keys loses updates', world: 'editors', broken: 'conditions-on-keys', tells: /which no command of its own was to do|executed/},
  {what: 'a store that drops the conditions on prefixes lets a profile go that an endpoint names', world: 'editors', broken: 'conditions-on-prefixes', tells: /names the profile|overlap/},
  {what: 'a store that drops the condition on the cluster is written while it is locked', world: 'editors', broken: 'condition-on-cluster', tells: /while the store was locked/},
  {
    what: 'a lost answer is taken for a failure',
    seed: 330,
    world: 'editors',
    mutation: {file: 'src/lib/client/commit.ts', from: 'const {made: committed, reported} = isError', to: 'throw error\n    const {made: committed, reported} = isError'},
    tells: /and was executed|told a change/,
  },
  {what: 'a store that drops the conditions on keys gives an address twice', world: 'addresses', broken: 'conditions-on-keys', tells: /which no command of its own was to do|has it|counts|listed/},
  {
    what: 'a write that arrived after all is not looked for when it is decided again',
    seed: 190,
    world: 'addresses',
    mutation: {file: 'src/lib/client/commit.ts', from: 'if (late) return late', to: ''},
    tells: /it failed with .+ has addresses/,
  },
  {
    what: 'a decision that was made from memory is written although its key has been read anew since',
    world: 'addresses',
    seed: 1977,
    mutation: {file: 'src/lib/ipam/draft.ts', from: "(base === 'unread' ? memory.keys.get(key) : base.kv)", to: 'memory.keys.get(key)'},
    tells: /ipam check finds missing-affinity/,
  },
  {
    what: 'an affinity is written for a block that may have been given back since',
    world: 'addresses',
    seed: 21_356,
    mutation: {file: 'src/lib/ipam/claims.ts', from: 'draft.restOn(key)', to: ''},
    tells: /ipam check finds stale-affinity/,
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
  {
    what: 'a batch is written key by key, not in one transaction',
    world: 'batches',
    mutation: {
      file: 'src/lib/client/together.ts',
      from: 'const writes = changes.map(',
      to: "for (const {key, after} of changes.slice(1)) await session.store.transact({then: [after === undefined ? {delete: key} : {put: key, value: after}]})\n      const writes = changes.slice(0, 1).map(",
    },
    tells: /of the batch .+ only .+ is there|executed 2 times|which no command of its own was to do/,
  },
  {
    what: 'undo does not look whether something has changed since',
    world: 'batches',
    mutation: {file: 'src/lib/journal/undo.ts', from: 'if (changed.length > 0) throw', to: 'if (false) throw'},
    tells: /which no command of its own was to do/,
  },
  {
    what: 'a dry run writes',
    world: 'batches',
    mutation: {file: 'src/lib/client/commit.ts', from: 'decision.writes.length === 0 || session.dryRun) return', to: 'decision.writes.length === 0) return'},
    tells: /which no command of its own was to do|executed|told a change/,
  },
  {
    what: 'a rollback that was begun and died is not looked for when the change is confirmed',
    world: 'confirm',
    seed: 172,
    mutation: {file: 'src/lib/journal/confirm/settle.ts', from: 'waiting.begun ? await look', to: 'false ? await look'},
    tells: /"Confirmed: .+, and it is rolled back/,
  },
  {
    what: 'a datastore that does not answer is taken for one that refuses',
    world: 'confirm',
    seed: 31,
    mutation: {file: 'src/lib/journal/confirm/timer.ts', from: 'EXIT_CODES.unreachable, EXIT_CODES.denied, EXIT_CODES.unknown]', to: 'EXIT_CODES.denied]'},
    tells: /was given up: The simulated etcd does not answer/,
  },
  {
    what: 'what was under way when a command was killed is not in the journal',
    world: 'confirm',
    seed: 78,
    mutation: {file: 'src/lib/journal/read.ts', from: 'return made === null ?', to: 'return made === null || (made === undefined && rest.unknown) ?'},
    tells: /journal has nothing/,
  },
  {
    what: 'what a killed command has sent is not looked for after the rollback',
    world: 'confirm',
    seed: 78,
    mutation: {file: 'src/lib/journal/confirm/settle.ts', from: 'late.length === 0 || now >=', to: 'true || now >='},
    tells: /is not rolled back, and nothing reports it/,
  },
  {
    what: 'what a killed command has sent is looked for no longer than five seconds',
    world: 'confirm',
    seed: 78,
    mutation: {file: 'src/lib/journal/confirm/late.ts', from: 'const LATE_MS = 60_000', to: 'const LATE_MS = 5_000'},
    tells: /is not rolled back, and nothing reports it/,
  },
  {
    what: 'a change that is rolled back blocks the next one',
    world: 'confirm',
    seed: 102,
    mutation: {file: 'src/lib/journal/confirm/arm.ts', from: 'if (other && !isRolledBack(other)) throw', to: 'if (other) throw'},
    tells: /is refused because of .+, which is rolled back/,
  },
  {
    what: 'a change that is rolled back can be confirmed while what arrives late is looked for',
    world: 'confirm',
    seed: 128,
    mutation: {file: 'src/lib/journal/confirm/settle.ts', from: 'if (isRolledBack(waiting)) throw takenBack(waiting.id)', to: ''},
    tells: /"Confirmed: .+, and it is rolled back/,
  },
  {
    what: 'what others change after the rollback is taken for a write that arrived late',
    world: 'confirm',
    seed: 87,
    mutation: {file: 'src/lib/journal/confirm/timer.ts', from: 'if (waiting.late?.length === late.length) return late', to: ''},
    tells: /"could not be rolled back: .+ changed since .+, and it is rolled back/,
  },
  {
    what: 'undo does not skip what was reverted already',
    world: 'confirm',
    seed: 75,
    mutation: {file: 'src/lib/journal/undo.ts', from: 'changes.filter((change) => valueOf(change) !== change.before)', to: 'changes'},
    tells: /changed since .+, and no other user has changed what it made/,
  },
  {
    what: 'a rollback beside an undo by the user counts as failed',
    world: 'confirm',
    seed: 588,
    mutation: {file: 'src/lib/journal/confirm/timer.ts', from: "waiting.begun || isError(error, 'conflict', 'not-found')", to: 'waiting.begun'},
    tells: /"could not be rolled back: There is nothing to undo .+, and it is rolled back/,
  },
  {
    what: 'confirm beside another one says that the change is rolled back',
    world: 'confirm',
    seed: 495,
    mutation: {file: 'src/lib/journal/confirm/settle.ts', from: "if (entries.find((entry) => entry.id === id)?.confirmation !== 'confirmed') throw notWaiting(id, entries)", to: 'throw takenBack(id)'},
    tells: /already rolled back: it was not confirmed", and it is there/,
  },
  {
    what: 'the timer is over a second early',
    world: 'confirm',
    mutation: {file: 'src/lib/journal/confirm/timer.ts', from: 'const left = until - clock.uptime()', to: 'const left = until - clock.uptime() - 1_000'},
    tells: /is rolled back before its time is over/,
  },
  {
    what: 'a rollback does not look which change waits by now',
    world: 'confirm',
    seed: 478,
    mutation: {file: 'src/lib/journal/confirm/timer.ts', from: 'if (waiting?.id !== id) return\n    let late', to: 'if (!waiting) return\n    let late'},
    tells: /is rolled back before its time is over/,
  },
  {
    what: 'container add does not hold on to the address that it has got',
    world: 'containers',
    mutation: {file: 'src/lib/workload/store-with-address.ts', from: 'await takeAddress(', to: 'if (false) await takeAddress('},
    tells: /has .+, which is nobody's/,
  },
  {
    what: 'what failed is not taken back',
    world: 'containers',
    mutation: {file: 'src/lib/workload/add.ts', from: "throw await takenBack(session, workload, {endpoint, connected}, error)", to: 'throw error'},
    tells: /it failed with .+ is left/,
  },
  {
    what: 'endpoint gc takes every endpoint for left over',
    world: 'containers',
    mutation: {file: 'src/lib/workload/stale.ts', from: 'const connected = hasHostInterface(interfaceName)\n  const gone =', to: "const connected = false\n  const gone = true ? 'it is left over' :"},
    tells: /of the connected container .+ is gone/,
  },
  {
    what: 'ipam check --repair does not rest on the endpoints that it has seen',
    world: 'containers',
    mutation: {file: 'src/lib/ipam/repair.ts', from: '[...draft.guards(), ...witnesses]', to: 'draft.guards()'},
    tells: /has .+, which is nobody's|is gone/,
  },
  {
    what: 'the driver gives an address to whoever asks for it',
    world: 'docker',
    mutation: {file: 'src/lib/libnetwork/addresses.ts', from: "if (owner?.type !== 'endpoint') return", to: 'if (owner !== undefined) return'},
    tells: /of the running container .+ is|which is/,
  },
  {
    what: 'what was decided last is remembered as written, although an earlier write arrived late',
    seed: 305,
    world: 'docker',
    mutation: {file: 'src/lib/ipam/queue.ts', from: 'last?.outcome === outcome', to: 'last'},
    tells: /there is no handle|listed|counts|is .+'s|has it|uses it/,
  },
  {
    what: 'addresses without endpoint are never released',
    world: 'docker',
    mutation: {file: 'src/lib/libnetwork/reconcile.ts', from: 'if (!isOld) continue', to: 'continue'},
    tells: /is still .+, whom nobody knows/,
  },
  {
    what: 'endpoints that Docker does not know are never removed',
    world: 'docker',
    mutation: {file: 'src/lib/libnetwork/reconcile.ts', from: 'if (!certain.has(id)) continue', to: 'continue'},
    tells: /is still there, whose container is gone|whom nobody knows/,
  },
]
