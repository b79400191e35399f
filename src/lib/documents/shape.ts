/** Shapes of JSON documents: each is a JSON schema, and the type of what it describes, so that the two cannot differ. Pure. */

/** A schema, or a part of one (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>

declare const CONTENT: unique symbol

/** The values of type T as a schema. */
export interface Shape<out T> {
  readonly schema: JsonSchema
  readonly [CONTENT]?: T
}

/** What a shape describes. */
export type ContentOf<S> = S extends Shape<infer T> ? T : never

type Shapes = Readonly<Record<string, Shape<unknown>>>
type Required<F extends Shapes> = {readonly [K in keyof F]: ContentOf<F[K]>}
type Optional<F extends Shapes> = {readonly [K in keyof F]?: ContentOf<F[K]> | undefined}

const shape = <T>(schema: JsonSchema): Shape<T> => ({schema})

/** INNER with words about it, for those who read the schema. */
export const about = <T>(description: string, inner: Shape<T>): Shape<T> => shape({...inner.schema, description})

export const text = shape<string>({type: 'string'})
export const flag = shape<boolean>({type: 'boolean'})
/** A whole number that a double holds. */
export const integer = shape<number>({type: 'integer'})
export const number = shape<number>({type: 'number'})
/** A whole number of 64 bits, in digits: programs must not read it as a double. */
export const int64 = shape<number | bigint>({type: 'integer', format: 'int64'})
/** A whole number of more than 64 bits, in digits: a number of addresses of IPv6. */
export const large = shape<number | bigint>({type: 'integer', format: 'large'})
/** A whole number of 64 bits as a text, as Kubernetes has revisions. */
export const digits = shape<string>({type: 'string', format: 'int64', pattern: '^[0-9]*$'})
/** An instant, ISO 8601. */
export const time = shape<string>({type: 'string'})
/** Whatever is stored. */
export const anything = shape<unknown>({})
/** An object of which the shape is not ours: what it has is kept. */
export const openObject = (known: Shapes = {}): Shape<object> => shape({type: 'object', ...(Object.keys(known).length > 0 && {properties: schemas(known)}), additionalProperties: true})

export const oneOf = <const W extends string>(...words: readonly W[]): Shape<W> => shape({type: 'string', enum: words})
/** The number 6, or another that stands for itself. */
export const exactly = <const V extends number>(value: V): Shape<V> => shape({const: value})
export const list = <T>(item: Shape<T>): Shape<readonly T[]> => shape({type: 'array', items: item.schema})
/** INNER, or null where there is no value. */
export const orNull = <T>({schema}: Shape<T>): Shape<T | null> => shape(typeof schema.type === 'string' && schema.enum === undefined ? {...schema, type: [schema.type, 'null']} : {anyOf: [schema, {type: 'null'}]})
/** One of several shapes. */
export const either = <S extends readonly Shape<unknown>[]>(...shapes: S): Shape<ContentOf<S[number]>> => shape({anyOf: shapes.map(({schema}) => schema)})
/** Any names, each with a VALUE. */
export const map = <T>(value: Shape<T>): Shape<Readonly<Record<string, T>>> => shape({type: 'object', additionalProperties: value.schema})

/** An object with the fields REQUIRED and none beside them and OPTIONAL ones, which are left out where they have no value. */
export function object<R extends Shapes>(required: R): Shape<Required<R>>
export function object<R extends Shapes, O extends Shapes>(required: R, optional: O): Shape<Required<R> & Optional<O>>
export function object(required: Shapes, optional?: Shapes): Shape<object> {
  return shape({type: 'object', properties: {...schemas(required), ...(optional && schemas(optional))}, required: Object.keys(required), additionalProperties: false})
}

const schemas = (shapes: Shapes): JsonSchema => Object.fromEntries(Object.entries(shapes).map(([name, {schema}]) => [name, schema]))
