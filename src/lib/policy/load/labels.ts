/** The labels that policies see: an endpoint's own, and those that its profiles give it (policy-evaluation §3). */
import {accept} from '../../model/accept.js'
import {problemText} from '../../model/resource.js'
import {asRecord, ownField} from '../../model/schema/codec.js'
import {compareUtf8} from '../../utf8-order.js'
import type {Labels} from '../expression.js'
import type {Claim, NamedPort} from '../world.js'
import {textMap} from './fields.js'
import type {StoredObjects} from './stored.js'

/** A list of label keys and values. */
export type LabelList = readonly (readonly [string, string])[]

/** All effective labels of a store; those that are equal are one object, by which others remember what they found. */
export class EffectiveLabels {
  private readonly sets = new Map<string, Labels>()
  private readonly asked = new Map<string, Labels>()
  private readonly claims = new Map<string, Claim>()
  private readonly inherited = new Map<string, LabelList>()

  constructor(private readonly stored: StoredObjects) {}

  /** The labels of an endpoint or set: its OWN, and those that its PROFILES add. Equal labels are one object. */
  of(own: LabelList, profiles: readonly string[]): Labels {
    const text = JSON.stringify([own, profiles])
    let labels = this.asked.get(text)
    if (labels === undefined) this.asked.set(text, (labels = this.effectiveLabels(own, profiles)))
    return labels
  }

  private effectiveLabels(own: LabelList, profiles: readonly string[]): Labels {
    const map = new Map<string, string>()
    for (const [key, value] of own) map.set(key, value)
    for (const profile of profiles) for (const [key, value] of this.inheritedFrom(profile)) if (!map.has(key)) map.set(key, value)
    const text = JSON.stringify([...map].sort(([a], [b]) => compareUtf8(a, b)))
    let labels = this.sets.get(text)
    if (labels === undefined) {
      labels = {id: this.sets.size, map}
      this.sets.set(text, labels)
    }
    return labels
  }

  /** What an address of an endpoint with LABELS and PORTS is to rules. Equal claims are one object. */
  claim(labels: Labels, ports: readonly NamedPort[]): Claim {
    const text = `${labels.id} ${JSON.stringify(ports)}`
    let claim = this.claims.get(text)
    if (claim === undefined) {
      claim = {labels, ports}
      this.claims.set(text, claim)
    }
    return claim
  }

  /** The labels that PROFILE gives its endpoints: none if Felix's validation refuses it. */
  private inheritedFrom(name: string): LabelList {
    let labels = this.inherited.get(name)
    if (labels === undefined) {
      labels = this.labelsOfProfile(name)
      this.inherited.set(name, labels)
    }
    return labels
  }

  private labelsOfProfile(name: string): LabelList {
    const raw = this.stored.get('Profile', name)
    if (raw === undefined) return []
    const value = this.stored.parsed(raw)
    const labels = [...textMap(ownField(asRecord(ownField(asRecord(value) ?? {}, 'spec')) ?? {}, 'labelsToApply'))]
    if (labels.length === 0) return []
    const {problems} = accept('Profile', value, {operation: 'update'})
    if (problems.length === 0) return labels
    if (typeof this.stored.decodeValue('Profile', value) === 'string') return []
    this.stored.note(raw, 'labels-lost', problems.map(problemText).join('; '))
    return []
  }
}
