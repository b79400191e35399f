import {Flags} from '@oclif/core'
import {profileArgument} from '../../lib/cli/arguments.js'
import {EditCommand, ifExistsFlag} from '../../lib/cli/edit-command.js'
import {removeProfile} from '../../lib/client/profiles.js'

export default class ProfileRemove extends EditCommand {
  static override summary = 'Remove a profile.'
  static override description =
    'A profile that an endpoint uses is not removed (exit code 8) without --no-check; with it, the endpoint drops traffic that its earlier profiles do not decide.'
  static override examples = ['<%= config.bin %> profile remove web', '<%= config.bin %> profile remove web --no-check']
  static exitCodes = {8: 'An endpoint uses the profile (--no-check overrides this), the profile is provided by Calico, or the datastore is locked.'}
  static override args = {profile: profileArgument()}
  static override flags = {...ifExistsFlag, 'no-check': Flags.boolean({description: 'Remove it even if endpoints use it.'})}

  async run(): Promise<void> {
    const {args, flags} = await this.read(ProfileRemove)
    const session = await this.session()
    const remove = (check: boolean) => removeProfile(session, args.profile, {check})
    const change = await this.orInsist(() => remove(!flags['no-check']), () => remove(false))
    await this.report([change], {done: change.before ? `Deleted profile ${args.profile}` : `Profile ${args.profile} not found.`})
  }
}
