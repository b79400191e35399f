/** Documents of `-o json`, held to the schemas that `calicoctl schema` prints. */
import {expect} from '@jest/globals'
import {Ajv2020, type ValidateFunction} from 'ajv/dist/2020.js'
import {parseJson} from '../../src/lib/json/json.js'
import {documentSchema} from '../../src/lib/documents/schemas.js'

const ajv = new Ajv2020({allErrors: true, allowUnionTypes: true, strict: true, formats: {int64: true, large: true}})
const known = new Map<string, ValidateFunction | undefined>()

function validatorOf(kind: string): ValidateFunction | undefined {
  if (!known.has(kind)) {
    const schema = documentSchema(kind)
    known.set(kind, schema && ajv.compile(schema))
  }
  return known.get(kind)
}

/** 64-bit numbers as the validator, which knows doubles, has whole numbers. */
const forValidator = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? Number(each) : each)))

/** What is wrong with VALUE as a document of KIND (by default its own `kind`); none if it is as its schema says. */
export function schemaFaults(value: unknown, kind?: string): string[] {
  const meant = kind ?? String((value as {kind?: unknown} | null)?.kind)
  const validate = validatorOf(meant)
  if (validate === undefined) return [`there is no schema of ${meant}`]
  return validate(forValidator(value)) ? [] : (validate.errors ?? []).map(({instancePath, message, params}) => `${meant}${instancePath} ${message ?? ''} ${JSON.stringify(params)}`)
}


/** RESULT of the line WORDS; what it prints with `-o json` is as its schema says. */
export function heldToSchema<R extends {readonly stdout: string}>(words: string, result: R): R {
  if (/ (-o json|--json)\b/.test(words) && result.stdout !== '') expect(schemaFaults(parseJson(result.stdout))).toEqual([])
  return result
}
