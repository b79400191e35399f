import {Flags} from '@oclif/core'
import {removalNotes} from '../../lib/views/removal-notes.js'
import {chosenFormat, outputFlags} from '../../lib/cli/show-command.js'
import {HostEditCommand} from '../../lib/cli/edit-command.js'
import {presentStale} from '../../lib/views/stale.js'
import {requireKnownNode} from '../../lib/views/known-node.js'
import {nodeFlag, ownNode} from '../../lib/views/node-option.js'
import {dockerEngine, engineTimeLimitMs} from '../../lib/docker/engine.js'
import {CalicoError} from '../../lib/errors.js'
import {collect, findStale} from '../../lib/workload/stale.js'

export default class EndpointGc extends HostEditCommand {
  static override summary = 'Find endpoints of this host whose container was deleted; --apply removes them.'
  static override description =
    'Checks the endpoints of Docker containers and network namespaces of this host. Endpoints of stopped containers, and endpoints whose interface is missing, are listed but never removed. ' +
    'An endpoint whose interface still exists is never removed.'
  static override examples = ['<%= config.bin %> endpoint gc', '<%= config.bin %> endpoint gc --apply']
  static exitCodes = {0: 'Nothing was found, or everything was removed (--apply).', 1: 'The Docker Engine does not answer.', 4: 'The node given with --node does not exist.', 8: '--node or a variable names a node that is not this host\'s.', 10: 'Leftover endpoints were found (without --apply), or could not be removed.'}
  static override flags = {...outputFlags, apply: Flags.boolean({description: 'Remove the endpoints of deleted containers and release their addresses.'}), node: nodeFlag()}

  async run(): Promise<void> {
    const {flags} = await this.read(EndpointGc)
    const node = ownNode(flags.node)
    const session = await this.session()
    if (flags.node !== undefined) await requireKnownNode(session, flags.node)
    const engine = dockerEngine({timeLimitMs: engineTimeLimitMs(this.globals.timeout)})
    const found = await findStale(session, engine, node)
    await this.presentAs(presentStale(found), chosenFormat(flags))
    let left = found.length
    for (const stale of flags.apply ? found.filter(({removable}) => removable) : []) {
      const removal = await collect(session, engine, stale)
      if (!removal) continue
      left -= removal.changes.length
      await this.report(removal.changes)
      for (const note of removalNotes(removal, {dryRun: this.dryRun})) this.note(note)
    }
    if (left === 0) return
    const removable = !flags.apply && found.some((stale) => stale.removable)
    throw new CalicoError('problems', `${left === 1 ? '1 endpoint is' : `${left} endpoints are`} left over or not connected`, removable ? {hint: 'To remove the endpoints of deleted containers: calicoctl endpoint gc --apply'} : {})
  }
}
