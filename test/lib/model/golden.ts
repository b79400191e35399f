/** The golden files, line by line, and how recorded objects are compared (golden/README.md). */
import {readFileSync} from 'node:fs'
import {accept, type Situation} from '../../../src/lib/model/accept.js'
import {isKindName} from '../../../src/lib/model/kinds.js'
import type {KindName, Resource} from '../../../src/lib/model/resource.js'

export type Json = Record<string, unknown>

export const goldenLines = <T>(name: string): T[] => fixtureLines(`golden/${name}`)

export function fixtureLines<T>(name: string): T[] {
  return readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** OBJECT without what differs from run to run. */
export function comparable(object: unknown): unknown {
  const {metadata, ...rest} = JSON.parse(JSON.stringify(object)) as {metadata: Json}
  delete metadata.uid
  delete metadata.creationTimestamp
  return {...rest, metadata}
}

const TIERED: readonly KindName[] = ['GlobalNetworkPolicy', 'NetworkPolicy', 'StagedGlobalNetworkPolicy', 'StagedNetworkPolicy']

export interface Stored {
  kind: KindName
  resource: Resource
}

/** What must be known of the store to judge an object of KIND, from the objects that are in it. */
export function situationOf(kind: KindName, stored: readonly Stored[], operation: Situation['operation'], previous?: Resource): Situation {
  const ofKind = (wanted: KindName) => stored.filter((one) => one.kind === wanted).map(({resource}) => resource)
  return {
    operation,
    ...(previous ? {previous} : {}),
    ...(kind === 'IPPool' ? {others: ofKind('IPPool')} : {}),
    ...(TIERED.includes(kind) ? {others: ofKind('Tier')} : {}),
    ...(kind === 'BGPPeer' ? {filters: ofKind('BGPFilter').map(({metadata}) => metadata.name)} : {}),
  }
}

/** SETUP as it is stored; fails the test if ours refuses it. */
export function storeAll(setup: readonly Json[] | undefined): Stored[] {
  return (setup ?? []).flatMap((object) => {
    if (!isKindName(object.kind)) return []
    const {resource, problems} = accept(object.kind, object, {operation: 'create'})
    if (!resource) throw new Error(`setup refused: ${JSON.stringify(problems)}`)
    return [{kind: object.kind, resource}]
  })
}
