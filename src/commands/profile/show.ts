import {Flags} from '@oclif/core'
import {presentProfileNames, presentProfiles, presentProfileUses, profileUseRows} from '../../lib/views/profiles.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {listProfileNames, listProfiles} from '../../lib/client/profiles.js'
import {listUses} from '../../lib/client/profile-uses.js'

export default class ProfileShow extends ShowCommand {
  static override summary = 'Show the profiles.'
  static override description = '--detailed also lists the endpoints of each profile. -o wide also shows tags and the number of rules.'
  static override examples = ['<%= config.bin %> profile show', '<%= config.bin %> profile show --detailed', '<%= config.bin %> profile show -o json']
  static override flags = {detailed: Flags.boolean({description: 'Show the endpoints of each profile.'})}

  async run(): Promise<void> {
    const {flags} = await this.read(ProfileShow)
    const session = await this.session()
    if (!flags.detailed && (this.format === 'name' || this.format === 'table')) {
      await this.present(presentProfileNames(await listProfileNames(session)))
      return
    }
    const profiles = await listProfiles(session)
    if (flags.detailed) await this.present(presentProfileUses(profileUseRows(profiles, await listUses(session))))
    else await this.present(presentProfiles(profiles))
  }
}
