import {Args, Flags} from '@oclif/core'
import {BGP_DEFAULTS, readGlobalBgp, refuseMeshOff, setNodeMesh} from '../../lib/client/bgp-configuration.js'
import {SettingCommand} from '../../lib/views/setting-command.js'

export default class BgpNodeMesh extends SettingCommand {
  static override summary = 'Show, enable or disable the full mesh of BGP sessions between all nodes.'
  static override description = 'The mesh is on by default. Before you switch it off, add peers that carry the routes (`bgp peer add`).'
  static override examples = ['<%= config.bin %> bgp node-mesh', '<%= config.bin %> bgp node-mesh off']
  static override args = {state: Args.string({options: ['on', 'off'], ignoreStdin: true, description: 'The state to switch to.'})}
  static override flags = {yes: Flags.boolean({description: 'Do not prompt before the mesh is switched off although several nodes have no other peer.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.read(BgpNodeMesh)
    const session = await this.session()
    if (args.state === undefined) {
      const {nodeToNodeMeshEnabled} = await readGlobalBgp(session)
      const value = (nodeToNodeMeshEnabled ?? BGP_DEFAULTS.nodeToNodeMeshEnabled) ? 'on' : 'off'
      await this.showSetting({name: 'node-mesh', value, configured: nodeToNodeMeshEnabled !== undefined, text: value})
      return
    }
    const enable = args.state === 'on'
    const set = () => setNodeMesh(session, enable)
    // A script is not asked.
    const asks = !enable && !flags.yes && this.onTerminal && !this.dryRun
    const {change, effective} = await this.orInsist(async () => {
      if (asks) await refuseMeshOff(session)
      return set()
    }, set)
    await this.report([change], {detail: `node mesh ${effective ? `${enable ? 'off' : 'on'} → ` : ''}${args.state}`})
    if (effective && !this.dryRun) this.note('The BGP sessions of every node will be interrupted for a moment: Calico restarts its BGP configuration when the mesh changes.')
  }
}
