/** What users write on a command line, in a rule or a batch. */
import {quoteWord, readLines} from '../../../src/lib/batch/lines.js'
import {stringifyJson} from '../../../src/lib/json/json.js'
import {convertName, isResourceName, nodeName, pluginTag, tagProblem} from '../../../src/lib/model/names.js'
import {canonical} from '../../../src/lib/model/selector/canonical.js'
import {evaluate} from '../../../src/lib/model/selector/evaluate.js'
import {tryParseSelector} from '../../../src/lib/model/selector/parse.js'
import {coverRange, formatAddress, formatCidr, parseAddress, parseAsNumber, parseCidr, parseTypedAddress, parseTypedCidr} from '../../../src/lib/net/index.js'
import {escapeText} from '../../../src/lib/printable.js'
import {ruleText} from '../../../src/lib/rules/show.js'
import {readRulesDocument, rulesDocument} from '../../../src/lib/rules/v020-json.js'
import {readRuleWords} from '../../../src/lib/rules/words.js'
import {CASES} from '../../support/v020-store.js'
import {findParty, parseTraffic, trafficText} from '../../../src/lib/policy/probe.js'
import {loadWorld} from '../../../src/lib/policy/load.js'
import {chosenColumns} from '../../../src/lib/views/get-more/bare.js'
import {readOutput, readPath, readRevision, readSelector} from '../../../src/lib/views/get-selection.js'
import {KINDS} from '../../../src/lib/model/kinds.js'
import type {Target} from '../engine.js'
import {entriesOf, golden, json, promise, some, text, texts, unlessRefused} from './inputs.js'

export const WORDS: readonly Target[] = [
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
    name: 'terminal',
    seeds: () => ['plain', '\u001b[31mred', 'a\u202eb', '\u0085', 'line\r\nline'],
    dictionary: ['\u001b', '\u009b', '\u0007', '\u200b'],
    run(input) {
       
      promise(!/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(escapeText(text(input))), 'a character that steers a terminal is left')
    },
  },
  {
    name: 'get-options',
    seeds: () => ['custom-columns=NAME,CIDR', 'ps', 'yaml', 'go-template={{.items}}', 'spec.order', '.metadata.labels.a', '17', '9223372036854775807', "role == 'db' && has(a)"],
    dictionary: ['custom-columns=', ',', '.', '..', 'NAME', 'CIDR', 'metadata', '__proto__', 'go-template-file='],
    run(input) {
      const word = text(input)
      unlessRefused(() => readSelector(word))
      unlessRefused(() => readPath(word))
      const revision = unlessRefused(() => readRevision(word))
      promise(revision === undefined || (revision > 0n && revision < 2n ** 63n), 'a revision that etcd does not know')
      const columns = unlessRefused(() => readOutput(word))?.bare?.columns
      if (columns) for (const kind of ['IPPool', 'WorkloadEndpoint'] as const) unlessRefused(() => chosenColumns(KINDS[kind], columns))
    },
  },
  {
    name: 'flows',
    seeds: () => ['tcp/80', 'udp/53', 'icmp/8/0', 'icmpv6/128', '47', 'sctp', 'host:h1', 'profile:web', 'tag:db', 'any', '10.0.0.1', 'fd00::1', 'a12b'],
    dictionary: ['tcp', '/', '0', '255', '65536', 'host:', 'profile:', 'tag:', 'any'],
    run(input) {
      const word = text(input)
      const traffic = unlessRefused(() => parseTraffic(word))
      if (traffic) {
        const spelled = trafficText(traffic)
        promise(trafficText(parseTraffic(spelled)) === spelled, `${spelled} is not read back`)
      }
      world ??= loadWorld(entriesOf(Buffer.from(JSON.stringify(golden('policy.jsonl')[0]?.objects))))
      const found = world
      unlessRefused(() => findParty(found, word))
    },
  },
]

let world: ReturnType<typeof loadWorld> | undefined
