/**
 * What the Go calicoctl did with files of objects, line by line (shared/golden/resource-files.jsonl): the same verdict and the same objects afterwards, except
 * where ours is better on purpose. create, apply, replace, delete and validate; `delete` of nodes and pools is in the e2e tests.
 */
import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {dirname, join, resolve} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import {newSession} from '../../../src/lib/client/session.js'
import {nearest} from '../../../src/lib/cli/suggest.js'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {openDatastore} from '../../../src/lib/datastore/open.js'
import {isError} from '../../../src/lib/errors.js'
import {findKind, isKindName} from '../../../src/lib/model/kinds.js'
import {hazardProblems, loadObjects, refuse} from '../../../src/lib/resource-files/load.js'
import {removeObjects} from '../../../src/lib/resource-files/remove.js'
import {writeObjects} from '../../../src/lib/resource-files/write.js'

interface Case {
  readonly id: string
  readonly base?: boolean
  readonly setup: Readonly<Record<string, string>>
  readonly cmd: readonly string[]
  readonly stdin?: string
  readonly stdinBase64?: string
  readonly stdinRepeat?: readonly (readonly [string, number])[]
  readonly files?: Readonly<Record<string, string>>
  readonly rc: number
  readonly changed: Readonly<Record<string, string | null>>
}

const [base, ...all] = readFileSync(resolve(import.meta.dirname, '../../fixtures/golden/resource-files.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Case)
const VERBS = ['create', 'apply', 'replace', 'delete', 'validate']

/** Lines that are about options, settings or the datastore's version are for the command line's tests. */
const ELSEWHERE = /^(?:option-|config-|version-)|^delete-(?:node|pool)/

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
  'locked-apply': 'no. 16: a locked store is not written',
  'locked-delete': 'no. 16: a locked store is not written',
}

/** Kinds that the model does not have yet. */
const lacksKind = ({stdin = '', files = {}, cmd}: Case): boolean => {
  const texts = [stdin, ...Object.values(files)]
  const kinds = texts.flatMap((text) => [...text.matchAll(/^\s*-?\s*"?kind"?: "?([A-Za-z]+)/gm)].map(([, kind = '']) => kind))
  const word = cmd[0] === 'delete' && cmd[1]?.startsWith('-') === false ? [cmd[1]] : []
  const NEW = ['BGPFilter', 'KubeControllersConfiguration', 'NetworkPolicy', 'NetworkSet', 'StagedGlobalNetworkPolicy', 'StagedKubernetesNetworkPolicy', 'StagedNetworkPolicy']
  return kinds.some((kind) => NEW.includes(kind) && !isKindName(kind)) || word.some((each) => findKind(each) === undefined)
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-golden-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

async function snapshot(store: Datastore): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const {entries} of store.list('/')) for (const {key, value} of entries) found.set(key, value)
  return found
}

/** VALUE as an object, without what differs from run to run. */
function comparable(value: string | null | undefined): unknown {
  if (value === null || value === undefined) return null
  try {
    const object = JSON.parse(value) as {metadata?: Record<string, unknown>; spec?: Record<string, unknown>}
    delete object.metadata?.uid
    delete object.metadata?.creationTimestamp
    delete object.spec?.clusterGUID
    return object
  } catch {
    return value
  }
}

async function run({id, cmd, stdin, stdinBase64, stdinRepeat, files = {}, ...line}: Case): Promise<{done: boolean; changed: Record<string, unknown>; told: unknown}> {
  const here = join(folder, id)
  mkdirSync(here)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(here, name)), {recursive: true})
    writeFileSync(join(here, name), text)
  }
  const store = await openDatastore({datastore: {type: 'embedded', path: {value: join(here, 'store.json'), origin: 'the test'}}}, {perRequest: true})
  const initial = line.base ? {...base?.setup, ...line.setup} : line.setup
  for (const [key, value] of Object.entries(initial)) await store.transact({then: [{put: key, value}]})
  const before = await snapshot(store)
  const session = newSession(store, {warn: () => undefined, init: !line.base})
  const input = stdinBase64 === undefined ? Buffer.from(stdinRepeat?.map(([text, times]) => text.repeat(times)).join('') ?? stdin ?? '') : Buffer.from(stdinBase64, 'base64')
  let done = true
  let told: unknown
  try {
    const [verb = '', ...words] = cmd
    const paths: string[] = []
    const names: string[] = []
    let namespace: string | undefined
    for (let at = 0; at < words.length; at++) {
      const word = words[at] ?? ''
      if (word === '-f') paths.push(words[++at] ?? '')
      else if (word === '-n') namespace = words[++at]
      else if (word.startsWith('--namespace=')) namespace = word.slice('--namespace='.length)
      else if (!word.startsWith('-') || word === '') names.push(word)
    }
    const options = {recursive: words.includes('-R'), skipEmpty: words.includes('--skip-empty'), namespace, nearest, stdin: () => Promise.resolve(input)}
    const loaded = paths.length === 0 ? undefined : await loadObjects({...options, judge: verb !== 'delete', paths: paths.map((path) => (path === '-' ? path : join(here, path)))})
    if (verb === 'validate') refuse(hazardProblems(loaded?.objects ?? []))
    else if (verb === 'delete') {
      const [word = '', ...targets] = names
      const info = findKind(word)
      const problem = (field: string, message: string) => ({file: '', position: undefined, field, message})
      await removeObjects(
        session,
        loaded?.objects.map(({place, resourceVersion}) => ({place, resourceVersion, problem})) ??
          targets.map((name) => ({place: {kind: info?.kind ?? 'Profile', name, ...(info?.namespaced ? {namespace: namespace ?? 'default'} : {})}, resourceVersion: undefined, problem})),
        {force: false, skipMissing: words.includes('-s') || words.includes('--skip-not-exists'), atomic: false},
      )
    } else if (loaded && loaded.objects.length > 0) {
      await writeObjects(session, loaded.objects, {verb: verb as 'apply', skipExists: words.includes('--skip-exists'), progress: () => undefined})
    }
  } catch (error) {
    if (!isError(error)) throw error
    done = false
    told = [error.message, ...error.details]
  }
  const after = await snapshot(store)
  store.close()
  const changed: Record<string, unknown> = {}
  for (const key of new Set([...before.keys(), ...after.keys()])) if (before.get(key) !== after.get(key)) changed[key] = comparable(after.get(key))
  return {done, changed, told}
}

describe('resource-files.jsonl', () => {
  const cases = all.filter((line) => VERBS.includes(line.cmd[0] ?? '') && !ELSEWHERE.test(line.id) && !lacksKind(line))
  test('the table names no line that there is not', () => {
    expect(Object.keys(BETTER).filter((id) => !all.some((line) => line.id === id))).toEqual([])
  })
  test.each(cases.filter(({id}) => !Object.hasOwn(BETTER, id)).map((line) => [line.id, line] as const))('%s', async (_, line) => {
    const {done, changed, told} = await run(line)
    expect({done, changed, told: done === (line.rc === 0) ? undefined : told}).toEqual({
      done: line.rc === 0,
      changed: Object.fromEntries(Object.entries(line.changed).map(([key, value]) => [key, comparable(value)])),
      told: undefined,
    })
  })
  test.each(cases.filter(({id}) => Object.hasOwn(BETTER, id)).map((line) => [line.id, line] as const))('%s: otherwise on purpose', async (_, line) => {
    const {done, changed} = await run(line)
    expect({done, changed}).not.toEqual({done: line.rc === 0, changed: Object.fromEntries(Object.entries(line.changed).map(([key, value]) => [key, comparable(value)]))})
  })
})
