/**
 * What the Go calicoctl did with files of objects and with its generic commands, line by line (shared/golden/resource-files.jsonl, and what was recorded later), on both stores: the same
 * verdict and the same objects afterwards, except where ours is better on purpose. `ipam split` is in client/pool-split.test.ts.
 */
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {parse} from 'yaml'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {differences, expectedChanges, GOLDEN_LINES, type GoldenLine, place, prepare, RECORDED_LINES, snapshot} from '../../support/golden-files.js'
import {loadCommands, type Outcome, type RunOn} from '../../support/in-process.js'
import {onBothStores} from '../../support/stores.js'

const VERBS = ['create', 'apply', 'replace', 'delete', 'validate', 'patch', 'label', 'get', 'datastore']

/** Lines that are about settings, or about the version of the Go calicoctl itself, which ours does not ask about. */
const ELSEWHERE = /^(?:config-|version-)/

/** Where ours does otherwise on purpose: what it does, and why (numbers of resource-files.md §12). */
const BETTER: Readonly<Record<string, string>> = {
  'create-invalid-uninitialised': 'no. 19: a store is initialised only with the first object',
  'replace-uninitialised': 'no. 19: a store is initialised only with the first object',
  'apply-stored-without-uid': 'decisions.md 12: what the stored object lacks is added',
  'file-documents-separator-lost': 'no. 1: no object is lost',
  'file-json-concatenated': 'no. 1: no object is lost',
  'file-yaml-end-marker-then-text': 'no. 1: no object is lost',
  'file-documents-separator-text': 'no. 2: no text is dropped',
  'file-documents-three-separators': 'no. 3: documents without content are none',
  'file-documents-trailing-twice': 'no. 3: documents without content are none',
  'file-documents-trailing-blank': 'no. 3: documents without content are none',
  'file-documents-comment-one': 'no. 3: documents without content are none',
  'file-comment-first': 'no. 3: documents without content are none',
  'file-documents-leading-twice': 'no. 3: documents without content are none',
  'empty-comments-skip': 'no. 3: documents without content are none',
  'empty-newlines': 'no. 3: documents without content are none',
  'file-yaml-name-y': 'no. 6: quotes are asked for',
  'file-yaml-scalars': 'no. 6: quotes are asked for',
  'file-yaml-binary-key': 'no. 6: quotes are asked for',
  'bad-field-case': 'no. 7: a field has one spelling',
  'partial-create': 'no. 4 and 5: all or nothing',
  'partial-create-first': 'no. 4 and 5: all or nothing',
  'partial-create-most': 'no. 4 and 5: all or nothing',
  'partial-create-kinds': 'no. 4 and 5: all or nothing',
  'partial-apply': 'no. 4 and 5: all or nothing',
  'partial-apply-conflict': 'no. 4 and 5: all or nothing',
  'partial-replace': 'no. 4 and 5: all or nothing',
  'partial-replace-two': 'no. 4 and 5: all or nothing',
  'partial-replace-invalid': 'no. 4 and 5: all or nothing',
  'partial-delete': 'no. 4 and 5: all or nothing',
  'partial-delete-names': 'no. 4 and 5: all or nothing',
  'pool-overlap-in-file': 'no. 4 and 5: all or nothing',
  'partial-duplicate-apply': 'design-whole.md §3: the same object twice is an error',
  'delete-file-in-use': '§13: what is in use is kept',
  'policy-tier-change-missing-replace': 'no. 20: the tier must exist',
  'profile-builtin-create-skip': '§13: what Calico provides itself is refused in files',
  'ipamconfiguration-create': 'the kind is known here',
  'partial-dependent-peer': '§13: what a later object of the file fulfils counts',
  'validate-schema-gap': '§13: validate checks all',
  'validate-client-gap': '§13: validate checks all',
  'ns-mixed': 'no. 4 and 5: all or nothing',
  'ns-bad-name': 'no. 15: namespaces are checked',
  'ns-slash': 'no. 15: namespaces are checked',
  'filter-delete-used': '§13: what is in use is kept',
  'patch-rename-onto': 'no. 9: an object keeps its name',
  'patch-uid': 'no. 9: an object keeps its uid',
  'patch-type-json': 'no. 9: --type does what it says',
  'patch-type-json-array': 'no. 9: --type does what it says',
  'patch-type-bogus': 'no. 9: --type does what it says',
  'policy-tier-change-missing-patch': 'no. 20: the tier must exist',
  'delete-pool-used': '§13: what is in use is kept',
  'delete-node': '§13: what is in use is kept',
  'bgpfilter-get-wide': 'no. 8: no crash',
  'get-bgpfilter-ps': 'no. 8: no crash',
  'get-wep-wide-nat': 'no. 8: no crash',
  'get-policy-wide-colon': 'no. 8: no crash',
  'get-alias-gns': 'ours knows more words',
  'get-alias-gnetset': 'ours knows more words',
  'get-template-list': '§13: no Go templates',
  'option-after-double-dash': 'as everywhere, names stand behind --',
  'migrate-export': '§13: datastore save is ours, with all kinds and IPAM',
  'option-unknown': 'ours has --dry-run',
  'option-abbreviated': 'decisions.md 2: options of ours are written in full',
  'locked-apply': 'no. 16: a locked store is not written',
  'locked-delete': 'no. 16: a locked store is not written',
}

