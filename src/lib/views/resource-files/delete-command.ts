/** delete: by kind and names, or by files. */
import {append} from '../../append.js'
import {endpointsOf, removeNode} from '../../calico-node/remove.js'
import {removePools} from '../../client/pool-removal.js'
import {endpointLabel} from '../../client/endpoints.js'
import {getResource, keyOf, objectLabel, type ResourceChange} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {CalicoError} from '../../errors.js'
import {findKind} from '../../model/kinds.js'
import type {IPPool} from '../../model/types.js'
import {formatAddress, parseCidr} from '../../net/index.js'
import {problemOf} from '../../resource-files/objects.js'
import {removeObjects, type Target} from '../../resource-files/remove.js'
import {refuseAll} from '../../resource-files/write.js'
import {isOwnNode} from '../node-option.js'
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
  readonly 'if-exists': boolean
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
    else if (!info.namespaced && namespace !== undefined) this.problem(`-n cannot be used: the kind ${info.kind} has no namespaces`)
    if (names.some((name) => !/^[a-z0-9.-]+$/.test(name))) this.problem('a name must be lower-case letters, digits, "-" and "."')
  }

  protected async remove({kind, names = []}: DeleteWords, given: DeleteFlags): Promise<void> {
    const flags = {...given, 'skip-not-exists': given['skip-not-exists'] || given['if-exists']}
    const targets = flags.filename === undefined ? named(kind ?? '', names, flags.namespace) : await inFiles(flags)
    const session = await this.session()
    const nodes = targets.filter(({place}) => place.kind === 'Node')
    const pools = targets.filter(({place}) => place.kind === 'IPPool')
    const others = targets.filter(({place}) => place.kind !== 'IPPool' && place.kind !== 'Node')
    if (pools.length + nodes.length > 0 && flags.atomic) throw new CalicoError('refused', 'Pools and nodes cannot be deleted in one transaction, because their blocks are released in several; nothing was deleted', {hint: 'Omit --atomic, or the pools and nodes.'})
    const hosts = await this.findNodes(session, nodes, others, flags)
    const found = await this.findPools(session, pools, flags)
    const changes = [...(others.length === 0 ? [] : await removeObjects(session, others, {force: flags.force, skipMissing: flags['skip-not-exists'], atomic: flags.atomic}))]
    if (found.length > 0) append(changes, await this.removePools(session, found, flags, changes))
    for (const name of hosts) append(changes, await this.removeHost(session, name, changes))
    await this.tellAll(changes, {format: flags.output})
  }

  private async findPools(session: Session, pools: readonly Target[], {'skip-not-exists': skip}: DeleteFlags): Promise<readonly {cidr: string; label: string}[]> {
    const found: {cidr: string; label: string}[] = []
    for (const {place, resourceVersion, problem} of pools) {
      const stored = await getResource<IPPool>(session, place)
      if (stored === undefined) {
        if (!skip) refuseAll([{kind: 'not-found', problem: problem('', 'does not exist (--skip-not-exists skips it)')}])
      } else if (resourceVersion !== undefined && resourceVersion !== stored.kv.modRevision.toString()) {
        refuseAll([{kind: 'conflict', problem: problem('metadata.resourceVersion', `is ${resourceVersion}, but the datastore is at ${stored.kv.modRevision}: another client has changed the object`)}])
      } else found.push({cidr: stored.resource.spec.cidr, label: objectLabel('IPPool', place.name)})
    }
    return found
  }

  /** The names of NODES that are there and can go. @throws CalicoError `not-found`; `conflict`; `refused` for what has endpoints beside OTHERS, and for this host's */
  private async findNodes(session: Session, nodes: readonly Target[], others: readonly Target[], {'skip-not-exists': skip, force}: DeleteFlags): Promise<readonly string[]> {
    const found: string[] = []
    const gone = new Set(others.map(({place}) => keyOf(place)))
    for (const {place, resourceVersion, problem} of nodes) {
      const stored = await getResource(session, place)
      if (stored === undefined) {
        if (!skip) refuseAll([{kind: 'not-found', problem: problem('', 'does not exist (--skip-not-exists skips it)')}])
        continue
      }
      if (resourceVersion !== undefined && resourceVersion !== stored.kv.modRevision.toString()) {
        refuseAll([{kind: 'conflict', problem: problem('metadata.resourceVersion', `is ${resourceVersion}, but the datastore is at ${stored.kv.modRevision}: another client has changed the object`)}])
      }
      if (!force && isOwnNode(place.name)) throw new CalicoError('refused', `Node ${place.name} is this host's; nothing was deleted`, {hint: 'To remove it with its data on this host: calicoctl node remove. To delete it from the datastore only: --force'})
      const endpoints = (await endpointsOf(session, place.name)).filter((endpoint) => !gone.has(endpoint.stored.kv.key))
      if (!force && endpoints.length > 0) {
        throw new CalicoError('refused', `Node ${place.name} has ${endpoints.length === 1 ? 'an endpoint' : `${endpoints.length} endpoints`}; nothing was deleted`, {
          details: [...endpoints.slice(0, 10).map(endpointLabel), ...(endpoints.length > 10 ? [`and ${endpoints.length - 10} more`] : [])],
          hint: 'Remove them first, or use --force: it deletes them with the node and releases their addresses.',
        })
      }
      found.push(place.name)
    }
    return found
  }

  /** Removes what the datastore has of the node NAME, as Calico's own client does (datamodel-v3 §1.2). */
  private async removeHost(session: Session, name: string, done: readonly ResourceChange[]): Promise<readonly ResourceChange[]> {
    try {
      const {changes, released, blocks, warnings} = await removeNode(session, name, await endpointsOf(session, name), {local: false})
      const would = this.dryRun ? 'would be ' : ''
      for (const address of released) this.note(`${formatAddress(address)} ${would}released`)
      for (const block of blocks) this.note(`Block ${block} ${would}released`)
      for (const warning of warnings) this.note(`Warning: ${warning}`)
      return changes
    } catch (error) {
      if (done.length === 0 || this.dryRun || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${done.length} objects were deleted, but node ${name} was not deleted completely: ${error.message}`, {details: error.details, hint: 'To delete the rest, run the same command with --skip-not-exists.', cause: error})
    }
  }

  private async removePools(session: Session, pools: readonly {cidr: string; label: string}[], {force}: DeleteFlags, done: readonly ResourceChange[]): Promise<readonly ResourceChange[]> {
    try {
      return (await removePools(session, pools.flatMap(({cidr}) => parseCidr(cidr) ?? []), {force})).changes
    } catch (error) {
      if (done.length === 0 || this.dryRun || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${done.length} objects were deleted, but the pools were not: ${error.message}`, {details: [...error.details, ...pools.map(({label}) => `Not deleted: ${label}`)], cause: error})
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
