import {describe, expect, test} from '@jest/globals'
import {accept} from '../../../src/lib/model/accept.js'
import {isKindName, KINDS} from '../../../src/lib/model/kinds.js'
import type {KindName, Resource} from '../../../src/lib/model/resource.js'
import {comparable, goldenLines, type Json, situationOf, type Stored, storeAll} from './golden.js'

interface Step {
  op?: string
  input?: Json
  value?: string | null
  key?: string
  error?: string
  errorType?: string
}

interface Line extends Step {
  id: string
  kind: string
  setup?: Json[]
  steps?: Step[]
}

/** Steps whose outcome the client layer decides: initialisation, calicoctl's read-only kinds, an update of what does not exist. */
const NOT_OURS = ['ensureInitialized', 'is not supported on ClusterInformation', 'replace resource does not exist']

const BLOCK = '/calico/ipam/v2/assignment/'

/** Fields that only the reading of a stored object can have, and which calicoctl strips from what users bring. */
const stripped = (input: Json, op: string): Json => {
  // The recorder read its input as YAML, which folds the blanks around a line separator.
  const {metadata, ...rest} = JSON.parse(JSON.stringify(input).replace(/ *\u2028 */g, '\u2028')) as Json
  const {uid, creationTimestamp, generation, finalizers, resourceVersion, ...kept} = metadata as Json
  return op === 'create-direct' ? {...rest, metadata} : {...rest, metadata: kept}
}

/** What the store holds while the steps of a line are played. */
class Store {
  readonly objects = new Map<string, Stored>()
  readonly blocks: string[] = []

  constructor(setup: readonly Json[] | undefined) {
    for (const one of storeAll(setup)) this.objects.set(`${KINDS[one.kind].plural}/${one.resource.metadata.name}`, one)
  }

  put(kind: KindName, name: string, resource: Resource) {
    this.objects.set(`${KINDS[kind].plural}/${name}`, {kind, resource})
  }
}

const lines = goldenLines<Line>('resources.jsonl').filter((line) => isKindName(line.kind))

function play(store: Store, kind: KindName, step: Step) {
  const {op = 'create', input, value, key = ''} = step
  if (op === 'rawPut') {
    if (key.startsWith(BLOCK)) store.blocks.push((JSON.parse(value ?? '{}') as {cidr: string}).cidr)
    else store.put(kind, key.split('/').at(-1) ?? '', JSON.parse(value ?? '{}') as Resource)
    return
  }
  if (op === 'delete' || input === undefined || NOT_OURS.some((word) => `${op} ${step.error ?? ''}`.includes(word))) return
  const name = (input.metadata as {name?: string}).name ?? ''
  const previous = store.objects.get(`${KINDS[kind].plural}/${name}`)?.resource
  const situation = situationOf(kind, [...store.objects.values()], previous ? 'update' : 'create', previous)
  const {resource, problems} = accept(kind, stripped(input, op), {...situation, blocks: store.blocks})
  if (step.value === undefined || step.value === null) {
    expect(problems).not.toEqual([])
    return
  }
  expect(problems).toEqual([])
  expect(comparable(resource)).toEqual(comparable(JSON.parse(step.value)))
  expect(fieldOrder(resource)).toEqual(fieldOrder(JSON.parse(step.value)))
  if (resource) store.put(kind, resource.metadata.name, resource)
}

/** The names of the fields of an object in their order, at every depth. Maps are sorted by Go only when it writes. */
function fieldOrder(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => fieldOrder(item))
  if (typeof value !== 'object' || value === null) return typeof value
  const keys = Object.keys(value).filter((key) => key !== 'uid' && key !== 'creationTimestamp')
  if (['labels', 'annotations', 'labelsToApply', 'bpfLogFilters'].includes(name)) keys.sort()
  return keys.map((key) => [key, fieldOrder((value as Json)[key], key)])
}

describe('accept stores what libcalico-go v3.32.1 stores', () => {
  test.each(lines)('$id', (line) => {
    const store = new Store(line.setup)
    for (const step of line.steps ?? [line]) play(store, line.kind as KindName, step)
  })
})
