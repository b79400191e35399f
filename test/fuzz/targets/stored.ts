/** What is in the datastore. */
import {parseStored} from '../../../src/lib/client/resources.js'
import {parseAffinity} from '../../../src/lib/ipam/affinity.js'
import {assignedIn, countByHandle, encodeBlock, parseBlock} from '../../../src/lib/ipam/block.js'
import {parseConfig} from '../../../src/lib/ipam/config.js'
import {parseHandle} from '../../../src/lib/ipam/handle.js'
import {stringifyJson} from '../../../src/lib/json/json.js'
import {createLint} from '../../../src/lib/lint/lint.js'
import {accept} from '../../../src/lib/model/accept.js'
import {hazardsOfText} from '../../../src/lib/model/hazards.js'
import {parseKey} from '../../../src/lib/model/keys.js'
import {KINDS} from '../../../src/lib/model/kinds.js'
import type {KindName} from '../../../src/lib/model/resource.js'
import {formatAddress} from '../../../src/lib/net/index.js'
import {loadWorld} from '../../../src/lib/policy/load.js'
import {policyMatrix} from '../../../src/lib/policy/matrix.js'
import type {Target} from '../engine.js'
import {golden, some, texts, promise, text, json, unlessRefused, entriesOf, V3_WORDS} from './inputs.js'

const STORED_KINDS = Object.keys(KINDS) as KindName[]

export const STORED: readonly Target[] = [
  {
    name: 'stored-values',
    seeds: () => [...some(texts(golden('resources.jsonl').map(({value}) => value)), 150), ...some(texts(golden('validation.jsonl').map(({stored}) => stored)), 150)],
    dictionary: V3_WORDS,
    run(input) {
      const value = text(input)
      const kind = /"kind":\s*"(\w{1,40})"/.exec(value)?.[1] ?? ''
      const kinds = STORED_KINDS.includes(kind as KindName) ? [kind as KindName] : (['Profile', 'WorkloadEndpoint', 'IPPool'] as const)
      for (const each of kinds) {
        hazardsOfText(each, value)
        const stored = unlessRefused(() => parseStored(each, {key: `/calico/resources/v3/projectcalico.org/x/${value.length}`, value, version: 1n, createRevision: 1n, modRevision: 1n}))
        if (stored) stringifyJson(stored.resource)
        const document = json(input)
        if (document) for (const operation of ['create', 'update'] as const) accept(each, document.value, {operation})
      }
    },
  },
  {
    name: 'ipam-values',
    seeds: () =>
      some(golden('ipam-traces.jsonl').flatMap(({steps}) => (steps as {changed?: Record<string, unknown>}[]).flatMap(({changed = {}}) => texts(Object.values(changed)))), 200),
    dictionary: ['"cidr"', '"allocations"', '"unallocated"', '"attributes"', '"affinity"', 'host:', '"handle_id"', '"sequenceNumberForAllocation"', '"block"', '"deleted"', 'confirmed'],
    run(input) {
      const stored = {key: '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26', value: text(input)}
      const block = unlessRefused(() => parseBlock(stored))
      if (block) {
        for (const {address} of assignedIn(block)) formatAddress(address)
        countByHandle(block)
        promise(unlessRefused(() => parseBlock({...stored, value: encodeBlock(block)})) !== undefined, 'a block that was read is not read back')
      }
      for (const parse of [parseHandle, parseAffinity, parseConfig]) unlessRefused(() => parse(stored))
    },
  },
  {
    name: 'keys',
    seeds: () => ['/calico/resources/v3/projectcalico.org/profiles/web', '/calico/resources/v3/projectcalico.org/workloadendpoints/default/h1-docker-a-eth0', '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26', '/calico/ipam/v2/host/h1/ipv6/block/fd00::-122', '/calico/ipam/v2/handle/x', '/calico/ipam/v2/config'],
    dictionary: ['/', '-', '..', 'ipv4', 'ipv6', 'block', 'default'],
    run: (input) => parseKey(text(input)),
  },
  {
    name: 'policy-stores',
    seeds: () => [...some(golden('policy.jsonl'), 25).map(({objects}) => JSON.stringify(objects)), ...some(golden('felix-defects.jsonl').filter(({writes}) => writes !== undefined), 80).map(({writes}) => JSON.stringify(writes))],
    dictionary: V3_WORDS,
    run(input) {
      const entries = entriesOf(input)
      const lint = createLint()
      for (const {key, value} of entries) lint.add(key, value)
      lint.finish()
      const world = loadWorld(entries)
      if (world.workloads.size < 20) unlessRefused(() => policyMatrix(world))
    },
  },
]
