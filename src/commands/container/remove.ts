import {containerArgument, ContainerCommand} from '../../lib/cli/containers.js'
import {CalicoError} from '../../lib/errors.js'
import {removeContainer} from '../../lib/workload/remove.js'
import {workloadLabel} from '../../lib/workload/workload.js'

export default class ContainerRemove extends ContainerCommand {
  static override summary = 'Disconnect a container from Calico\'s network.'
  static override description =
    'Its interfaces, endpoint and addresses are removed, whatever is left of them. The container may be stopped, and, if it is named by its id (at least 12 digits), gone.'
  static override examples = ['<%= config.bin %> container remove workload-A']
  static exitCodes = {0: 'Also if Calico has nothing of it.', 4: 'There is no such container.', 9: 'Only a part was removed; the message says which.'}
  static override args = {container: containerArgument()}

  async run(): Promise<void> {
    const {args} = await this.read(ContainerRemove)
    this.requireRights()
    const removed = await removeContainer(await this.session(), this.engine, {node: this.node, container: args.container})
    const {changes, released, interfaces, problems} = removed
    const label = workloadLabel(removed.workload)
    const found = changes.length > 0 || released.length > 0
    await this.tell(changes, {done: found ? `Removed Calico from ${label}` : `Failed find Calico data for ${label}`})
    for (const name of interfaces) this.note(`interface ${name} deleted`)
    this.noteRemoval(removed)
    if (problems.length > 0) throw new CalicoError('unknown', `The endpoint of ${args.container} was removed, but not all of its interfaces`, {details: problems})
  }
}
