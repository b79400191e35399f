/** Every reader of what others wrote, and where its inputs come from. */
import {readdirSync, readFileSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {backupParts} from '../../src/lib/backup/format.js'
import {quoteWord, readLines} from '../../src/lib/batch/lines.js'
import {bgpPeers} from '../../src/lib/bird/peers.js'
import {readProtocols} from '../../src/lib/bird/protocols.js'
import {readReply} from '../../src/lib/bird/reply.js'
import {parseStored} from '../../src/lib/client/resources.js'
import {pullMessage, pullReader} from '../../src/lib/docker/images.js'
import {framedLines} from '../../src/lib/docker/lifecycle.js'
import {lineSplitter} from '../../src/lib/docker/lines.js'
import {DATA, END_HEADERS, END_STREAM, frame, GOAWAY, HEADERS, numbers, PING, RST_STREAM, settings, WINDOW_UPDATE} from '../../src/lib/datastore/etcd/unary/frames.js'
import {encodeFields} from '../../src/lib/datastore/etcd/unary/hpack.js'
import {failureOf} from '../../src/lib/datastore/etcd/unary/status.js'
import {CalicoError} from '../../src/lib/errors.js'
import {convertStore} from '../../src/lib/import-v1/convert.js'
import {readDump} from '../../src/lib/import-v1/old-store.js'
import {parseAffinity} from '../../src/lib/ipam/affinity.js'
import {assignedIn, countByHandle, encodeBlock, parseBlock} from '../../src/lib/ipam/block.js'
import {parseConfig} from '../../src/lib/ipam/config.js'
import {parseHandle} from '../../src/lib/ipam/handle.js'
import {netChanges, parseJournal} from '../../src/lib/journal/read.js'
import {stringifyJson, tryParseJson} from '../../src/lib/json/json.js'
import {stringifyYaml} from '../../src/lib/json/yaml.js'
import {ignoredOptions, readNetworkOptions} from '../../src/lib/libnetwork/options.js'
import {BadRequest, createEndpoint, createNetwork, joinEndpoint, ofEndpoint, ofNetwork, readRequest as readDriverRequest, releaseAddress, releasePool, requestAddress, requestPool} from '../../src/lib/libnetwork/protocol.js'
import {createLint} from '../../src/lib/lint/lint.js'
import {environmentOf, readVariables, setVariable, unfinishedLine} from '../../src/lib/mesos/agent/environment-file.js'
import {readSources} from '../../src/lib/mesos/agent/mesos-dns.js'
import {readModules, withNetModules} from '../../src/lib/mesos/agent/modules-file.js'
import {readRequest as readPluginRequest} from '../../src/lib/mesos/plugin/request.js'
import {accept} from '../../src/lib/model/accept.js'
import {hazardsOfText} from '../../src/lib/model/hazards.js'
import {parseKey} from '../../src/lib/model/keys.js'
import {KINDS} from '../../src/lib/model/kinds.js'
import {convertName, isResourceName, nodeName, pluginTag, tagProblem} from '../../src/lib/model/names.js'
import {canonical} from '../../src/lib/model/selector/canonical.js'
import {evaluate} from '../../src/lib/model/selector/evaluate.js'
import {tryParseSelector} from '../../src/lib/model/selector/parse.js'
import type {KindName} from '../../src/lib/model/resource.js'
import {coverRange, formatAddress, formatCidr, parseAddress, parseAsNumber, parseCidr, parseTypedAddress, parseTypedCidr} from '../../src/lib/net/index.js'
import {loadWorld} from '../../src/lib/policy/load.js'
import {policyMatrix} from '../../src/lib/policy/matrix.js'
import {escapeText} from '../../src/lib/printable.js'
import {parseFile} from '../../src/lib/resource-files/documents.js'
import {objectsOf} from '../../src/lib/resource-files/objects.js'
import {readPatch} from '../../src/lib/resource-files/patches.js'
import {readPlan} from '../../src/lib/resource-files/plan.js'
import {ruleText} from '../../src/lib/rules/show.js'
import {readRulesDocument, rulesDocument} from '../../src/lib/rules/v020-json.js'
import {readRuleWords} from '../../src/lib/rules/words.js'
import {parseConfigFile} from '../../src/lib/settings/config-file.js'
import {parseEndpoints} from '../../src/lib/settings/endpoints.js'
import {environmentSource} from '../../src/lib/settings/environment.js'
import {scripted} from '../support/scripted-session.js'
import {CASES, dumpOf, oldBlock, oldEndpoint, type OldKeys, oldNode} from '../support/v020-store.js'
import type {Target} from './engine.js'

const FIXTURES = resolve(process.env.FUZZ_ROOT ?? '.', 'test/fixtures')

/** The lines of a golden file. */
const golden = (name: string): Record<string, unknown>[] =>
  readFileSync(join(FIXTURES, 'golden', name), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)

/** COUNT of ITEMS, evenly. */
const some = <T>(items: readonly T[], count: number): T[] => items.filter((_, at) => at % Math.max(1, Math.ceil(items.length / count)) === 0)

const texts = (values: readonly unknown[]): string[] => [...new Set(values.filter((value): value is string => typeof value === 'string'))]

const filesOf = (folder: string): Buffer[] => readdirSync(join(FIXTURES, 'golden', folder)).filter((name) => /\.(txt|json)$/.test(name)).map((name) => readFileSync(join(FIXTURES, 'golden', folder, name)))

/** @throws Error saying that a promise was broken, unless it HOLDS */
function promise(holds: boolean, text: string): void {
  if (!holds) throw new Error(text)
}

const text = (input: Buffer): string => input.toString('utf8')

/** INPUT as JSON, if it is. */
const json = (input: Buffer): {readonly value: unknown} | undefined => {
  const read = tryParseJson(text(input))
  return read.error ? undefined : read
}

/** Does WORK; what it refuses is undefined. */
function unlessRefused<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof CalicoError) return undefined
    throw error
  }
}

