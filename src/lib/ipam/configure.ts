/** Reading and changing IPAM's configuration in the store (libcalico-go's GetIPAMConfig and SetIPAMConfig, datamodel-v3 §4.10). */
import {commit} from '../client/commit.js'
import {read} from '../client/resources.js'
import type {Session} from '../client/session.js'
import {IPAM_CONFIG_KEY} from '../model/keys.js'
import {changedConfig, type ConfigChange, DEFAULT_CONFIG, encodeConfig, type IpamConfig, parseConfig} from './config.js'

/** What holds. Unlike Calico's client, reading it writes nothing (decisions.md 28). */
export async function getIpamConfig(session: Session): Promise<IpamConfig> {
  const {results} = await read(session, [{get: IPAM_CONFIG_KEY}])
  const kv = results[0]?.[0]
  return kv ? parseConfig(kv) : DEFAULT_CONFIG
}

export interface ConfigEdit {
  /** What held before; stored or not. */
  readonly before: IpamConfig
  readonly after: IpamConfig
  readonly changed: boolean
}

/**
 * Makes CHANGE hold; what else is stored stays.
 * @throws CalicoError `invalid` for a combination that Calico refuses, or a stored value that cannot be read
 */
export async function setIpamConfig(session: Session, change: ConfigChange): Promise<ConfigEdit> {
  const {outcome} = await commit(session, [{get: IPAM_CONFIG_KEY}], ({results}) => {
    const kv = results[0]?.[0]
    const before = kv ? parseConfig(kv) : DEFAULT_CONFIG
    const after = changedConfig(before, change)
    const changed = after !== before
    return {
      writes: changed ? [{key: IPAM_CONFIG_KEY, read: kv, value: encodeConfig(after)}] : [],
      what: 'the change of the IPAM configuration',
      outcome: {before, after, changed},
    }
  })
  return outcome
}
