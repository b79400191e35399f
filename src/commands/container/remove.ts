import {ifExistsFlag} from '../../lib/cli/edit-command.js'
import {containerArgument, ContainerCommand} from '../../lib/views/containers.js'
import {CalicoError} from '../../lib/errors.js'
import {removeContainer} from '../../lib/workload/remove.js'
import {workloadLabel} from '../../lib/workload/workload.js'

export default class ContainerRemove extends ContainerCommand {
  static override summary = 'Disconnect a container from Calico\'s network.'
  static override description =
    'Removes its interfaces and its endpoint, and releases its addresses, even if only some of them are left. The container may be stopped or deleted; a deleted container is found by the name that it had, or by its id (at least 12 digits). Default routes of the container that `container add` changed are not restored.'
  static override examples = ['<%= config.bin %> container remove workload-A']
  static exitCodes = {
    0: 'Success, also if the container has no endpoint.',
    2: 'Not run as root.',
    4: 'There is no such container.',
    5: 'Several deleted containers had that name, or the container has several endpoints.',
    8: 'The endpoint belongs to a Docker network or to Mesos (the message says how to remove it), or --node or a variable names a node that is not this host\'s.',
    9: 'Not everything was removed; the message lists what is left.',
  }
  static override args = {container: containerArgument()}
  static override flags = ifExistsFlag

  async run(): Promise<void> {
    const {args} = await this.read(ContainerRemove)
    this.requireRights()
    const removed = await removeContainer(await this.session(), this.engine, {node: this.node, container: args.container})
    const {changes, released, interfaces, problems} = removed
    const label = workloadLabel(removed.workload)
    const found = changes.length > 0 || released.length > 0
    await this.report(changes, {done: found ? `Removed Calico from ${label}` : `Failed find Calico data for ${label}`})
    if (found || interfaces.length > 0) this.noteChanged()
    for (const name of interfaces) this.note(`interface ${name} deleted`)
    this.noteRemoval(removed)
    if (removed.candidates.length > 0) this.note(`Warning: nothing was found under this name. One of these endpoints of this host, whose interfaces are missing, may belong to it: ${removed.candidates.join(', ')}`)
    if (problems.length > 0) throw new CalicoError('unknown', `The endpoint of ${args.container} was removed, but not all of its interfaces`, {details: problems})
  }
}
