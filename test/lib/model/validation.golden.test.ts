import {isDeepStrictEqual} from 'node:util'
import {describe, expect, test} from '@jest/globals'
import {parseJson, stringifyJson} from '../../../src/lib/json/json.js'
import {accept, decode, unknownFields} from '../../../src/lib/model/accept.js'
import {hazards} from '../../../src/lib/model/hazards.js'
import {isKindName} from '../../../src/lib/model/kinds.js'
import {comparable, fixtureLines, type Json, situationOf, storeAll} from './golden.js'

interface Line {
  kind: string
  object: Json & {metadata: {name?: string; namespace?: string}}
  accepted: boolean
  error?: string
  stored?: string
  setup?: Json[]
  op?: 'update'
  note?: string
}

/** Spec and status as text: the order of fields counts. */
const specText = (object: unknown): string => {
  const {spec, status} = object as {spec?: unknown; status?: unknown}
  return JSON.stringify({spec, status})
}

const linesOf = (name: string) =>
  fixtureLines<Line>(name).map((line, index) => ({...line, id: `${index + 1} ${line.kind} ${JSON.stringify(line.object).slice(0, 160)}`}))

function verdict({kind, object, setup, op}: Line) {
  if (!isKindName(kind)) return {problems: [{field: 'kind', message: 'unknown'}]}
  const stored = storeAll(setup)
  const previous = op === 'update' ? stored.find((one) => one.kind === kind && one.resource.metadata.name === object.metadata.name)?.resource : undefined
  const unknown = unknownFields(kind, object)
  if (unknown.length > 0) return {problems: unknown.map((field) => ({field, message: 'unknown'}))}
  return accept(kind, object, situationOf(kind, stored, op ?? 'create', previous))
}

/** What the Go client stores and ours refuses (more-kinds §3, §8): by the field that is wrong. */
const STRICTER: readonly (readonly [field: string, is: (line: Line) => boolean])[] = [
  ['metadata.namespace', ({object: {metadata}}) => metadata.namespace === 'Bad_NS' || metadata.namespace === 'a/b'],
  ['spec.tier', ({op, note}) => op === 'update' && note === 'to a tier that does not exist'],
]

describe.each(['golden/validation.jsonl', 'golden/validation-more.jsonl', 'model/generated.jsonl'])('accept gives the verdict of libcalico-go v3.32.1: %s', (name) => {
  test.each(linesOf(name))('$id', (line) => {
    const {resource, problems} = verdict(line)
    // What is stored is taken for what it was made from without being read again (client/resources.ts), and what was decoded is not decoded again.
    if (resource && isKindName(line.kind)) {
      const again = decode(line.kind, parseJson(stringifyJson(resource)))
      expect(again.resource).toEqual(resource)
      expect(isDeepStrictEqual(again.resource, resource)).toBe(true)
      expect(accept(line.kind, resource, {operation: 'update', previous: resource}).problems).toEqual(accept(line.kind, again.resource, {operation: 'update', previous: resource}).problems)
      expect(hazards(line.kind, resource)).toEqual(hazards(line.kind, parseJson(stringifyJson(resource))))
    }
    const stricter = STRICTER.find(([, is]) => line.accepted && is(line))
    if (stricter) {
      expect(problems.map(({field}) => field)).toEqual([stricter[0]])
      return
    }
    expect({accepted: problems.length === 0, problems: line.accepted ? problems : undefined}).toEqual({
      accepted: line.accepted,
      problems: line.accepted ? [] : undefined,
    })
    if (line.stored !== undefined) {
      const expected = comparable(JSON.parse(line.stored))
      expect(comparable(resource)).toEqual(expected)
      if (name === 'golden/validation-more.jsonl') expect(specText(comparable(resource))).toBe(specText(expected))
    }
    for (const {field, message} of problems) {
      expect(field).toMatch(/^[a-zA-Z]/)
      expect(message).not.toBe('')
    }
  })
})
