/** What users called a thing, kept beside the name that Calico allows (design.md §4, decisions.md 13). */
import {convertName} from './names.js'
import type {Metadata} from './resource.js'

/** The annotation with the name that the user typed, where the stored one differs. */
const NAME_ANNOTATION = 'calicoctl/name'

/** The same for the workload of an endpoint. */
export const WORKLOAD_ANNOTATION = 'calicoctl/workload'

export interface DisplayName {
  /** The name to show. */
  readonly name: string
  /** What the annotation claims although the object cannot have been called so: to be warned about, never shown as the name. */
  readonly suspicious?: string
}

/**
 * The name to show for a stored object: the annotation's, if CONVERT makes the stored name of it, else the stored one. Anybody who may
 * write annotations could otherwise make one object look like another.
 */
export function displayName(metadata: Metadata, convert: (typed: string) => string = convertName): DisplayName {
  return displayed(metadata.name, ownValue(metadata.annotations, NAME_ANNOTATION), convert)
}

/** The same for the workload of an endpoint, whose stored form is WORKLOAD. */
export function displayWorkload(metadata: Metadata, workload: string): DisplayName {
  return displayed(workload, ownValue(metadata.annotations, WORKLOAD_ANNOTATION), convertName)
}

/** The annotations that a new object needs so that it is shown as TYPED: none if that is its stored name. */
export function nameAnnotations(typed: string, stored: string): Record<string, string> {
  return typed === stored ? {} : {[NAME_ANNOTATION]: typed}
}

function displayed(stored: string, typed: unknown, convert: (typed: string) => string): DisplayName {
  if (typeof typed !== 'string' || typed === stored) return {name: stored}
  return convertsTo(stored, typed, convert) ? {name: typed} : {name: stored, suspicious: typed}
}

function convertsTo(stored: string, typed: string, convert: (typed: string) => string): boolean {
  try {
    return convert(typed) === stored
  } catch {
    return false
  }
}

function ownValue(annotations: Metadata['annotations'], key: string): unknown {
  return annotations && Object.hasOwn(annotations, key) ? annotations[key] : undefined
}
