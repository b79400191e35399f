/** The fields of BGPFilter (more-kinds §1). What several fields must have in common is in validation/bgp-filter.ts. */
import {parseCidr} from '../../net/cidr.js'
import type {BGPFilterOperation, BGPFilterRule, BGPFilterSpec} from '../types.js'
import {always, between, type Codec, given, integer, list, type Rule, struct, text, word} from './codec.js'
import {every, network} from './rules.js'
import {asNumber} from './values.js'

const LEAST = Number.MIN_SAFE_INTEGER
const MOST = Number.MAX_SAFE_INTEGER
const PRIORITY = between(1, 2147483646)
const INTERFACE = /^[a-zA-Z0-9_.*-]{1,15}$/

const interfacePattern: Rule<string> = (value) =>
  INTERFACE.test(value) ? undefined : `must be at most 15 letters, digits, "_", "." and "-", "*" standing for any, not ${JSON.stringify(value)}`

/** `aa:nn` with 16 bits each, or `aa:nn:mm` with 32 bits each, without leading zeros. */
const community: Rule<string> = (value) => {
  const parts = value.split(':')
  const most = parts.length === 2 ? 65535 : 4294967295
  const valid = (parts.length === 2 || parts.length === 3) && parts.every((part) => /^(?:0|[1-9]\d{0,9})$/.test(part) && Number(part) <= most)
  return valid ? undefined : `must be a community such as "65000:100" or "65000:1:2", not ${JSON.stringify(value)}`
}

/** A network with its length, of one family, as the v4 or v6 lists want it; longer texts, mapped addresses and the like are refused. */
const networkOfFamily = (family: 4 | 6): Rule<string> => {
  const longest = family === 4 ? 18 : 43
  return (value) =>
    parseCidr(value)?.family === family && value.length <= longest && value.includes(':') === (family === 6) && !(family === 6 && value.includes('.'))
      ? undefined
      : `must be an IPv${family} CIDR with its prefix length, not ${JSON.stringify(value)}`
}

const operation: Codec<BGPFilterOperation> = struct<BGPFilterOperation>({
  addCommunity: given(struct<NonNullable<BGPFilterOperation['addCommunity']>>({value: given(text(), community)})),
  prependASPath: given(struct<NonNullable<BGPFilterOperation['prependASPath']>>({prefix: list(asNumber)})),
  setPriority: given(struct<NonNullable<BGPFilterOperation['setPriority']>>({value: given(integer(LEAST, MOST), PRIORITY)})),
})

function filterRule(family: 4 | 6): Codec<BGPFilterRule> {
  const length = given(integer(-(2 ** 31), 2 ** 31 - 1), between(0, family === 4 ? 32 : 128))
  return struct<BGPFilterRule>({
    cidr: text(every(networkOfFamily(family), network)),
    prefixLength: given(struct<NonNullable<BGPFilterRule['prefixLength']>>({min: length, max: length})),
    source: word('RemotePeers'),
    interface: text(interfacePattern),
    matchOperator: word('Equal', 'NotEqual', 'In', 'NotIn'),
    peerType: word('eBGP', 'iBGP'),
    communities: given(struct<NonNullable<BGPFilterRule['communities']>>({values: list(text(), community)})),
    asPathPrefix: list(asNumber),
    priority: given(integer(LEAST, MOST), PRIORITY),
    action: always(text()) as Codec<string> as Codec<BGPFilterRule['action']>,
    operations: list(operation),
  })
}

export function bgpFilter(): Codec<BGPFilterSpec> {
  const [v4, v6] = [list(filterRule(4)), list(filterRule(6))]
  return struct<BGPFilterSpec>({exportV4: v4, importV4: v4, exportV6: v6, importV6: v6})
}
