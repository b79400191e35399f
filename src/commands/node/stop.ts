import {Flags} from '@oclif/core'
import {countEndpoints, refuseEndpoints, stopNode} from '../../lib/calico-node/stop.js'
import {HostEditCommand} from '../../lib/cli/edit-command.js'
import {requireKnownNode} from '../../lib/views/known-node.js'
import {noteMade} from '../../lib/cli/made.js'
import {nodeFlag, ownNode} from '../../lib/views/node-option.js'
import {felixProcesses} from '../../lib/calico-node/own-processes.js'
import {hasNoEngine, NO_ENGINE_NOTE} from '../../lib/docker/absence.js'
import {containerLifecycle} from '../../lib/docker/lifecycle.js'
import {isError} from '../../lib/errors.js'
import {requireNetworkAdministrator} from '../../lib/host/privileges.js'

export default class NodeStop extends HostEditCommand {
  static override summary = 'Stop calico-node on this host, and its driver for Docker networks.'
  static override description = 'Endpoints keep their interfaces, routes and policy, but later changes are not applied to them. Succeeds if the node is not running. On a host without a Docker Engine, only the systemd unit calico-node and that of the driver are stopped.'
  static override examples = ['<%= config.bin %> node stop', '<%= config.bin %> node stop --force']
  static exitCodes = {
    1: 'The Docker Engine is installed but not available, or another failure.',
    2: 'Not run as root.',
    4: 'The node given with --node does not exist.',
    8: 'The node has endpoints (--force overrides this), or the given node is not this host\'s.',
  }
  static override flags = {
    force: Flags.boolean({description: 'Stop the node even if it has endpoints or the datastore does not answer.'}),
    node: nodeFlag(),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(NodeStop)
    if (!this.dryRun) requireNetworkAdministrator('calicoctl node stop')
    const node = ownNode(flags.node)
    const count = await this.count(node, flags)
    if (flags.force) {
      if (count > 0) this.note(`Warning: node ${node} has ${count === 1 ? 'an active endpoint' : `${count} active endpoints`}.`)
      await this.stop()
    } else {
      await this.orInsist(() => {
        refuseEndpoints(count, node)
        return this.stop()
      }, () => this.stop())
    }
  }

  private async count(node: string, {force, node: named}: {force: boolean; node?: string | undefined}): Promise<number> {
    try {
      if (named !== undefined && !force) await requireKnownNode(await this.session(), named)
      return await countEndpoints(await this.session(), node)
    } catch (error) {
      if (!force || !isError(error, 'unreachable', 'denied')) throw error
      this.note(`Warning: cannot determine whether node ${node} has endpoints: ${error.message}`)
      return 0
    }
  }

  private async stop(): Promise<void> {
    const withoutEngine = hasNoEngine()
    const {stopped, driver, driverUnit, comesBack} = await stopNode(withoutEngine ? undefined : containerLifecycle(), {dryRun: this.dryRun})
    if (withoutEngine) this.noteWithoutEngine()
    if (!this.dryRun) for (const what of stopped) noteMade(`the stop of ${what}`)
    for (const what of stopped) this.note(`${what} ${this.dryRun ? 'would be stopped' : 'was stopped'}.`)
    if (stopped.length > 0) this.note('Not changed: interfaces, routes, iptables rules, IP sets, tunnel devices and sysctls. The current policy stays in force. To remove them: calicoctl node remove --clean-host')
    if (driver && !this.dryRun) this.note('Until the driver for Docker networks runs again, containers on Calico\'s networks can be neither started nor removed.')
    if (driverUnit && !this.dryRun) this.note('Its systemd unit starts again at the next boot; `calicoctl node remove` removes it.')
    if (comesBack) this.note('Warning: the container has the restart policy always: the Docker Engine starts it again when it is restarted itself.')
    if (!this.dryRun) this.success('Node stopped')
  }

  /** Says what a host without an Engine cannot be asked, and what runs on it all the same. */
  private noteWithoutEngine(): void {
    this.note(NO_ENGINE_NOTE)
    const running = this.dryRun ? [] : felixProcesses()
    if (running.length > 0) this.note(`Warning: ${running.join(', ')} still runs. Stop it with what started it.`)
  }
}
