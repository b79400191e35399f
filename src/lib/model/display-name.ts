/** What users called a thing, kept beside the name that Calico allows (design.md §4, decisions.md 13). */
import {convertName} from './names.js'
import type {Metadata} from './resource.js'

/**
 * What v0.20's grammar takes for a name of a profile or tag (cli-v0.20 §1.10), and no option. Only such a name can have been typed: with others an
 * annotation could pass one object off as another (a soft hyphen in `web` cannot be seen), or be code for a shell.
 */
const TYPED_NAME = /^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/
const LONGEST_NAME = 253

/** Ids of containers, Mesos' too, and the paths of namespaces with `-` for `/`. */
const TYPED_WORKLOAD = /^[A-Za-z0-9_.:/@%+=,~-]+$/

/** What Docker lets containers and, in most cases, networks be called. */
const DOCKER_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/

/** The annotation with the name that the user typed, where the stored one differs. */
const NAME_ANNOTATION = 'calicoctl/name'

/** The same for the workload of an endpoint. */
export const WORKLOAD_ANNOTATION = 'calicoctl/workload'

export interface DisplayName {
  /** The name to show. */
  readonly name: string
  /** What the annotation claims although the object cannot have been called so, or no command takes it: to be warned about, never shown as the name. */
  readonly suspicious?: string
}

/**
 * The name to show for a stored object: the annotation's, if v0.20 would have taken it and it converts to the stored name, else the stored one. Anybody
 * who may write annotations could otherwise make one object look like another.
 */
export function displayName(metadata: Metadata): DisplayName {
  return displayed(metadata.name, ownValue(metadata.annotations, NAME_ANNOTATION), (typed) => typed.length <= LONGEST_NAME && TYPED_NAME.test(typed))
}

/** TEXT as Docker shows ids, if it is one (hexadecimal digits, more than a person reads): its first 12 characters, which tell it from others. */
export const shortId = (text: string): string => (/^[0-9a-f]{20,}$/.test(text) ? text.slice(0, 12) : text)

/** The same for the workload of an endpoint, whose stored form is WORKLOAD. */
export function displayWorkload(metadata: Metadata, workload: string): DisplayName {
  return displayed(workload, ownValue(metadata.annotations, WORKLOAD_ANNOTATION), (typed) => TYPED_WORKLOAD.test(typed))
}

/** The annotations that a new object needs so that it is shown as TYPED: none if that is its stored name. */
export function nameAnnotations(typed: string, stored: string): Record<string, string> {
  return typed === stored ? {} : {[NAME_ANNOTATION]: typed}
}

/** VALUE, what an annotation says that Docker calls a container or network, if Docker could call one so. */
export const dockerName = (value: unknown): string | undefined => (typeof value === 'string' && value.length <= LONGEST_NAME && DOCKER_NAME.test(value) ? value : undefined)

function displayed(stored: string, typed: unknown, isTyped: (text: string) => boolean): DisplayName {
  if (typeof typed !== 'string' || typed === stored) return {name: stored}
  return isTyped(typed) && convertName(typed) === stored ? {name: typed} : {name: stored, suspicious: typed}
}

function ownValue(annotations: Metadata['annotations'], key: string): unknown {
  return annotations && Object.hasOwn(annotations, key) ? annotations[key] : undefined
}