const LINES = [...GOLDEN_LINES, ...RECORDED_LINES].filter(({id, cmd: [verb = '']}) => VERBS.includes(verb) && !ELSEWHERE.test(id))

test('the table names no line that there is not', () => {
  expect(Object.keys(BETTER).filter((id) => !LINES.some((line) => line.id === id))).toEqual([])
})

let run: RunOn
let folder: string
beforeAll(async () => {
  run = await loadCommands(...VERBS)
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-golden-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** Deletes every key of STORE. */
async function wipe(store: Datastore): Promise<void> {
  const keys = [...(await snapshot(store)).keys()]
  for (let from = 0; from < keys.length; from += 100) await store.transact({then: keys.slice(from, from + 100).map((key) => ({delete: key}))})
}

/** LINE with its revisions moved by OFFSET: those of the recording began in a new etcd. */
const shifted = <T>(value: T, offset: bigint): T =>
  JSON.parse(JSON.stringify(value).replace(/(resourceVersion(?:\\*"|'|)\s*:\s*(?:\\*"|'|))(\d+)/g, (_, before: string, digits: string) => `${before}${BigInt(digits) + offset}`)) as T

async function runLine(store: Datastore, recorded: GoldenLine): Promise<{outcome: Outcome; changed: Record<string, unknown>}> {
  const offset = (await store.get('/')).revision - 1n
  const line = shifted(recorded, offset)
  await prepare(store, line)
  const before = await snapshot(store)
  const here = mkdtempSync(join(folder, 'line-'))
  const words = place(here, line)
  const outcome = await run(store, line.base ? words : [...words, ...(INITIALISING.includes(words[0] ?? '') ? ['--init'] : [])], {cwd: here})
  return {outcome, changed: differences(before, await snapshot(store))}
}

/** The store of a line may hold keys and no ClusterInformation, which ours asks about. */
const INITIALISING = ['create', 'apply', 'replace', 'delete', 'patch', 'label']

/** Too long for both: nothing of them reaches the store. */
const ONCE = ['file-2mb-object']

/**
 * What `get` has printed, as far as it is to be equal: documents, and tables of chosen columns. `--export` keeps the namespace, and works for lists (no. 13).
 * Ours shows objects as they are stored: with empty sources and the annotation that Calico's client adds, and without the profile that is nowhere stored.
 */
function shown({cmd}: GoldenLine, stdout: string): unknown {
  if (cmd.some((word) => word.startsWith('custom-columns'))) return stdout.trim().split(/\s+/)
  if (!cmd.some((word) => /^(yaml|yml|json)$/.test(word)) || cmd.includes('--export')) return undefined
  const text = JSON.stringify(parse(stdout), (key, value: unknown) => {
    if (key === 'resourceVersion' || key === 'projectcalico.org/metadata') return undefined
    if (['source', 'destination', 'annotations'].includes(key) && ['{}', '{"projectcalico.org/metadata":'].some((empty) => JSON.stringify(value).startsWith(empty))) return undefined
    return Array.isArray(value) ? value.filter((item) => (item as {metadata?: {name?: string}} | null)?.metadata?.name !== 'projectcalico-default-allow') : value
  })
  return JSON.parse(text) as unknown
}

onBothStores((stores) => {
  let store: Datastore | undefined
  /** A new file is faster than deleting in one; a wiped etcd is faster than a new one. */
  const emptyStore = async (): Promise<Datastore> => {
    if (store === undefined || stores.kind === 'embedded') return (store = await stores.empty())
    await wipe(store)
    return store
  }
  const lines = LINES.filter(({id}) => stores.kind === 'etcd' || !ONCE.includes(id))

  test.each(lines.filter(({id}) => !Object.hasOwn(BETTER, id)).map((line) => [line.id, line] as const))('%s', async (_, line) => {
    const {outcome: {code, stderr, stdout}, changed} = await runLine(await emptyStore(), line)
    const done = code === 0
    expect({done, changed, told: done === (line.rc === 0) ? undefined : stderr}).toEqual({done: line.rc === 0, changed: expectedChanges(line), told: undefined})
    if (!done) expect(stderr).toMatch(/^(?:Error: |Usage:)/m)
    expect(stderr).not.toContain('This is a bug in calicoctl')
    if (done && line.cmd[0] === 'get') expect(shown(line, stdout)).toEqual(shown(line, line.stdout))
  })

  describe('otherwise on purpose', () => {
    test.each(lines.filter(({id}) => Object.hasOwn(BETTER, id)).map((line) => [line.id, line] as const))('%s', async (_, line) => {
      const {outcome: {code, stderr}, changed} = await runLine(await emptyStore(), line)
      expect({done: code === 0, changed}).not.toEqual({done: line.rc === 0, changed: expectedChanges(line)})
      expect(stderr).not.toContain('This is a bug in calicoctl')
    })
  })
})
