/** What `node remove` says (cli-v0.20 §4.3.3). */
import {existsSync, unlinkSync} from 'node:fs'
import {CONTAINER_NAME} from '../calico-node/container.js'
import {felixProcesses} from '../calico-node/own-processes.js'
import {refuseRunningDriver, removeDriver} from '../calico-node/libnetwork-service/service.js'
import {driverForms} from '../calico-node/libnetwork-service/state.js'
import {endpointsOf, refuseRemoval, removeNode} from '../calico-node/remove.js'
import type {Endpoint} from '../client/endpoints.js'
import {isKnownNode} from '../client/known-nodes.js'
import {nodeNameInputs, thisHostsName} from '../client/node-name.js'
import {hasNoEngine, NO_ENGINE_NOTE} from '../docker/absence.js'
import {containerLifecycle, type Lifecycle} from '../docker/lifecycle.js'
import {CalicoError} from '../errors.js'
import {cleanHost} from '../host/cleaning.js'
import {requireNetworkAdministrator} from '../host/privileges.js'
import {nodeName} from '../model/names.js'
import {formatAddress} from '../net/index.js'
import {HostEditCommand} from '../cli/edit-command.js'
import {requireStoredNode} from './known-node.js'
import {noteMade} from '../cli/made.js'
import {isOwnNode} from './node-option.js'

const NODENAME_FILE = '/var/lib/calico/nodename'

interface RemoveFlags {
  readonly hostname?: string | undefined
  readonly 'remove-endpoints': boolean
  readonly 'clean-host': boolean
  readonly yes: boolean
}

export abstract class NodeRemoveCommand extends HostEditCommand {
  protected async remove({hostname, 'remove-endpoints': withEndpoints, 'clean-host': clean, yes}: RemoveFlags): Promise<void> {
    const {node, local} = hostname === undefined ? await this.thisNode() : namedNode(hostname)
    if (clean && !local) throw new CalicoError('refused', `--clean-host cleans this host, which is not node ${node}; nothing was removed`, {hint: `Omit --clean-host, or run the command on ${node}.`})
    if ((clean || (local && withEndpoints)) && !this.dryRun) requireNetworkAdministrator(`calicoctl node remove ${clean ? '--clean-host' : '--remove-endpoints'}`)
    if (local) await this.refuseRunning()
    if (local && !this.dryRun && (await driverForms({engine: this.engine !== undefined})).unit) requireNetworkAdministrator('calicoctl node remove, on a host with the unit calico-libnetwork,')
    const session = await this.session()
    if (!local) await requireStoredNode(session, node)
    const endpoints = await endpointsOf(session, node)
    const work = (): Promise<void> => this.removeWith(node, endpoints, local, clean)
    await this.orInsist(async () => {
      // One question is enough: that of the endpoints names the node too.
      if (!withEndpoints) refuseRemoval(endpoints, node)
      if (!yes && (!local || (withEndpoints && endpoints.length > 0))) this.refuseUnasked(node, endpoints, local)
      await work()
    }, work)
  }

  /**
   * The node of this host. A variable alone does not say which node is to be removed, unless there is nothing to lose.
   * @throws CalicoError `refused` if it names another one than the nodename file, or than the system where there is no such file
   */
  private async thisNode(): Promise<{node: string; local: boolean}> {
    const inputs = nodeNameInputs()
    const {name: node, origin} = thisHostsName(inputs)
    const isCertain = [inputs.file, inputs.system].some((text) => text?.toLowerCase() === node)
    if (!isCertain && (await isKnownNode(await this.session(), node))) {
      throw new CalicoError('refused', `This host is ${inputs.system}, and only ${origin} identifies it as node ${node}; nothing was removed`, {
        details: [`calico-node has not written a name on this host (${NODENAME_FILE}).`],
        hint: `Give the node on the command line: calicoctl node remove --hostname=${node}`,
      })
    }
    return {node, local: true}
  }

  /** Refuses on a terminal to remove NODE, which is another host's or has endpoints: orInsist asks then. A script is not asked. */
  private refuseUnasked(node: string, endpoints: readonly Endpoint[], local: boolean): void {
    if (this.dryRun || !this.onTerminal) return
    const count = endpoints.length === 0 ? 'no endpoints' : endpoints.length === 1 ? '1 endpoint' : `${endpoints.length} endpoints`
    if (local) throw new CalicoError('refused', `Node ${node} has ${count}, which would be removed with it. Nothing was removed`, {override: '--yes', hint: 'To remove them without a prompt, use --yes.'})
    throw new CalicoError('refused', `Node ${node} is another host's; it has ${count}. Nothing was removed`, {override: '--yes', hint: 'If that host has been decommissioned, add --yes.'})
  }

  /** That of this host; undefined where none is installed. */
  private get engine(): Lifecycle | undefined {
    return hasNoEngine() ? undefined : containerLifecycle()
  }

  private async refuseRunning(): Promise<void> {
    const {engine} = this
    if (!engine) {
      const running = felixProcesses()
      if (running.length > 0) throw new CalicoError('refused', `calico-node runs on this host: ${running.join(', ')}; nothing was removed`, {details: [NO_ENGINE_NOTE], hint: 'Stop it first, with what started it.'})
      this.note(NO_ENGINE_NOTE)
      return refuseRunningDriver({engine: false})
    }
    const state = await engine.state(CONTAINER_NAME)
    if (!state?.running && !state?.restarting) return refuseRunningDriver({engine: true})
    throw new CalicoError('refused', 'calico-node runs on this host; nothing was removed', {hint: 'Stop it first: calicoctl node stop --force'})
  }

  private async removeWith(node: string, endpoints: readonly Endpoint[], local: boolean, clean: boolean): Promise<void> {
    const {changes, released, blocks, warnings} = await removeNode(await this.session(), node, endpoints, {local})
    const would = this.dryRun ? 'would be ' : ''
    await this.report(changes)
    for (const address of released) this.note(`${formatAddress(address)} ${would}released`)
    for (const block of blocks) this.note(`Block ${block} ${would}released`)
    for (const warning of warnings) this.note(`Warning: ${warning}`)
    if (local) this.removeNodenameFile(would)
    if (local) for (const what of await removeDriver(this.engine, {dryRun: this.dryRun})) this.note(`${what} ${would}removed`)
    if (clean) await this.clean(would)
    if (!this.dryRun) this.success('Node configuration removed')
  }

  private removeNodenameFile(would: string): void {
    if (!existsSync(NODENAME_FILE)) return
    try {
      if (!this.dryRun) {
        unlinkSync(NODENAME_FILE)
        noteMade(`the removal of ${NODENAME_FILE}`)
      }
      this.note(`${NODENAME_FILE} ${would}removed`)
    } catch (error) {
      this.note(`Warning: ${NODENAME_FILE} was not removed: ${(error as Error).message}`)
    }
  }

  private async clean(would: string): Promise<void> {
    const {removed, problems} = await cleanHost({dryRun: this.dryRun})
    for (const what of removed) this.note(`${what} ${would}removed`)
    if (removed.length === 0 && problems.length === 0) this.note('Nothing of Calico is left on this host.')
    if (problems.length === 0) return
    throw new CalicoError('unknown', 'The node was removed from the datastore; this host could not be cleaned completely', {details: problems, hint: 'Run the command again.'})
  }
}

/** The node that HOSTNAME, of the line, is, and whether it is this host's. */
function namedNode(hostname: string): {node: string; local: boolean} {
  const node = nodeName(hostname)
  return {node, local: isOwnNode(node)}
}
