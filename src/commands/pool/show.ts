import {chosenFamilies, familyFlags} from '../../lib/views/peer-arguments.js'
import {presentPools} from '../../lib/views/pools.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {listPools} from '../../lib/client/pools.js'

export default class PoolShow extends ShowCommand {
  static override summary = 'Show the IP pools.'
  static override description = '-o wide and plain also show names, block sizes, encapsulation, selectors, and whether a pool is disabled.'
  static override examples = ['<%= config.bin %> pool show', '<%= config.bin %> pool show --ipv4 -o wide']
  static override flags = familyFlags

  async run(): Promise<void> {
    const {flags} = await this.read(PoolShow)
    const families = chosenFamilies(flags)
    await this.present(presentPools(await listPools(await this.session(), families), families))
  }
}
