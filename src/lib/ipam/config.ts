/** IPAM's configuration (datamodel-v3 §1.13, §4.10). */
import {CalicoError} from '../errors.js'
import {stringifyJson} from '../json/json.js'
import {parseObject, type StoredText, unreadable} from './stored.js'

/** As it is stored: an absent flag is false. Fields that a newer Calico adds are carried along. */
export interface IpamConfig {
  /** Hosts take addresses from their own blocks only. */
  readonly strict_affinity?: boolean
  /** Hosts may claim further blocks. */
  readonly auto_allocate_blocks?: boolean
  /** Blocks per host and family; absent or 0 = Calico's own limit. */
  readonly maxBlocksPerHost?: number
  readonly [field: string]: unknown
}

/** What holds, and what Calico's client writes down, where nothing is stored. */
export const DEFAULT_CONFIG: IpamConfig = {auto_allocate_blocks: true, kubeVirtVMAddressPersistence: 'Enabled'}

/** Blocks that a host may own of one family where no limit is set: a guard against runaway claims. */
export const DEFAULT_MAX_BLOCKS = 20

/** @throws CalicoError `invalid` for a value that is no configuration */
export function parseConfig(stored: StoredText): IpamConfig {
  const value = parseObject(stored)
  for (const field of ['strict_affinity', 'auto_allocate_blocks']) {
    if (value[field] !== undefined && typeof value[field] !== 'boolean') throw unreadable(stored, `${field} is neither true nor false`)
  }
  if (value.maxBlocksPerHost !== undefined && !Number.isSafeInteger(value.maxBlocksPerHost)) throw unreadable(stored, 'maxBlocksPerHost is not a number')
  return value
}

export const encodeConfig = (config: IpamConfig): string => stringifyJson(config)

/** Fields to change; undefined = as they are. */
export interface ConfigChange {
  readonly strictAffinity?: boolean | undefined
  readonly autoAllocateBlocks?: boolean | undefined
  readonly maxBlocksPerHost?: number | undefined
}

/**
 * CONFIG with CHANGE; the same object if that says nothing new. What else is stored stays.
 * @throws CalicoError `invalid` for a combination that Calico refuses
 */
export function changedConfig(config: IpamConfig, {strictAffinity, autoAllocateBlocks, maxBlocksPerHost}: ConfigChange): IpamConfig {
  const strict = strictAffinity ?? config.strict_affinity ?? false
  const allocate = autoAllocateBlocks ?? config.auto_allocate_blocks ?? false
  const limit = maxBlocksPerHost ?? config.maxBlocksPerHost ?? 0
  if (strict === (config.strict_affinity ?? false) && allocate === (config.auto_allocate_blocks ?? false) && limit === (config.maxBlocksPerHost ?? 0)) return config
  if (!strict && !allocate) throw new CalicoError('invalid', 'Strict affinity and automatic allocation of blocks cannot both be off: hosts could get no addresses')
  if (limit > 0 && !strict) {
    throw new CalicoError('invalid', `A limit on blocks per host (${limit}) requires strict affinity`, {hint: `To set both: calicoctl ipam configure --strict-affinity=true --max-blocks-per-host=${limit}. To remove the limit: calicoctl ipam configure --max-blocks-per-host=0`})
  }
  const {strict_affinity: _, auto_allocate_blocks: __, maxBlocksPerHost: ___, ...rest} = config
  return {
    ...(strict ? {strict_affinity: true} : {}),
    ...(allocate ? {auto_allocate_blocks: true} : {}),
    ...(limit > 0 ? {maxBlocksPerHost: limit} : {}),
    ...rest,
  }
}
