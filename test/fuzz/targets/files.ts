/** Files that users, other programs or other versions wrote. */
import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import {gzipSync} from 'node:zlib'
import {type BackupPart, backupParts} from '../../../src/lib/backup/format.js'
import {decodeState, encodeState} from '../../../src/lib/datastore/embedded/encoding.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {hexDigest} from '../../../src/lib/model/hash.js'
import {convertStore} from '../../../src/lib/import-v1/convert.js'
import {readDump} from '../../../src/lib/import-v1/old-store.js'
import {waitingIn} from '../../../src/lib/journal/confirm/waiting.js'
import {labelOf} from '../../../src/lib/journal/objects.js'
import {planUndo} from '../../../src/lib/journal/undo.js'
import {type Entry, netChanges, parseJournal} from '../../../src/lib/journal/read.js'
import {stringifyJson, tryParseJson} from '../../../src/lib/json/json.js'
import {stringifyYaml} from '../../../src/lib/json/yaml.js'
import {environmentOf, readVariables, setVariable, unfinishedLine} from '../../../src/lib/mesos/agent/environment-file.js'
import {readSources} from '../../../src/lib/mesos/agent/mesos-dns.js'
import {readModules, withNetModules} from '../../../src/lib/mesos/agent/modules-file.js'
import {asRecord} from '../../../src/lib/model/schema/codec.js'
import {parseFile} from '../../../src/lib/resource-files/documents.js'
import {objectsOf} from '../../../src/lib/resource-files/objects.js'
import {readPatch} from '../../../src/lib/resource-files/patches.js'
import {problemLine} from '../../../src/lib/resource-files/problem.js'
import {planText, readPlan} from '../../../src/lib/resource-files/plan.js'
import {parseConfigFile} from '../../../src/lib/settings/config-file.js'
import {parseEndpoints} from '../../../src/lib/settings/endpoints.js'
import {environmentSource} from '../../../src/lib/settings/environment.js'
import {presentWaiting} from '../../../src/lib/views/confirm.js'
import {probesIn} from '../../../src/lib/views/policy/test-file.js'
import {CASES, dumpOf, oldBlock, oldEndpoint, type OldKeys, oldNode} from '../../support/v020-store.js'
import type {Target} from '../engine.js'
import {golden, json, promise, some, text, texts, unlessRefused, V3_WORDS} from './inputs.js'

