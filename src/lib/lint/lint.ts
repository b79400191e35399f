/**
 * lint: the whole store with Felix's eyes and an operator's (design-whole.md §5). Keys and values in, findings out; pure, and linear in the number of
 * endpoints.
 */
import {append} from '../append.js'
import {letsBorrow} from '../model/felix-endpoints.js'
import {felixParameters} from '../model/hazards.js'
import {KINDS} from '../model/kinds.js'
import {kindPrefix, parseKey, RESOURCES_PREFIX, resourceKey} from '../model/keys.js'
import type {KindName} from '../model/resource.js'
import {endpointFindings} from './endpoint-checks.js'
import {compareFindings, type Finding, finding} from './finding.js'
import {rawCommand, shellWord} from './mend.js'
import {networkFindings} from './network-checks.js'
import {objectFindings} from './object-checks.js'
import {afterCorrections} from './removals.js'
import {ruleFindings} from './rule-checks.js'
import {storedObject, type StoredObject} from './stored.js'
import {effectiveSetting, interfacePrefixes, type World, worldOf} from './world.js'
import {parseWorkloadEndpointName} from '../model/workload-endpoint-name.js'

/** Where the resources of all versions lie. */
export const ALL_RESOURCES = '/calico/resources/'

/** Where Calico kept its data before version 3, and nothing reads any more (datamodel-v3 §0.1). */
export const OLD_PREFIXES = ['/calico/v1/', '/calico/bgp/v1/'] as const

/** The newest Calico whose data this product knows. */
const KNOWN_VERSION = [3, 32] as const

export interface Lint {
  /** Takes the value of a key below {@link ALL_RESOURCES}. */
  readonly add: (key: string, value: string) => void
  /** Takes a key below one of {@link OLD_PREFIXES}. */
  readonly addOld: (key: string) => void
  /** All findings, errors first. */
  readonly finish: () => Finding[]
  /** How many objects were examined. */
  readonly count: () => number
}

/** A check of one store, which is given its keys in any order. */
export function createLint(): Lint {
  const objects: StoredObject[] = []
  const found: Finding[] = []
  const old = new Map<string, number>()
  let strangers = 0
  return {
    add: (key, value) => {
      const object = storedObject(key, value)
      if (object) objects.push(object)
      else if (parseKey(key) === undefined) {
        strangers++
        found.push(strangeKey(key))
      }
    },
    addOld: (key) => {
      const prefix = OLD_PREFIXES.find((each) => key.startsWith(each)) ?? ''
      const place = `${prefix}${key.slice(prefix.length).split('/', 1)[0] ?? ''}/`
      old.set(place, (old.get(place) ?? 0) + 1)
    },
    finish: () => {
      append(found, [...old].map(([key, count]) => finding('old-model', {key}, '', `has ${count} ${count === 1 ? 'key' : 'keys'} of a Calico version before 3, which nothing reads`, `etcdctl del --prefix ${shellWord(key)}`)))
      append(found, storeFindings(objects))
      return afterCorrections(found.sort(compareFindings))
    },
    count: () => objects.length + strangers,
  }
}

/** A key below {@link ALL_RESOURCES} that is none of those that Calico v3.32 looks at. */
function strangeKey(key: string): Finding {
  if (!key.startsWith(RESOURCES_PREFIX)) return finding('newer-version', {key}, '', 'is a key that this version of calicoctl does not know: it is ignored', 'use the calicoctl of the newer Calico version')
  const plural = key.slice(RESOURCES_PREFIX.length).split('/', 1)[0] ?? ''
  const known = Object.values(KINDS).find((kind) => kind.plural === plural)
  if (!known) return finding('newer-kind', {key}, '', `has a kind that this version of calicoctl does not know (${plural}): it is ignored, and its effect is not known`, 'calicoctl get kinds')
  return finding('misplaced', {key, kind: known.kind, name: key.slice(key.lastIndexOf('/') + 1)}, '', `is a key that Calico does not read: the key of a ${known.kind} is ${kindPrefix(known.kind)}${known.namespaced ? 'NAMESPACE/' : ''}NAME`, rawCommand({key}))
}

function storeFindings(objects: readonly StoredObject[]): Finding[] {
  const named = (kind: KindName): ReadonlySet<string> => new Set(objects.flatMap((object) => (object.kind === kind ? [object.name] : [])))
  const found = singleFindings(objects)
  const keysWith = (...codes: readonly Finding['code'][]): Set<string> => new Set(found.flatMap(({code, subject}) => (codes.includes(code) ? [subject.key] : [])))
  const absent = keysWith('refused', 'endpoint-name')
  const unlabelled = keysWith('refused', 'tag-lost')
  const world = worldOf(objects, absent, unlabelled)
  const tierNames = named('Tier')
  const initialised = named('ClusterInformation').has('default')
  return [
    ...found,
    ...(initialised || objects.length === 0 ? [] : [noCluster(tierNames.size > 0)]),
    ...newerVersions(world),
    ...ruleFindings(world),
    ...endpointFindings(world, named('Profile')),
    ...networkFindings(world, {initialised, nodeNames: named('Node'), tierNames, filterNames: named('BGPFilter'), tierPrefix: kindPrefix('Tier')}),
  ]
}

const singleFindings = (objects: readonly StoredObject[]): Finding[] => objects.flatMap(singleCheck(objects))

/** What an object shows by itself, with Felix's settings as they are in OBJECTS. */
export function singleCheck(objects: readonly StoredObject[]): (object: StoredObject) => Finding[] {
  const light: Pick<World, 'of'> = {of: (kind) => objects.filter((object) => object.kind === kind && object.resource !== undefined) as never}
  const prefixesOf = interfacePrefixes(light)
  const spoofingOf = effectiveSetting(light, ({raw}) => felixParameters(raw, 'workloadSourceSpoofing').at(-1)?.value)
  return (object) => {
    const node = object.kind === 'WorkloadEndpoint' ? (parseWorkloadEndpointName(object.name)?.node ?? '') : ''
    return objectFindings(object, {interfacePrefixes: prefixesOf(node), borrowing: letsBorrow(spoofingOf(node))})
  }
}

/**
 * A store whose tiers are there was initialised once: its ClusterInformation was deleted, over which Felix stops. Without either no one has initialised it
 * yet, as calico/node does at its start.
 */
function noCluster(hasTiers: boolean): Finding {
  const subject = {key: resourceKey('ClusterInformation', 'default'), kind: 'ClusterInformation' as const, name: 'default'}
  return hasTiers
    ? finding('cluster-information-missing', subject, '', 'does not exist: Felix stops', 'start calico/node, or: calicoctl profile add NAME --init')
    : finding('not-initialised', subject, '', 'and the tiers do not exist: the datastore has not been initialised; calico/node does this when it starts', 'start calico/node, or: calicoctl profile add NAME --init')
}

function newerVersions(world: World): Finding[] {
  return world.of('ClusterInformation').flatMap((object) => {
    const {calicoVersion = ''} = object.resource.spec
    const [, major, minor] = /^v?(\d{1,9})\.(\d{1,9})/.exec(calicoVersion) ?? []
    const newer = Number(major) > KNOWN_VERSION[0] || (Number(major) === KNOWN_VERSION[0] && Number(minor) > KNOWN_VERSION[1])
    return newer ? [finding('newer-version', object, 'spec.calicoVersion', `is ${calicoVersion}, and this version of calicoctl supports data up to v${KNOWN_VERSION.join('.')}: results may be incomplete`, 'use the calicoctl of the newer Calico version')] : []
  })
}
