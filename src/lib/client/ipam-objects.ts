/** The objects of IPAM as they are stored, to be shown: blocks, affinities, handles and the configuration (datamodel-v3 §1.13–1.16). */
import type {KeyValue} from '../datastore/datastore.js'
import {tryParseJson} from '../json/index.js'
import {isObject} from '../json/is-object.js'
import {BLOCKS_PREFIX, affinityKey, blockKey, handleKey, HANDLES_PREFIX, IPAM_CONFIG_KEY, IPAM_PREFIX, parseKey} from '../model/keys.js'
import {parseCidr} from '../net/index.js'
import {read} from './resources.js'
import type {Session} from './session.js'

export type IpamKind = 'block' | 'affinity' | 'handle' | 'ipamconfig'

export interface IpamObject {
  readonly kv: KeyValue
  /** The name by which it is found: a CIDR, `node/CIDR` (`virtual:owner/CIDR`), a handle's id, `default`. */
  readonly name: string
  /** What is stored, 64-bit numbers exact. */
  readonly value: Readonly<Record<string, unknown>>
}

interface IpamKindInfo {
  /** The kind in documents. */
  readonly kind: 'IPAMBlock' | 'BlockAffinity' | 'IPAMHandle' | 'IPAMConfig'
  /** What to call it on a command line, besides its own name. */
  readonly aliases: readonly string[]
  /** Where such objects lie. */
  readonly prefixes: readonly string[]
  /** The name of the object with KEY; undefined if that is no object of this kind. */
  readonly nameOf: (key: string) => string | undefined
  /** The key of the object NAME; undefined if no object can be called so. */
  readonly keyOf: (name: string) => string | undefined
}

export const IPAM_KINDS: Readonly<Record<IpamKind, IpamKindInfo>> = {
  block: {
    kind: 'IPAMBlock',
    aliases: ['blocks', 'ipamblock', 'ipamblocks'],
    prefixes: [BLOCKS_PREFIX],
    nameOf(key) {
      const parsed = parseKey(key)
      return parsed?.type === 'block' ? parsed.cidr : undefined
    },
    keyOf(name) {
      const cidr = parseCidr(name)
      return cidr && blockKey(cidr)
    },
  },
  affinity: {
    kind: 'BlockAffinity',
    aliases: ['affinities', 'blockaffinity', 'blockaffinities'],
    prefixes: [`${IPAM_PREFIX}host/`, `${IPAM_PREFIX}virtual/`],
    nameOf(key) {
      const parsed = parseKey(key)
      return parsed?.type === 'affinity' ? `${parsed.affinityType === 'virtual' ? 'virtual:' : ''}${parsed.host}/${parsed.cidr}` : undefined
    },
    keyOf(name) {
      const slash = name.indexOf('/')
      const [, type, host = ''] = /^(virtual:)?(.+)$/.exec(name.slice(0, Math.max(slash, 0))) ?? []
      const cidr = parseCidr(name.slice(slash + 1))
      return cidr && host !== '' ? affinityKey(host, cidr, type === undefined ? 'host' : 'virtual') : undefined
    },
  },
  handle: {
    kind: 'IPAMHandle',
    aliases: ['handles', 'ipamhandle', 'ipamhandles'],
    prefixes: [HANDLES_PREFIX],
    nameOf: (key) => key.slice(HANDLES_PREFIX.length),
    keyOf: (name) => (name === '' ? undefined : handleKey(name)),
  },
  ipamconfig: {
    kind: 'IPAMConfig',
    aliases: ['ipamconfigs', 'ipamconfiguration', 'ipamconfigurations'],
    prefixes: [IPAM_CONFIG_KEY],
    nameOf: (key) => (key === IPAM_CONFIG_KEY ? 'default' : undefined),
    keyOf: (name) => (name === 'default' ? IPAM_CONFIG_KEY : undefined),
  },
}

/** All objects of KIND in key order, page by page. Keys and values that cannot be read are reported and skipped. */
export async function* listIpamObjects(session: Session, kind: IpamKind): AsyncGenerator<IpamObject> {
  await read(session, [])
  for (const prefix of IPAM_KINDS[kind].prefixes) {
    for await (const page of session.store.list(prefix)) {
      for (const kv of page.entries) {
        const object = understand(session, kind, kv)
        if (object) yield object
      }
    }
  }
}

/** The object of KIND that is called NAME, undefined if there is none or it cannot be read (which is reported). */
export async function getIpamObject(session: Session, kind: IpamKind, name: string): Promise<IpamObject | undefined> {
  const key = IPAM_KINDS[kind].keyOf(name)
  const {results} = await read(session, key === undefined ? [] : [{get: key}])
  const kv = results[0]?.[0]
  return kv && understand(session, kind, kv)
}

function understand(session: Session, kind: IpamKind, kv: KeyValue): IpamObject | undefined {
  const name = IPAM_KINDS[kind].nameOf(kv.key)
  // An affinity without a value is an old one, and confirmed.
  const parsed = kv.value === '' ? {value: {}} : tryParseJson(kv.value)
  if (name !== undefined && 'value' in parsed && isObject(parsed.value)) return {kv, name, value: parsed.value}
  session.warn(`The stored value of ${kv.key} cannot be read. It is ignored.`)
  return undefined
}
