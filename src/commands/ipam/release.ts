import {handleFlag, optionalAddressArgument} from '../../lib/cli/ipam-arguments.js'
import {EditCommand} from '../../lib/cli/edit-command.js'
import {isError} from '../../lib/errors.js'
import {releaseAddresses, releaseByHandle} from '../../lib/ipam/release-addresses.js'
import {formatAddress} from '../../lib/net/index.js'

export default class IpamRelease extends EditCommand {
  static override summary = 'Release an address, or all addresses of a handle.'
  static override description =
    'The endpoint that uses the address is not touched. With an address and --handle, the address is released only if it has that handle; with --handle alone, all addresses of the handle are.'
  static override examples = ['<%= config.bin %> ipam release 192.168.0.1', '<%= config.bin %> ipam release --handle vm-17']
  static override args = {ip: optionalAddressArgument()}
  static override flags = {handle: handleFlag('Release only what has this handle.')}

  async run(): Promise<void> {
    const {args: {ip}, flags: {handle}} = await this.read(IpamRelease, ({args, flags}) => {
      if (args.ip === undefined && flags.handle === undefined) this.problem('Name an address, or a handle with --handle.')
    })
    const session = await this.session()
    if (ip !== undefined) {
      const {released} = await releaseAddresses(session, [{address: ip, ...(handle === undefined ? {} : {handle})}])
      if (this.dryRun) this.note(`${formatAddress(ip)} ${released.length > 0 ? 'would be released' : 'is not assigned'}`)
      else this.data(released.length > 0 ? 'Address successfully released' : 'Failed to release address')
      return
    }
    const released = await this.releaseAll(handle ?? '')
    for (const address of released) this.data(formatAddress(address))
    this.note(released.length === 0 ? `Handle ${handle ?? ''} has no addresses` : `${released.length} ${released.length === 1 ? 'address' : 'addresses'} ${this.dryRun ? 'would be ' : ''}released`)
  }

  /** No such handle is as good as one without addresses. */
  private async releaseAll(handle: string): ReturnType<typeof releaseByHandle> {
    try {
      return await releaseByHandle(await this.session(), handle)
    } catch (error) {
      if (isError(error, 'not-found')) return []
      throw error
    }
  }
}
