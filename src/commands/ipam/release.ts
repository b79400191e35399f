import {Flags} from '@oclif/core'
import {handleFlag, optionalAddressArgument, readIp, releaseProblems} from '../../lib/views/ipam-arguments.js'
import {checked} from '../../lib/cli/base-command.js'
import {HostEditCommand, ifExistsFlag} from '../../lib/cli/edit-command.js'
import {releasedNotes} from '../../lib/views/ipam.js'
import {isError} from '../../lib/errors.js'
import type {Held} from '../../lib/ipam/held.js'
import {releaseAddresses, releaseByHandle} from '../../lib/ipam/release-addresses.js'
import {releaseMany, releaseRange} from '../../lib/ipam/release-many.js'
import {type Address, formatAddress} from '../../lib/net/index.js'

/** For a range: 65,536 addresses, each with a handle of its own, are some 1,000 transactions. */
const RANGE_TIMEOUT_MS = 60_000

interface Line {
  readonly ip: Address | undefined
  readonly also: readonly Address[]
  readonly handle: string | undefined
  /** Of a range. */
  readonly last: Address | undefined
}

export default class IpamRelease extends HostEditCommand {
  static override summary = 'Release one address, several, a range, or all addresses of a handle.'
  static override description =
    'An address that an endpoint uses is released only with --force; the endpoint is not changed. With an address and --handle, the address is released only if it has that handle; with --handle alone, all addresses of the handle are released. ' +
    'With --range, the two arguments are the first and the last address; unassigned addresses are skipped. With --also and --range, the addresses of each block are released in one transaction, and the released addresses are printed. With --range, the default of --timeout is 60s.'
  static exitCodes = {8: 'An endpoint uses the address (--force overrides this), or the datastore is locked.'}
  static override usage = ['ipam release <IP> [--also=<IP>]... [--handle=<HANDLE>] [options]', 'ipam release --range <IP> <END> [options]', 'ipam release --handle=<HANDLE> [options]']
  static override examples = [
    '<%= config.bin %> ipam release 192.168.0.1',
    '<%= config.bin %> ipam release 192.168.0.1 --also 192.168.0.2 --also 192.168.0.9',
    '<%= config.bin %> ipam release --range 192.168.0.0 192.168.0.63',
    '<%= config.bin %> ipam release --handle vm-17',
  ]
  static override args = {ip: optionalAddressArgument('The address; with --range, the first one.'), end: optionalAddressArgument('With --range, the last address.')}
  static override flags = {
    ...ifExistsFlag,
    handle: handleFlag('Release only addresses with this handle.'),
    also: Flags.custom<Address>({parse: checked(readIp)})({multiple: true, description: 'Another address to release. Can be repeated.', helpValue: 'IP'}),
    force: Flags.boolean({description: 'Release the address even if an endpoint uses it.'}),
    range: Flags.boolean({description: 'Release all assigned addresses from IP to END, a range of at most 65536 addresses.'}),
  }

  async run(): Promise<void> {
    const {args: {ip, end: last}, flags: {handle, also = [], range, force}} = await this.read(IpamRelease, ({args, flags}) => {
      for (const problem of releaseProblems(args, flags)) this.problem(problem)
    })
    if (range) this.globals = {...this.globals, timeout: this.globals.timeout ?? RANGE_TIMEOUT_MS}
    const line = {ip, also, handle, last: range ? last : undefined}
    if (force) return this.release(line, true)
    await this.orInsist(() => this.release(line, false), () => this.release(line, true))
  }

  /** Does what the line says; where endpoints have some of the addresses, only if INSIST is given. */
  private async release({ip, also, handle, last}: Line, insist: boolean): Promise<void> {
    const session = await this.session()
    const onHeld = insist ? 'release' : 'refuse'
    if (ip === undefined) return this.releaseAll(handle ?? '', insist)
    const releases = [ip, ...also].map((address) => ({address, ...(handle === undefined ? {} : {handle})}))
    if (last !== undefined) {
      const {released, held} = await releaseRange(session, ip, last, onHeld)
      this.reportAll(released, [], held)
    } else if (also.length > 0) {
      const {released, unassigned, held} = await releaseMany(session, releases, onHeld)
      this.reportAll(released, unassigned, held)
    } else {
      const {released, held} = await releaseAddresses(session, releases, {onHeld})
      this.reportOne(ip, released, held)
    }
  }

  private reportOne(address: Address, released: readonly Address[], held: readonly Held[]): void {
    if (released.length > 0) this.noteChanged()
    if (this.dryRun) this.note(`${formatAddress(address)} ${released.length > 0 ? 'would be released' : 'is not assigned'}`)
    else if (released.length > 0) this.success('Address successfully released')
    else {
      // v0.20's line, and what it means.
      if (!this.isQuiet) this.data('Failed to release address')
      this.note(`${formatAddress(address)} was already free`)
    }
    this.reportHeld(held)
  }

  private async releaseAll(handle: string, insist: boolean): Promise<void> {
    const {released, held} = await this.ofHandle(handle, insist)
    if (released.length > 0) this.reportAll(released, [], held)
    else this.note(`Handle ${handle} has no addresses`)
  }

  private reportAll(released: readonly Address[], free: readonly Address[], held: readonly Held[]): void {
    if (released.length > 0) this.noteChanged()
    if (!this.isQuiet) this.data(released.map(formatAddress))
    for (const note of releasedNotes(released, free, {dryRun: this.dryRun})) this.note(note)
    this.reportHeld(held)
  }

  private reportHeld(held: readonly Held[]): void {
    for (const {address, by} of held) this.note(`Warning: ${by} still has ${formatAddress(address)}, which can now be assigned to others.`)
  }

  /** No such handle is as good as one without addresses. */
  private async ofHandle(handle: string, insist: boolean): ReturnType<typeof releaseByHandle> {
    try {
      return await releaseByHandle(await this.session(), handle, {insist})
    } catch (error) {
      if (isError(error, 'not-found')) return {released: [], held: []}
      throw error
    }
  }
}
