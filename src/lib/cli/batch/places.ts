/** Where each command works: what a batch may do with it (design-whole.md §2). */

/**
 * `store`: in the datastore alone; before it uses that, it only looks at its line. `host`: on this host too, or from what only this host knows: its interfaces, containers, services.
 * `neither`: it prints something that it knows. `endless`: it runs until it is stopped, runs lines itself, or needs a terminal, and is no line of a batch.
 */
export type Place = 'store' | 'host' | 'neither' | 'endless'

const COMMANDS: Readonly<Record<Place, readonly string[]>> = {
  store: [
    'apply', 'create', 'delete', 'diff', 'export', 'label', 'patch', 'replace',
    'datastore:lock', 'datastore:migrate:lock', 'datastore:migrate:unlock', 'datastore:status', 'datastore:unlock',
    'bgp:default-node-as', 'bgp:node-mesh', 'bgp:peer:add', 'bgp:peer:remove', 'bgp:peer:show',
    'config:bgp', 'config:felix', 'config:node:bgp',
    'endpoint:profile:append', 'endpoint:profile:remove', 'endpoint:profile:set', 'endpoint:profile:show', 'endpoint:remove', 'endpoint:show',
    'get',
    'ipam:assign', 'ipam:check', 'ipam:configure', 'ipam:info', 'ipam:release', 'ipam:show', 'ipam:split',
    'node:bgp:peer:add', 'node:bgp:peer:remove', 'node:bgp:peer:show', 'node:show',
    'lint',
    'policy:explain', 'policy:matrix', 'policy:test',
    'pool:add', 'pool:move', 'pool:range:add', 'pool:remove', 'pool:set', 'pool:show',
    'profile:add', 'profile:remove', 'profile:rule:add', 'profile:rule:json', 'profile:rule:remove', 'profile:rule:show', 'profile:rule:update',
    'profile:show', 'profile:tag:add', 'profile:tag:remove', 'profile:tag:show',
    'version',
  ],
  host: [
    'checksystem', 'confirm',
    'container:add', 'container:endpoint:show', 'container:ip:add', 'container:ip:remove', 'container:profile:append', 'container:profile:remove',
    'container:profile:set', 'container:profile:show', 'container:remove',
    'datastore:restore', 'datastore:save', 'diags', 'endpoint:gc', 'history', 'import', 'mesos:check', 'mesos:config', 'mesos:gc', 'node', 'node:remove', 'node:stop', 'plan', 'policy:picture', 'status', 'undo',
  ],
  neither: ['completion', 'config:grants', 'config:view', 'help', 'lint:codes', 'schema', 'validate'],
  endless: ['__complete', '__confirm', 'batch', 'edit', 'libnetwork:serve'],
}

/** Where the command ID works. Unknown ones are taken for those that touch the host, which allows least. */
export const placeOf = (id: string): Place => (Object.keys(COMMANDS) as Place[]).find((place) => COMMANDS[place].includes(id)) ?? 'host'

/** Commands elsewhere that, like those of the store, only read their files before they use the store or print. */
const READ_FIRST = ['plan', 'validate']

/** Whether the command ID, on a line that is only checked, may go on after its options were read, up to its first use of the store or its first output. */
export const checkedFurther = (id: string): boolean => placeOf(id) === 'store' || READ_FIRST.includes(id)

/** Commands of the store that are several transactions by their nature, or about whether it may be written at all: a stage cannot hold them. */
const UNSTAGED = ['datastore:lock', 'datastore:migrate:lock', 'datastore:migrate:unlock', 'datastore:restore', 'datastore:save', 'datastore:unlock']

/** Options that wait for what others do: on a stage, which no one else sees, that never comes. */
const WAITS: Readonly<Record<string, string>> = {'pool:remove': '--drain'}

/** Why the command ID cannot be a line of a batch with --atomic or, if that is not ATOMIC, with --dry-run; undefined where it can. CANREHEARSE: it has an option --dry-run. ARGV: its words. */
export function whyNotStaged(id: string, {atomic, canRehearse, argv}: {atomic: boolean; canRehearse: boolean; argv: readonly string[]}): string | undefined {
  const name = `calicoctl ${id.replaceAll(':', ' ')}`
  const batch = `a line of a batch with ${atomic ? '--atomic' : '--dry-run'}`
  if (UNSTAGED.includes(id)) return `${name} cannot be ${batch}`
  const waits = WAITS[id]
  if (waits !== undefined && argv.includes(waits)) return `${name} ${waits} waits for other clients, and cannot be ${batch}`
  if (placeOf(id) !== 'host') return undefined
  if (atomic) return `${name} works on this host, which is not possible in one transaction (--atomic)`
  return canRehearse ? undefined : `${name} works on this host and has no --dry-run`
}

/** All ids in the table, one for each time that one is there. */
export const placedIds = (): string[] => Object.values(COMMANDS).flat()
