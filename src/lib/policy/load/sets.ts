import {asRecord, ownField} from '../../model/schema/codec.js'
import {networkOf, parseCidrOrAddress} from '../../net/index.js'
import type {AddressBook} from '../address-book.js'
import {type Labels, NAMESPACE_LABEL} from '../expression.js'
import {textMap} from './fields.js'
import type {EffectiveLabels, LabelList} from './labels.js'
import type {StoredObjects} from './stored.js'

/** Adds the network sets to BOOK. */
export function addSets(stored: StoredObjects, effective: EffectiveLabels, book: AddressBook): void {
  for (const raw of [...stored.of('GlobalNetworkSet'), ...stored.of('NetworkSet')]) {
    const labelsOf = (own: LabelList): Labels =>
      raw.namespace === undefined ? effective.of(own, []) : effective.of([...own.filter(([key]) => key !== NAMESPACE_LABEL), [NAMESPACE_LABEL, raw.namespace]], [`kns.${raw.namespace}`])
    const object = stored.decoded<{nets?: readonly string[]}>(raw, (metadata) => (asRecord(stored.parsed(raw)) ? {labels: labelsOf([...textMap(ownField(metadata, 'labels'))])} : {}))
    if (object === undefined) continue
    const labels = labelsOf(Object.entries(object.metadata.labels ?? {}))
    const nets = (object.spec.nets ?? []).flatMap((text) => parseCidrOrAddress(text) ?? [])
    book.addSet(nets.map(networkOf), effective.claim(labels, []))
  }
}
