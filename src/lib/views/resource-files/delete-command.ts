/** delete: by kind and names, or by files. */
import {append} from '../../append.js'
import {removePools} from '../../client/pool-removal.js'
import {getResource, objectLabel, type ResourceChange} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {CalicoError} from '../../errors.js'
import {findKind} from '../../model/kinds.js'
import type {IPPool} from '../../model/types.js'
import {parseCidr} from '../../net/index.js'
import {problemOf} from '../../resource-files/objects.js'
import {removeObjects, type Target} from '../../resource-files/remove.js'
import {refuseAll} from '../../resource-files/write.js'
import {loadFiles} from './options.js'
import {ChangeFilesCommand} from './write-command.js'

interface DeleteWords {
  readonly kind: string | undefined
  readonly names: readonly string[] | undefined
}

interface DeleteFlags {
  readonly filename?: readonly string[] | undefined
  readonly recursive: boolean
  readonly 'skip-empty': boolean
  readonly namespace?: string | undefined
  readonly 'skip-not-exists': boolean
  readonly force: boolean
  readonly atomic: boolean
  readonly output?: 'name' | 'json' | undefined
}

export abstract class DeleteFilesCommand extends ChangeFilesCommand {
  protected checkLine({kind, names = []}: DeleteWords, {filename, namespace}: DeleteFlags): void {
    if (filename !== undefined && kind !== undefined) this.problem('give either -f or a kind and names')
    if (filename !== undefined) return
    if (kind === undefined || names.length === 0) {
      this.problem('give a kind and the names of objects, or files with -f')
      return
    }
    const info = findKind(kind)
    if (info === undefined) this.problem(`'${kind}' is not a kind that calicoctl reads`)
    else if (!info.namespaced && namespace !== undefined) this.problem(`-n does not fit: a ${info.kind} lies in no namespace`)
    if (names.some((name) => !/^[a-z0-9.-]+$/.test(name))) this.problem('a name must be lower-case letters, digits, "-" and "."')
  }

  protected async remove({kind, names = []}: DeleteWords, flags: DeleteFlags): Promise<void> {
    const targets = flags.filename === undefined ? named(kind ?? '', names, flags.namespace) : await inFiles(flags)
    const session = await this.session()
    const nodes = targets.filter(({place}) => place.kind === 'Node')
    if (nodes.length > 0) {
      throw new CalicoError('refused', 'A node is not deleted like other objects: its endpoints, addresses and blocks go with it; nothing was deleted', {
        details: nodes.map(({place: {name}}) => `calicoctl node remove --hostname=${name}`),
      })
    }
    const pools = targets.filter(({place}) => place.kind === 'IPPool')
    const others = targets.filter(({place}) => place.kind !== 'IPPool')
    if (pools.length > 0 && flags.atomic) throw new CalicoError('refused', 'Pools are deleted in several transactions, which give their blocks back; nothing was deleted', {hint: 'Leave --atomic out, or the pools.'})
    const found = await this.findPools(session, pools, flags)
    const changes = [...(others.length === 0 ? [] : await removeObjects(session, others, {force: flags.force, skipMissing: flags['skip-not-exists'], atomic: flags.atomic}))]
    if (found.length > 0) append(changes, await this.removePools(session, found, flags, changes))
    await this.tellAll(changes, {format: flags.output})
  }

  private async findPools(session: Session, pools: readonly Target[], {'skip-not-exists': skip}: DeleteFlags): Promise<readonly {cidr: string; label: string}[]> {
    const found: {cidr: string; label: string}[] = []
    for (const {place, resourceVersion, problem} of pools) {
      const stored = await getResource<IPPool>(session, place)
      if (stored === undefined) {
        if (!skip) refuseAll([{kind: 'not-found', problem: problem('', 'does not exist (--skip-not-exists skips it)')}])
      } else if (resourceVersion !== undefined && resourceVersion !== stored.kv.modRevision.toString()) {
        refuseAll([{kind: 'conflict', problem: problem('metadata.resourceVersion', `is ${resourceVersion}, but the datastore is at ${stored.kv.modRevision}: somebody has changed the object`)}])
      } else found.push({cidr: stored.resource.spec.cidr, label: objectLabel('IPPool', place.name)})
    }
    return found
  }

  private async removePools(session: Session, pools: readonly {cidr: string; label: string}[], {force}: DeleteFlags, done: readonly ResourceChange[]): Promise<readonly ResourceChange[]> {
    try {
      return (await removePools(session, pools.flatMap(({cidr}) => parseCidr(cidr) ?? []), {force})).changes
    } catch (error) {
      if (done.length === 0 || this.dryRun || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${done.length} objects were deleted, the pools were not: ${error.message}`, {details: [...error.details, ...pools.map(({label}) => `Not deleted: ${label}`)], cause: error})
    }
  }
}

function named(word: string, names: readonly string[], namespace: string | undefined): Target[] {
  const info = findKind(word)
  if (info === undefined) throw new TypeError('the line was checked')
  return [...new Set(names)].map((name) => ({
    place: {kind: info.kind, name, ...(info.namespaced ? {namespace: namespace ?? 'default'} : {})},
    resourceVersion: undefined,
    problem: (field, message) => ({file: objectLabel(info.kind, name), position: undefined, field, message}),
  }))
}

async function inFiles(flags: DeleteFlags): Promise<Target[]> {
  const {objects} = await loadFiles(flags, {judge: false})
  return objects.map((object) => ({place: object.place, resourceVersion: object.resourceVersion, problem: (field, message) => problemOf(object, field, message)}))
}