const STORED_KINDS = Object.keys(KINDS) as KindName[]

/** A store as JSON, `{key: value}`: what is stored of it. */
function entriesOf(input: Buffer): {key: string; value: string}[] {
  const value = json(input)?.value
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, stored]) => (typeof stored === 'string' ? [{key, value: stored}] : []))
}

const V3_WORDS = ['"spec"', '"metadata"', 'projectcalico.org/v3', 'all()', 'has(', 'global()', 'Allow', 'Deny', 'Pass', 'Log', 'ingress', 'egress', 'selector', 'nets', 'ports', '1:65535', 'ICMP', 'TCP', 'IPv4', 'IPv6', '/calico/resources/v3/projectcalico.org/', 'calicoctl/name']
const REQUEST_SCHEMAS = [requestPool, releasePool, requestAddress, releaseAddress, createNetwork, ofNetwork, createEndpoint, ofEndpoint, joinEndpoint]
const ID = 'ab12'.repeat(16)

/** What a server may answer to the first call of a connection by HTTP/2. */
const ANSWERS = [
  [frame(HEADERS, END_HEADERS, 1, encodeFields({':status': '200', 'content-type': 'application/grpc'})), frame(DATA, 0, 1, Buffer.alloc(20)), frame(HEADERS, END_HEADERS | END_STREAM, 1, encodeFields({'grpc-status': '0'}))],
  [frame(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.from('8861 96d07abe941054d444a820 58 05 61616161 be'.replaceAll(' ', ''), 'hex'))],
  [frame(WINDOW_UPDATE, 0, 0, numbers(70_000)), frame(WINDOW_UPDATE, 0, 1, numbers(70_000)), frame(PING, 0, 0, Buffer.alloc(8)), frame(RST_STREAM, 0, 1, numbers(7))],
  [frame(GOAWAY, 0, 0, numbers(0, 0))],
].map((frames) => Buffer.concat([settings([[3, 1], [4, 100]]), ...frames]))

