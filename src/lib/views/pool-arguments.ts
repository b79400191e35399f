/** The arguments and options of the pool commands, with v0.20's checks (cli-v0.20 §1.10, §4.6). */
import {Args, Flags} from '@oclif/core'
import {optionProblems, type PoolOptions, problemsOfLine, rangeProblem} from '../client/pools.js'
import {CalicoError} from '../errors.js'
import {type Address, ADDRESS_BITS, type Cidr, coverRange, formatCidr} from '../net/index.js'
import {readAddress, readCidr, wasRead} from '../cli/arguments.js'
import {checked} from '../cli/base-command.js'
import {readDuration} from '../cli/duration.js'

export const cidrsArgument = () =>
  Args.custom<Cidr>({parse: checked(readCidr)})({required: true, multiple: true, ignoreStdin: true, description: 'The pools, as CIDRs such as 192.168.0.0/16. Host bits are ignored.'})

export const cidrArgument = (description: string) => Args.custom<Cidr>({parse: checked(readCidr)})({required: true, ignoreStdin: true, description: `${description} Host bits are ignored.`})

/** Waiting until no one has an address of the pool. */
export const drainFlags = {
  drain: Flags.boolean({description: 'Disable the pool, wait until none of its addresses is in use, then remove it.'}),
  wait: Flags.custom<number>({parse: checked(readDuration('--wait', {zero: true, most: 480}))})({description: 'How long --drain waits (30s, 10m, 2h). Default: 10m.', helpValue: 'TIME'}),
}

/** What is wrong with these options together. */
export const drainProblems = ({drain, wait, force}: {readonly drain: boolean; readonly wait?: number | undefined; readonly force: boolean}): string[] => [
  ...(drain && force ? ['--drain and --force cannot be combined.'] : []),
  ...(wait !== undefined && !drain ? ['--wait requires --drain.'] : []),
]

export const rangeArgument = (which: 'first' | 'last') =>
  Args.custom<Address>({parse: checked(readAddress)})({required: true, ignoreStdin: true, description: `The ${which} address of the range.`})

/** Says that the words of a line are the first and the last address of a range. */
export const rangeFlag = (description: string) => Flags.boolean({description})

/** What is wrong with WORDS as the START and END of --range; a wrong one is still its text. */
export function rangeWordProblems(words: readonly Cidr[]): string[] {
  const read = words.filter(wasRead)
  const networks = read.filter(({family, prefix}) => prefix !== ADDRESS_BITS[family])
  if (words.length !== 2) return [`--range requires two addresses, START and END, not ${words.length === 1 ? 'one' : words.length}.`]
  if (networks.length > 0) return networks.map((cidr) => `--range: ${formatCidr(cidr)} is not an address: give START and END.`)
  const [first, last] = read
  return first && last ? sentences(rangeProblem(first, last)) : []
}

const sentences = (problem: string | undefined): string[] => (problem === undefined ? [] : [problem])

/** The pools that `pool range add` makes of WORDS, START and END. */
export function poolsOfRange(words: readonly Cidr[]): readonly Cidr[] {
  const [first, last] = words
  return first && last ? coverRange(first, last) : []
}

function readBlockSize(text: string): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : NaN
  if (Number.isNaN(number)) throw new CalicoError('invalid', `--block-size: '${text}' is not a prefix length: 20 to 32 for IPv4, 116 to 128 for IPv6.`)
  return number
}

/** What a pool is to be like; of an existing one, what is to be changed. */
export const poolFlags = {
  ipip: Flags.boolean({description: 'Encapsulate traffic between the hosts of the pool in IP-in-IP.'}),
  'nat-outgoing': Flags.boolean({description: 'Masquerade traffic from the pool to addresses outside all pools.'}),
  'block-size': Flags.custom<number>({parse: checked(readBlockSize)})({
    description: 'The prefix length of the blocks of a new pool: 20 to 32 for IPv4 (default: 26), 116 to 128 for IPv6 (default: 122). A pool must be at least one block.',
    helpValue: 'LENGTH',
  }),
}

/** What the line names; of a switch that is not given nothing is said, and a number that could not be read is still its text. */
export const chosenOptions = (flags: {readonly ipip: boolean; readonly 'nat-outgoing': boolean; readonly 'block-size'?: number | undefined}): PoolOptions => ({
  ...(flags.ipip ? {ipip: true} : {}),
  ...(flags['nat-outgoing'] ? {natOutgoing: true} : {}),
  ...(typeof flags['block-size'] === 'number' ? {blockSize: flags['block-size']} : {}),
})

export const poolSetFlags = {
  'nat-outgoing': Flags.boolean({description: poolFlags['nat-outgoing'].description ?? ''}),
  'no-nat-outgoing': Flags.boolean({description: 'Do not masquerade that traffic.'}),
  ipip: Flags.boolean({description: poolFlags.ipip.description ?? ''}),
  'no-ipip': Flags.boolean({description: 'Do not encapsulate that traffic.'}),
  disabled: Flags.boolean({description: 'Assign no new addresses from the pool; assigned addresses are kept.'}),
  enabled: Flags.boolean({description: 'Assign addresses from the pool.'}),
}

type SetFlags = Readonly<Record<keyof typeof poolSetFlags, boolean>>

const PAIRS = [['nat-outgoing', 'no-nat-outgoing', 'natOutgoing'], ['ipip', 'no-ipip', 'ipip'], ['disabled', 'enabled', 'disabled']] as const

/** What a line of `pool set` names. */
export const chosenChanges = (flags: SetFlags): PoolOptions => Object.fromEntries(PAIRS.flatMap(([on, off, name]) => (flags[on] ? [[name, true]] : flags[off] ? [[name, false]] : [])))

/** What is wrong with a line of `pool set` for CIDRS, of which some may not have been read. */
export function problemsOfChange(cidrs: readonly Cidr[], flags: SetFlags): string[] {
  const both = PAIRS.filter(([on, off]) => flags[on] && flags[off]).map(([on, off]) => `--${on} and --${off} cannot be combined.`)
  const none = PAIRS.every(([on, off]) => !flags[on] && !flags[off]) ? [`Nothing to change: give ${PAIRS.map(([on, off]) => `--${on} or --${off}`).join(', ')}.`] : []
  return [...both, ...none, ...optionProblems(cidrs.filter(wasRead), chosenChanges(flags))]
}

/** The further problems of a line that adds CIDRS, of which some may not have been read. */
export function problemsOfCidrs(cidrs: readonly Cidr[], options: PoolOptions): string[] {
  const readable = cidrs.filter(wasRead)
  return problemsOfLine(readable, options, {othersFound: readable.length < cidrs.length})
}