export const FILES: readonly Target[] = [
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
    name: 'old-dumps',
    seeds: () => {
      const keys = Object.assign({}, ...CASES.map((each) => each.keys), oldNode('h1', '172.17.8.101', {as: '64600', tunnel: '192.168.0.9'}), oldEndpoint('h1', {nets: ['192.168.10.1/32'], profiles: ['web']}), oldBlock('192.168.10.0/26', 'h1', {1: 0})) as OldKeys
      return [dumpOf(keys), ...CASES.map((each) => dumpOf(each.keys))]
    },
    dictionary: ['"node"', '"nodes"', '"key"', '"value"', '"dir"', '/calico/v1/', '/calico/bgp/v1/', '/calico/ipam/v2/', 'peer_v4', 'inbound_rules', 'profile_ids', 'ipv4_nets'],
    run: (input) => convertStore(readDump(input, 'the dump'), 1_700_000_000_000),
  },
  {
    name: 'plans',
    seeds: () => [
      '{"apiVersion":"calicoctl/v1","kind":"Plan","clusterGUID":"x","guards":[{"key":"/calico/x","version":0},{"prefix":"/calico/a/","unchangedSince":7},{"key":"/calico/b","modRevision":5},{"key":"/calico/c","value":"{}"}],"writes":[{"key":"/calico/x","before":null,"after":"{}"}],"unchanged":[{"key":"/calico/y","modRevision":12345678901234567890}]}',
      '{"apiVersion":"calicoctl/v1","kind":"Plan","clusterGUID":null,"guards":[],"writes":[],"unchanged":[],"sha256":"x"}',
    ],
    dictionary: ['"key"', '"before"', '"after"', '"guards"', '"writes"', '"unchanged"', '"sha256"', '"prefix"', '"unchangedSince"', '"modRevision"', '"version"', '/calico/'],
    run(input) {
      unlessRefused(() => readPlan(text(input), 'f'))
      // With the right checksum, what is behind it is read.
      const {sha256: _, ...content} = asRecord(json(input)?.value) ?? {}
      const plan = unlessRefused(() => readPlan(stringifyJson({...content, sha256: hexDigest('sha256', stringifyJson(content))}), 'f'))
      if (plan) promise(planText(readPlan(planText(plan), 'f')) === planText(plan), 'a plan that was read is not read back')
    },
  },
  {
    name: 'journals',
    seeds: () => {
      const line = (fields: object): string => `${JSON.stringify({v: 1, id: 'a1', ...fields})}\n`
      const begin = {time: '2026-01-01T00:00:00.000Z', user: 'root', sudoUser: 'u', host: 'h', pid: 7, command: 'profile:add', words: ['profile', 'add', 'web']}
      const key = '/calico/resources/v3/projectcalico.org/profiles/web'
      const value = '{"kind":"Profile","apiVersion":"projectcalico.org/v3","metadata":{"name":"web","annotations":{"calicoctl/name":"Web"}},"spec":{}}'
      return [
        line({begin, cluster: 'g', revision: '5', part: 0, changes: [{key, before: null, after: value}]}) + line({cluster: 'g', revision: '6', part: 1, unknown: true, changes: [{key, of: 0, edit: [100, 'x', 3]}]}) + line({end: {time: '2026-01-01T00:00:01.000Z', exitCode: 0}}),
        line({begin: {...begin, command: 'batch'}, of: [{line: 1, command: 'pool:add', words: ['pool', 'add', '10.0.0.0/8']}], revision: '5', part: 0, changes: [{key: '/calico/resources/v3/projectcalico.org/ippools/p', before: '{"metadata":{"name":"p"},"spec":{"cidr":"10.0.0.0/8"}}', after: null}, {key: '/calico/ipam/v2/handle/x', before: null, after: '{}'}]}) + line({confirmation: {time: '2026-01-01T00:00:00.000Z', outcome: 'undone'}}),
      ]
    },
    dictionary: ['"begin"', '"changes"', '"key"', '"before"', '"after"', '"revision"', '"of"', '"edit"', '"part"', '"end"', '"exitCode"', '"confirmation"', '"outcome"', '"command"', '"words"', '"v":1', '\n', '{"toString":1}'],
    run(input) {
      for (const entry of parseJournal([text(input)])) {
        for (const change of netChanges(entry)) labelOf(change)
        for (const note of notesOf(entry)) promise(!/\[object |\[native code/.test(note), `a note has something in it that is no text: ${note.slice(0, 200)}`)
      }
    },
  },
  {
    name: 'waiting-changes',
    seeds: () => {
      const process = {pid: '77', started: '12345', namespace: '4026531836'}
      const waiting = {v: 1, id: 'a1', words: ['profile', 'add', 'x'], cluster: 'g', host: 'h', within: 60_000, deadline: null, command: process, timer: null, failed: null, options: {datastore: 'etcd', timeout: 10}, folder: '/', env: {A: 'b'}}
      return [waiting, {...waiting, deadline: '2026-01-01T00:00:00.000Z', timer: process, begun: true, failed: 'in use'}].map((each) => JSON.stringify(each))
    },
    dictionary: ['"deadline"', '"command"', '"timer"', '"pid"', '"options"', '"env"', '"begun"', '"failed"', 'null'],
    run(input) {
      const read = json(input) && waitingIn(text(input))
      if (!read) return
      promise(typeof read.options.timeout !== 'function' && Object.values(read.env).every((value) => typeof value === 'string') && [read.id, read.host, read.cluster, read.folder].every((value) => typeof value === 'string'), 'a part of it is no text')
      promise(read.deadline === null || (typeof read.deadline === 'string' && !Number.isNaN(Date.parse(read.deadline))), 'its time is none')
      presentWaiting([read], 1_700_000_000_000).document([read])
    },
  },
  {
    name: 'store-files',
    seeds: () => [
      '{"format":"calicoctl-store/2","revision":"4","compacted":"1","keys":[["/calico/a","{}","2","4","2"]],"log":[["2","/calico/a",null],["3","/calico/b",null],["4","/calico/a",[[1,"x",1],"2","2","1"]],["4","/calico/b",["y","3","3","1"]]]}',
      '{"format":"calicoctl-store/1","revision":"1","compacted":"0","keys":[],"log":[]}',
    ],
    dictionary: ['"format"', '"keys"', '"log"', '"revision"', '"compacted"', '[', ']', 'null', '"9223372036854775807"', '[0,"",0]'],
    run(input) {
      let state
      try {
        state = decodeState(text(input))
      } catch (error) {
        // It says what is wrong; the file's reader puts its name before that.
        if (error instanceof TypeError || error instanceof RangeError || !(error instanceof Error)) throw error
        return
      }
      const once = encodeState(state)
      promise(encodeState(decodeState(once)) === once, 'a store that was read is not read back')
    },
  },
  {
    name: 'policy-tests',
    seeds: () => [
      'apiVersion: calicoctl/v1\nkind: PolicyTest\nmetadata:\n  name: x\nprobes:\n- web -> db tcp/80 allow\n- {from: web, to: {ip: 10.0.0.1}, proto: icmp, icmpType: 8, icmpCode: 0, expect: deny, by: {kind: profile, name: a, index: 1, direction: inbound, action: Allow}}\n- from: {host: h1}\n  to: {endpoint: e}\n  proto: 6\n  dport: 443\n  sport: 1\n  ipVersion: 6\n',
      '{"apiVersion":"calicoctl/v1","kind":"PolicyTest","probes":["any -> any udp/53 deny"]}',
    ],
    dictionary: ['probes:', '- ', ' -> ', 'tcp/', 'icmp/8/0', ' allow', ' deny', 'from: ', 'to: ', 'proto: ', 'dport: ', 'ipVersion: ', 'by: ', '{kind: tier, ', '{ip: ', '{host: ', '*a', '&a '],
    run(input) {
      const {probes, mistakes} = probesIn([{name: 'f', text: text(input)}])
      for (const {line, column} of probes) promise(line >= 1 && column >= 1, 'a probe has no place')
      for (const mistake of mistakes) promise(problemLine(mistake).length < 200_000, 'a mistake is endless')
    },
  },
  {
    name: 'backups',
    seeds: () => {
      const head = '{"apiVersion":"calicoctl/v1","kind":"DatastoreBackup","format":1,"clusterGUID":"g","revision":"7","savedAt":"2026-01-01T00:00:00.000Z"}\n'
      const lines = `${head}["/calico/a","{}"]\n["/calico/b","x"]\n`
      return [lines, `${lines}{"keys":2,"sha256":""}\n`, gzipSync(head), gzipSync(lines), '']
    },
    dictionary: ['\u001f\u008b\u0008', '\n', '{"', '["/calico/', '"]', '"keys":', '"format":', '"revision":', '\u00ff'],
    async run(input) {
      await partsOf(input)
      // As lines, packed, with the end that makes them whole.
      const keys = text(input).split('\n').filter((line) => line.startsWith('[')).length
      const lines = Buffer.concat([input, Buffer.from(input.at(-1) === 10 ? '' : '\n')])
      const parts = await partsOf(gzipSync(Buffer.concat([lines, Buffer.from(`${JSON.stringify({keys, sha256: createHash('sha256').update(lines).digest('hex')})}\n`)]), {level: 1}))
      for (const part of parts) if ('entries' in part) for (const {key, value} of part.entries) promise(key.startsWith('/calico/') && typeof value === 'string', `the key ${key.slice(0, 100)} is not Calico's`)
    },
  },
]

/** What undoing ENTRY would leave as it is. */
function notesOf(entry: Entry): readonly string[] {
  try {
    return planUndo(entry).rest
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
    return error.details
  }
}

/** What a backup of BYTES has, as far as it can be read. */
async function partsOf(bytes: Buffer): Promise<readonly BackupPart[]> {
  const parts: BackupPart[] = []
  try {
    for await (const part of backupParts(Readable.from([bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)]), 'f')) parts.push(part)
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error
  }
  return parts
}
