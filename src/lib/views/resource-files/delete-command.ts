/** delete: by kind and names, or by files. */
import {append} from '../../append.js'
import {endpointsOf, removeNode} from '../../calico-node/remove.js'
import {removePools} from '../../client/pool-removal.js'
import {endpointLabel} from '../../client/endpoints.js'
import {getResource, keyOf, objectLabel, type ResourceChange} from '../../client/resources.js'
import type {Session} from '../../client/session.js'
import {CalicoError} from '../../errors.js'
import {findKind} from '../../model/kinds.js'
import type {Resource} from '../../model/resource.js'
import type {IPPool} from '../../model/types.js'
import {type Cidr, formatAddress, formatCidr, parseCidr} from '../../net/index.js'
import type {Refusal} from '../../resource-files/judge.js'
import {problemOf} from '../../resource-files/objects.js'
import {foundRefusal, removalRefusals, removeObjects, type Target} from '../../resource-files/remove.js'
import {refuseAll} from '../../resource-files/write.js'
import {isOwnNode} from '../node-option.js'
import {placeOf} from './one-object.js'
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
    if (filename !== undefined && kind !== undefined) this.problem('Give either -f or a kind and names')
    if (filename !== undefined) return
    if (kind === undefined || names.length === 0) {
      this.problem('Give a kind and the names of objects, or files with -f')
      return
    }
    const info = findKind(kind)
    if (info === undefined) this.problem(`'${kind}' is not a kind that calicoctl reads`)
    else if (!info.namespaced && namespace !== undefined) this.problem(`-n cannot be used: the kind ${info.kind} has no namespaces`)
  }

  protected async remove({kind, names = []}: DeleteWords, given: DeleteFlags): Promise<void> {
    const flags = {...given, 'skip-not-exists': given['skip-not-exists'] || given['if-exists']}
    const files = flags.filename === undefined ? undefined : await inFiles(flags)
    const session = await this.session()
    const targets = files ?? (await named(session, kind ?? '', names, flags.namespace))
    const nodes = targets.filter(({place}) => place.kind === 'Node')
    const pools = targets.filter(({place}) => place.kind === 'IPPool')
    const others = targets.filter(({place}) => place.kind !== 'IPPool' && place.kind !== 'Node')
    if (pools.length + nodes.length > 0 && flags.atomic) throw new CalicoError('refused', 'Pools and nodes cannot be deleted in one transaction, because their blocks are released in several; nothing was deleted', {hint: 'Omit --atomic, or the pools and nodes.'})
    const {hosts, networks} = await this.check(session, targets, {others, pools, nodes}, flags)
    const steps = {others, networks, hosts}
    const none = targets.length === 0 ? undefined : `${targets.length === 1 ? 'The object does' : 'The objects do'} not exist; nothing was changed`
    if (networks.length > 0 && others.length + hosts.length > 0) {
      // Whether a pool is in use shows when the rest is gone: that is seen on a stage, before anything is deleted.
      const {rehearse, together} = await import('../../client/together.js')
      const onStage = (staged: Session): Promise<ResourceChange[]> => this.removeAll(staged, steps, flags, {rehearsal: true})
      if (this.dryRun) return this.reportAll((await together(session, 'the deletion of these objects', onStage)).outcome, {format: flags.output, none})
      await rehearse(session, 'the deletion of these objects', onStage)
    }
    await this.reportAll(await this.removeAll(session, steps, flags, {rehearsal: false}), {format: flags.output, none})
  }

  /** What of TARGETS is there: names of nodes, networks of pools. @throws CalicoError with every reason why one of them cannot be deleted */
  private async check(session: Session, targets: readonly Target[], {others, pools, nodes}: Readonly<Record<'others' | 'pools' | 'nodes', readonly Target[]>>, {'skip-not-exists': skipMissing, force}: DeleteFlags): Promise<{hosts: string[]; networks: Cidr[]}> {
    const refusals: Refusal[] = [...(others.length === 0 ? [] : await removalRefusals(session, others, {force, skipMissing}))]
    const find = async (targets: readonly Target[], found: (target: Target, resource: Resource) => Promise<void>): Promise<void> => {
      for (const target of targets) {
        const stored = await getResource(session, target.place)
        const refusal = foundRefusal(stored?.kv, target.resourceVersion, skipMissing)
        if (refusal !== undefined) refusals.push({kind: refusal.kind, problem: target.problem(refusal.field, refusal.message)})
        else if (stored !== undefined) await found(target, stored.resource)
      }
    }
    const networks: Cidr[] = []
    await find(pools, (_, resource) => {
      const cidr = parseCidr((resource as IPPool).spec.cidr)
      if (cidr !== undefined) networks.push(cidr)
      return Promise.resolve()
    })
    const gone = new Set(others.map(({place}) => keyOf(place)))
    const hosts: string[] = []
    await find(nodes, async ({place: {name}, problem}) => {
      const refuse = (message: string): void => void refusals.push({kind: 'refused', problem: problem('', message)})
      hosts.push(name)
      if (force) return
      if (isOwnNode(name)) refuse('is the node of this host: calicoctl node remove removes it with its data on this host (--force deletes it from the datastore only)')
      const endpoints = (await endpointsOf(session, name)).filter((endpoint) => !gone.has(endpoint.stored.kv.key))
      if (endpoints.length > 0) refuse(`has ${endpoints.length === 1 ? 'an endpoint' : `${endpoints.length} endpoints`}: ${endpoints.slice(0, 5).map(endpointLabel).join(', ')}${endpoints.length > 5 ? ` and ${endpoints.length - 5} more` : ''} (--force deletes them with it, and releases their addresses)`)
    })
    const files = [...new Set(targets.map(({problem}) => problem('', '').file))]
    refuseAll(refusals.sort(({problem: a}, {problem: b}) => files.indexOf(a.file) - files.indexOf(b.file) || (a.position?.line ?? 0) - (b.position?.line ?? 0)))
    return {hosts, networks}
  }

  /** Deletes in the order in which objects need each other, backwards: a node gives its addresses back before their pool goes. */
  private async removeAll(session: Session, {others, networks, hosts}: {others: readonly Target[]; networks: readonly Cidr[]; hosts: readonly string[]}, flags: DeleteFlags, {rehearsal}: {rehearsal: boolean}): Promise<ResourceChange[]> {
    const changes = others.length === 0 ? [] : [...(await removeObjects(session, others, {force: flags.force, skipMissing: flags['skip-not-exists'], atomic: flags.atomic}))]
    for (const name of hosts) append(changes, await this.removeHost(session, name, changes, rehearsal))
    if (networks.length > 0) append(changes, await this.removePools(session, networks, flags, changes, rehearsal))
    return changes
  }

  /** Removes what the datastore has of the node NAME, as Calico's own client does (datamodel-v3 §1.2). */
  private async removeHost(session: Session, name: string, done: readonly ResourceChange[], rehearsal: boolean): Promise<readonly ResourceChange[]> {
    try {
      const {changes: all, released, blocks, warnings} = await removeNode(session, name, await endpointsOf(session, name), {local: false})
      // In a dry run the endpoints that are deleted before it are still there.
      const changes = all.filter((change) => !done.some(({kind, name: other}) => kind === change.kind && other === change.name))
      if (rehearsal && !this.dryRun) return changes
      const would = this.dryRun ? 'would be ' : ''
      for (const address of released) this.note(`${formatAddress(address)} ${would}released`)
      for (const block of blocks) this.note(`Block ${block} ${would}released`)
      for (const warning of warnings) this.note(`Warning: ${warning}`)
      return changes
    } catch (error) {
      if (done.length === 0 || this.dryRun || rehearsal || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${done.length} objects were deleted, but node ${name} was not deleted completely: ${error.message}`, {details: error.details, hint: 'To delete the rest, run the same command with --skip-not-exists.', cause: error})
    }
  }

  private async removePools(session: Session, networks: readonly Cidr[], {force}: DeleteFlags, done: readonly ResourceChange[], rehearsal: boolean): Promise<readonly ResourceChange[]> {
    try {
      return (await removePools(session, networks, {force})).changes
    } catch (error) {
      if (done.length === 0 || this.dryRun || rehearsal || !(error instanceof CalicoError)) throw error
      throw new CalicoError('unknown', `${done.length} objects were deleted, but the pools were not: ${error.message}`, {details: [...error.details, `Not deleted: ${networks.map(formatCidr).join(', ')}`], cause: error})
    }
  }
}

async function named(session: Session, word: string, names: readonly string[], namespace: string | undefined): Promise<Target[]> {
  const info = findKind(word)
  if (info === undefined) throw new TypeError('the line was checked')
  const targets = new Map<string, Target>()
  for (const typed of names) {
    const place = await placeOf(session, {info, name: typed, namespace})
    if (!targets.has(place.name)) targets.set(place.name, {place, resourceVersion: undefined, problem: (field, message) => ({file: objectLabel(info.kind, typed), position: undefined, field, message})})
  }
  return [...targets.values()]
}

async function inFiles(flags: DeleteFlags): Promise<Target[]> {
  const {objects} = await loadFiles(flags, {judge: false})
  return objects.map((object) => ({place: object.place, resourceVersion: object.resourceVersion, problem: (field, message) => problemOf(object, field, message)}))
}