export const TARGETS: readonly Target[] = [
  {
    name: 'bird',
    seeds: () => filesOf('bird'),
    dictionary: ['0001 ', '1002-', '2002-', '0000 ', '0013 ', '8001 ', '9001 ', 'BIRD 1.6.8 ready.', 'Mesh_', 'Global_', 'Node_', '_port_', 'BGP', 'up', 'start', 'Established', 'Passive', '+', ' '],
    run(input) {
      const reply = readReply(text(input))
      const protocols = unlessRefused(() => readProtocols(reply))
      for (const family of [4, 6] as const) bgpPeers(protocols ?? [], family)
    },
  },
  {
    name: 'engine-streams',
    seeds: () => [...filesOf('docker'), Buffer.from([1, 0, 0, 0, 0, 0, 0, 3, 97, 98, 10, 2, 0, 0, 0, 0, 0, 0, 1, 99])],
    dictionary: ['\u0001\0\0\0\0\0\0\u0005', '\u0002\0\0\0', '\u00ff\u00ff\u00ff\u00ff', '\r', '\n', '{"status":"Downloading","progressDetail":{"current":1,"total":2},"id":"a"}', '{"errorDetail":{"message":"x"},"error":"x"}', 'null', '{"status":7,"id":7}'],
    run(input) {
      for (const line of framedLines(input)) promise(!line.includes('\n'), 'a line has a line feed in it')
      const reader = pullReader()
      const splitter = lineSplitter((line) => void reader.read(pullMessage(line)))
      splitter.push(input.subarray(0, input.length >> 1))
      splitter.push(input.subarray(input.length >> 1))
      splitter.end()
    },
  },
  {
    name: 'http2',
    seeds: () => ANSWERS,
    dictionary: ['\0\0\u0008\u0007\0\0\0\0\0\0\0\0\u0001', '\0\0\u0004\u0003\0\0\0\0\u0001\0\0\0\u0007', '\0\0\u0001\u0001\u0005\0\0\0\u0001\u0088', '\0\0\0\0\u0001\0\0\0\u0001', '\u007f\u00ff', 'grpc-status', ':status'],
    run(input) {
      const {session, comes} = scripted()
      const ends: unknown[] = []
      const cancel = session.begin({':method': 'POST', ':path': '/x'}, Buffer.alloc(100_000), (end, received) => ends.push(failureOf(end), received))
      comes(input.subarray(0, input.length >> 1))
      comes(input.subarray(input.length >> 1))
      promise(ends.length <= 2, 'a call has ended twice')
      promise(session.usable() || session.reason() === undefined || ends.length === 2, 'a call is left on a connection that is lost')
      cancel()
      session.retire()
    },
  },
  {
    name: 'driver-requests',
    seeds: () => [
      {NetworkID: ID, Options: {'com.docker.network.enable_ipv6': false, 'com.docker.network.generic': {profile: 'web', ipip: 'true'}}, IPv4Data: [{AddressSpace: 'x', Gateway: '0.0.0.0/0', Pool: '0.0.0.0/0'}], IPv6Data: []},
      {NetworkID: ID, EndpointID: ID, Interface: {Address: '192.168.0.1/32', AddressIPv6: '', MacAddress: ''}, Options: {'com.docker.network.portmap': []}},
      {NetworkID: ID, EndpointID: ID, SandboxKey: '/var/run/docker/netns/c1', Options: {}},
      {PoolID: '192.168.0.0/16', Address: '192.168.0.77', Options: {RequestAddressType: 'com.docker.network.gateway'}},
      {AddressSpace: 'CalicoGlobalAddressSpace', Pool: '', SubPool: '', Options: null, V6: false},
    ].map((request) => JSON.stringify(request)),
    dictionary: ['com.docker.network.generic', 'com.docker.network.internal', 'nat-outgoing', 'ipip', 'profile', 'labels', 'com.docker.network.driver.mtu', 'IPv4Data', 'Gateway', 'Options'],
    run(input) {
      const body = json(input)?.value
      for (const schema of REQUEST_SCHEMAS) {
        try {
          const {Options: options} = readDriverRequest<{Options?: Readonly<Record<string, unknown>> | null}>(schema as never, body)
          readNetworkOptions(options ?? null)
          for (const fromCalico of [true, false]) ignoredOptions(options ?? null, {fromCalico})
        } catch (error) {
          if (!(error instanceof BadRequest || error instanceof CalicoError)) throw error
        }
      }
    },
  },
  {
    name: 'mesos-stdin',
    seeds: () => [
      {command: 'allocate', args: {hostname: 'a', num_ipv4: 1, num_ipv6: 0, uid: 'u', netgroups: ['g'], labels: {labels: [{key: 'ipv4_addrs', value: '["192.168.0.77"]'}]}}},
      {command: 'reserve', args: {hostname: 'a', ipv4_addrs: ['192.168.0.77'], ipv6_addrs: [], uid: 'u'}},
      {command: 'isolate', args: {container_id: 'c', hostname: 'a', pid: 77, ipv4_addrs: ['192.168.0.77'], netgroups: ['public']}},
      {command: 'release', args: {ips: ['192.168.0.77']}},
      {command: 'cleanup', args: {container_id: 'c', hostname: 'a'}},
    ].map((request) => JSON.stringify(request)),
    dictionary: ['command', 'args', 'labels', 'ipv4_addrs', 'num_ipv4', 'netgroups', 'pid', 'uid', 'ips', '["1.2.3.4"]'],
    run: (input) => readPluginRequest(text(input)),
  },
  {
    name: 'selectors',
    seeds: () => some(texts(golden('selectors.jsonl').map(({selector}) => selector)), 300),
    dictionary: ['all()', 'global()', 'has(', ')', '(', '&&', '||', '!', '==', '!=', 'in', 'not in', 'contains', 'starts with', 'ends with', '{', '}', "'a'", '"b"', ' '],
    run(input) {
      const {selector} = tryParseSelector(text(input))
      if (!selector) return
      evaluate(selector, {a: 'b', role: 'db'})
      const spelled = canonical(selector)
      promise(tryParseSelector(spelled).selector !== undefined, `its canonical form is no selector: ${spelled.slice(0, 200)}`)
    },
  },
  {
    name: 'rules',
    seeds: () => [
      'allow', 'deny from', 'allow tcp from ports 1024:65535 tag web cidr 10.0.0.0/8 to ports 80,443 tag db cidr 10.1.2.3', 'allow icmp type 8 code 0 from tag web', 'deny icmpv6 type 128 from cidr fd00::/8',
      'allow protocol sctp to ports 1', 'allow not protocol 47', "allow from selector \"role == 'db'\" to not tag x", 'allow protocol 6 from not cidr 10.0.0.0/8 to not ports 1:2',
    ].map((line) => line.replaceAll(' ', '\n')),
    dictionary: ['allow', 'deny', 'tcp', 'udp', 'icmp', 'icmpv6', 'type', 'code', 'from', 'to', 'ports', 'tag', 'cidr', 'not', 'selector', 'protocol', '80,443', '1:2', '10.0.0.0/8', 'fd00::/8', '\n'],
    run(input) {
      const read = unlessRefused(() => readRuleWords(text(input).split('\n')))
      if (read?.ok) promise(!/[\n\u001b]/.test(escapeText(ruleText(read.rule))), 'what is shown of a rule steers a terminal')
    },
  },
  {
    name: 'rules-json',
    seeds: () => [...CASES.flatMap(({keys}) => Object.entries(keys).filter(([key]) => key.endsWith('/rules')).map(([, value]) => value)), '{"id":"p","inbound_rules":[{"v3":{"action":"Allow","protocol":"TCP"}}],"outbound_rules":[{"action":"deny","!protocol":"tcp","src_selector":"has(a)"}]}'],
    dictionary: ['inbound_rules', 'outbound_rules', 'action', 'next-tier', 'log', 'src_tag', '!src_net', 'dst_ports', 'icmp_type', 'v3', 'protocol'],
    run(input) {
      const document = json(input)
      const read = document && readRulesDocument(document.value, 'p', () => undefined)
      if (read?.ok) stringifyJson(rulesDocument('p', read.rules))
    },
  },
  {
    name: 'addresses',
    seeds: () => ['10.0.0.0/8', '192.168.0.1', 'fd80:24e2:f998:72d6::/64', '::ffff:1.2.3.4', '1.2.3.4/255.255.0.0', '10.0.0.0 10.0.3.255', '64512', '1.10', '+5', '0x10', '10.1', '2001:0db8::1/128'],
    dictionary: ['.', ':', '::', '/', '255', '0', '010', 'ffff', '%', ' '],
    run(input) {
      const words = text(input).split(/[ \n]/)
      for (const word of words) {
        unlessRefused(() => parseTypedAddress(word))
        unlessRefused(() => parseTypedCidr(word))
        parseAsNumber(word)
        const [address, cidr] = [parseAddress(word), parseCidr(word)]
        if (address) promise(formatAddress(parseAddress(formatAddress(address)) ?? address) === formatAddress(address), `${formatAddress(address)} is not read back`)
        if (cidr) promise(parseCidr(formatCidr(cidr)) !== undefined, `${formatCidr(cidr)} is not read back`)
      }
      const [first, last] = words.map(parseAddress)
      if (first && last?.family === first.family && first.value <= last.value) coverRange(first, last)
    },
  },
  {
    name: 'names',
    seeds: () => [...some(texts(golden('names.jsonl').map(({name}) => name)), 40), 'Prof_1', 'Rack1.Example.com', '_x', '-a', 'a'.repeat(300)],
    dictionary: ['-', '--', '.', '_', 'A', '/', '\u00c4'],
    run(input) {
      const name = text(input)
      tagProblem(name)
      unlessRefused(() => nodeName(name))
      promise(tagProblem(pluginTag(name)) === undefined || name === '', `pluginTag made ${JSON.stringify(pluginTag(name).slice(0, 100))}, which is no tag`)
      const converted = unlessRefused(() => convertName(name))
      if (converted !== undefined) promise(isResourceName(converted), `convertName made ${JSON.stringify(converted.slice(0, 100))}, which is no name`)
    },
  },
  {
    name: 'json',
    seeds: () => ['{"a":[1,2.5,"x",null,true],"b":{"c":18446744073709551615}}', '[[[[]]]]', '{"a":1,"a":2}', '"\\ud83d\\ude00"', '12345678901234567890'],
    dictionary: ['{', '}', '[', ']', ',', ':', '"', '\\', '\\u', 'e+', '-', '1234567890123456789'],
    async run(input) {
      const read = tryParseJson(text(input))
      if (read.error) return
      promise(tryParseJson(stringifyJson(read.value)).error === undefined, 'what was read is not read back')
      await stringifyYaml(read.value)
    },
  },
  {
    name: 'files',
    seeds: () => some(texts(golden('resource-files.jsonl').map(({stdin}) => stdin)), 120),
    dictionary: ['---\n', 'apiVersion: ', 'kind: ', 'metadata: ', 'spec: ', '- ', '&a ', '*a', '<<: ', '!!binary ', '|\n', '>-\n', '? ', '\t', '%YAML 1.1\n', '{', '}', ...V3_WORDS],
    run(input) {
      const file = parseFile({name: 'f', text: text(input)})
      for (const judge of [true, false]) objectsOf([file], {namespace: undefined, judge, nearest: () => undefined})
    },
  },
  {
    name: 'patches',
    seeds: () => ['{"spec":{"labelsToApply":{"a":"b"}}}', '[{"op":"add","path":"/spec/order","value":10},{"op":"test","path":"/kind","value":"Profile"},{"op":"move","from":"/a","path":"/b"},{"op":"remove","path":"/spec/ingress/0"}]', '{"metadata":{"labels":{"a":null}}}', '{"spec":{"ingress":[{"$patch":"replace"},{"action":"Allow"}]}}'],
    dictionary: ['"op"', 'add', 'remove', 'replace', 'move', 'copy', 'test', '"path"', '"from"', '/spec', '/-', '~0', '~1', '$patch', '$retainKeys', '$setElementOrder', '__proto__'],
    run(input) {
      const patch = json(input)
      if (!patch) return
      for (const type of ['strategic', 'merge', 'json'] as const) {
        unlessRefused(() => readPatch(type, patch.value)({kind: 'Profile', apiVersion: 'projectcalico.org/v3', metadata: {name: 'web', labels: {a: 'b'}}, spec: {ingress: [{action: 'Allow'}], labelsToApply: {x: ''}}}))
        promise(({} as Record<string, unknown>).polluted === undefined && ({} as Record<string, unknown>).a === undefined, 'the patch has changed all objects')
      }
    },
  },
  {
    name: 'configuration',
    seeds: () => ['apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\n  annotations:\n    calicoctl/expect-cluster: x\nspec:\n  etcdEndpoints: https://10.0.0.1:2379,https://[fd00::1]:2379\n  etcdCACertFile: /a\n  etcdUsername: u\n  etcdPassword: "*p"\n', '# nothing\n', 'apiVersion: v1\nkind: calicoApiConfig\nspec: {etcdAuthority: a}\n', 'ETCD_ENDPOINTS=http://a:1\n'],
    dictionary: ['spec:', 'etcdEndpoints: ', 'datastoreType: ', 'etcdv3', 'kubernetes', 'http://', 'https://', ':2379', '[::1]', ',', '&a ', '*a', '|\n'],
    run(input) {
      const read = parseConfigFile(text(input))
      if ('problems' in read) promise(read.problems.length > 0 && read.problems.every((problem) => problem.length < 2000), 'a problem is missing, or endless')
      parseEndpoints({value: text(input), origin: 'x'}, () => undefined)
      environmentSource({ETCD_ENDPOINTS: text(input), ETCD_AUTHORITY: text(input), ETCD_SCHEME: text(input)}, () => undefined, () => undefined)
    },
  },
  {
    name: 'modules',
    seeds: () => ['{"libraries":[{"file":"/usr/lib/mesos/libmesos_network_isolator.so","modules":[{"name":"com_mesosphere_mesos_NetworkIsolator","parameters":[{"key":"isolator_command","value":"/calico/calico_mesos"},{"key":"ipam_command","value":"/calico/calico_mesos"}]},{"name":"com_mesosphere_mesos_NetworkHook"}]}]}', '# x\n{"libraries": []} // y', '{"IPSources": ["netinfo","host"]}'],
    dictionary: ['libraries', 'modules', 'parameters', 'file', 'name', '#', '//', 'IPSources', 'netinfo'],
    run(input) {
      readModules(text(input))
      readSources(text(input))
      const wanted = {library: undefined, plugin: '/p', defaults: {library: '/l', plugin: '/p'}}
      const once = unlessRefused(() => withNetModules('f', text(input), wanted))
      if (once !== undefined) promise(withNetModules('f', once, wanted) === once, 'a second edit changes the file again')
    },
  },
  {
    name: 'environment-files',
    seeds: () => ['A=1\nB="x y"\n# c\nexport C=\'d\'\\\n e\nETCD_AUTHORITY=10.0.0.1:2379\n', 'A="unfinished\n', 'MESOS_HOOKS=a,b\r\n', 'A=$(x)\nB=`y`\n'],
    dictionary: ['=', '"', "'", '\\', '\n', '#', 'export ', '$', 'ETCD_AUTHORITY=', ' '],
    run(input) {
      const content = text(input)
      readVariables(content)
      environmentOf(content)
      if (unfinishedLine(content) !== undefined) return
      const changed = setVariable(content, 'ETCD_AUTHORITY', 'new value "x"')
      promise(environmentOf(changed).ETCD_AUTHORITY === 'new value "x"', 'a variable that was set is not read back')
    },
  },
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
    name: 'batch-lines',
    seeds: () => ['pool add 10.0.0.0/8 # c\n\nprofile add "a b" \\\n --dry-run\r\n', "profile web rule add inbound allow from selector \"a == 'b'\"\n", "x 'un", '$(x) | y; z && w > q\n'],
    dictionary: ['"', "'", '\\', '#', '\n', '\r\n', '|', ';', '&&', '$', '`', '*', '{a,b}', 'A=1 '],
    run(input) {
      const {lines, problems} = readLines(text(input))
      if (problems.length > 0) return
      for (const {words} of lines as readonly {readonly words: readonly string[]}[]) {
        if (words.some((word) => /[\n\r]/.test(word))) continue
        const again = readLines(words.map(quoteWord).join(' '))
        promise(again.problems.length === 0 && JSON.stringify((again.lines[0] as {words?: unknown} | undefined)?.words ?? []) === JSON.stringify(words), `words that were quoted are read as others: ${JSON.stringify(words).slice(0, 200)}`)
      }
    },
  },
  {
    name: 'old-dumps',
    seeds: () => {
      const keys = Object.assign({}, ...CASES.map((each) => each.keys), oldNode('h1', '172.17.8.101', {as: '64600', tunnel: '192.168.0.9'}), oldEndpoint('h1', {nets: ['192.168.10.1/32'], profiles: ['web']}), oldBlock('192.168.10.0/26', 'h1', {1: 0})) as OldKeys
      return [dumpOf(keys), ...CASES.map((each) => dumpOf(each.keys))]
    },
    dictionary: ['"node"', '"nodes"', '"key"', '"value"', '"dir"', '/calico/v1/', '/calico/bgp/v1/', '/calico/ipam/v2/', 'peer_v4', 'inbound_rules', 'profile_ids', 'ipv4_nets'],
    run: (input) => convertStore(readDump(input, 'the dump'), 1_700_000_000_000),
  },
  {
    name: 'plans-and-journals',
    seeds: () => [
      '{"apiVersion":"calicoctl/v1","kind":"Plan","clusterGUID":"x","guards":[{"key":"/calico/x","value":null}],"writes":[{"key":"/calico/x","before":null,"after":"{}"}],"sha256":"x"}',
      '{"v":1,"id":"a1","time":"2026-01-01T00:00:00.000Z","user":"root","host":"h","argv":["profile","add","x"],"cluster":"g"}\n{"id":"a1","changes":[{"key":"/calico/x","before":null,"after":"{}"}],"revision":"5"}\n{"id":"a1","end":true}\n',
    ],
    dictionary: ['"id"', '"changes"', '"key"', '"before"', '"after"', '"revision"', '"time"', '"argv"', '"guards"', '"writes"', '"sha256"', '\n'],
    run(input) {
      unlessRefused(() => readPlan(text(input), 'f'))
      for (const entry of parseJournal([text(input)])) netChanges(entry)
    },
  },
  {
    name: 'backups',
    seeds: () => [Buffer.from('1f8b080000000000000303000000000000000000', 'hex'), '{"format":"calicoctl-backup","version":1}\n', ''],
    dictionary: ['\u001f\u008b\u0008', '\n', '{"'],
    async run(input) {
      // eslint-disable-next-line @typescript-eslint/require-await -- as a file is read
      async function* bytes(): AsyncGenerator<Uint8Array> {
        yield input
      }
      let parts = 0
      for await (const _ of backupParts(bytes(), 'f')) parts++
      promise(parts < 1000, 'a small file has a thousand parts')
    },
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
  {
    name: 'terminal',
    seeds: () => ['plain', '\u001b[31mred', 'a\u202eb', '\u0085', 'line\r\nline'],
    dictionary: ['\u001b', '\u009b', '\u0007', '\u200b'],
    run(input) {
       
      promise(!/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(escapeText(text(input))), 'a character that steers a terminal is left')
    },
  },
]
