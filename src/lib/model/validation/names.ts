/** Rules for names, labels and annotations (datamodel-v3 §2.1). */
import {isNameLabel, hasNameSyntax} from '../schema/rules.js'
import type {KindName} from '../resource.js'
import type {Report} from './kind.js'

const LONGEST_NAME = 253
const LONGEST_LABEL = 63
const MOST_ANNOTATION_BYTES = 256 * 1024
const QUALIFIED = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

/** Whether KEY is a label or annotation key: an optional DNS prefix and `/`, then at most 63 of `A-Za-z0-9_.-`, a letter or digit at both ends. */
export function isQualifiedName(key: string): boolean {
  const [first = '', second, ...more] = key.split('/')
  if (more.length > 0) return false
  if (second === undefined) return isLabelPart(first)
  return first.length <= LONGEST_NAME && hasNameSyntax(first) && isLabelPart(second)
}

const isLabelPart = (text: string): boolean => text.length <= LONGEST_LABEL && QUALIFIED.test(text)

/** Whether VALUE is a label's value: empty, or like the last part of a label key. */
function isLabelValue(value: string): boolean {
  return value === '' || isLabelPart(value)
}

/** Checks LABELS, whose path is FIELD. */
export function checkLabels(labels: Readonly<Record<string, string>>, field: string, report: Report): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!isQualifiedName(key)) {
      report(`${field}[${JSON.stringify(key)}]`, 'is not a label key: up to 63 letters, digits, "-", "_" and ".", a letter or digit at both ends')
    }
    if (!isLabelValue(value)) {
      report(`${field}[${JSON.stringify(key)}]`, `must have a value of up to 63 letters, digits, "-", "_" and ".", not ${JSON.stringify(value)}`)
    }
  }
}

/** Checks ANNOTATIONS, whose path is FIELD. */
export function checkAnnotations(annotations: Readonly<Record<string, string>>, field: string, report: Report): void {
  let bytes = 0
  for (const [key, value] of Object.entries(annotations)) {
    if (!isQualifiedName(key.toLowerCase())) {
      report(`${field}[${JSON.stringify(key)}]`, 'is not an annotation key: up to 63 letters, digits, "-", "_" and "." after an optional DNS name and "/"')
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  }
  if (bytes > MOST_ANNOTATION_BYTES) report(field, `must have at most ${MOST_ANNOTATION_BYTES} bytes in all, not ${bytes}`)
}

/** Checks a resource's name: the rule of all kinds. */
export function checkName(name: string, report: Report): void {
  if (name === '') report('metadata.name', 'must be set')
  else if (!hasNameSyntax(name)) {
    report(
      'metadata.name',
      `must be lower-case letters, digits, "-" and ".", each part beginning and ending with a letter or digit, not ${JSON.stringify(name)}`,
    )
  }
  if (Buffer.byteLength(name) > LONGEST_NAME) report('metadata.name', `must have at most ${LONGEST_NAME} characters, not ${name.length}`)
}

/** A tier's name: one label. */
export function checkTierName(name: string, report: Report): void {
  if (!isNameLabel(name)) report('metadata.name', `must be lower-case letters, digits and inner "-", not ${JSON.stringify(name)}`)
  if (name.length > LONGEST_LABEL) report('metadata.name', `must have at most ${LONGEST_LABEL} characters, not ${name.length}`)
}

/** How the names of policies begin that others make: Kubernetes' and OpenStack's. What follows is a whole resource name. */
const MADE_BY_OTHERS = /^(?:knp|ossg)\.default\.(.+)$/s

/** A namespaced policy's name: as a global one's, or one made from a policy of Kubernetes or a security group of OpenStack. */
export function checkNamespacedPolicyName(name: string, report: Report): void {
  if (!hasNameSyntax(MADE_BY_OTHERS.exec(name)?.[1] ?? '')) checkPolicyName(name, report)
}

/**
 * Checks the NAMESPACE of an object of KIND: one DNS label. Calico's client takes any, and one with a slash makes a key that no list finds (more-kinds).
 * Endpoints are where others have put them, so there only the slash counts.
 */
export function checkNamespace(kind: KindName, namespace: string, report: Report): void {
  if (kind === 'WorkloadEndpoint') {
    if (namespace.includes('/')) report('metadata.namespace', `must be without "/", not ${JSON.stringify(namespace)}`)
  } else if (!isNameLabel(namespace)) report('metadata.namespace', `must be lower-case letters, digits and inner "-", not ${JSON.stringify(namespace)}`)
  else if (namespace.length > LONGEST_LABEL) report('metadata.namespace', `must have at most ${LONGEST_LABEL} characters, not ${namespace.length}`)
}

/** A global policy's name: one label, or two with a dot between them. */
export function checkPolicyName(name: string, report: Report): void {
  const parts = name.split('.')
  if (parts.length > 2 || !parts.every(isNameLabel)) {
    report('metadata.name', `must be lower-case letters, digits and inner "-", with at most one ".", not ${JSON.stringify(name)}`)
  }
}
