/** Many editors of profiles, of the profiles of endpoints, and of pools. */
import {editEndpointProfiles} from '../../../src/lib/client/endpoint-profiles.js'
import {findEndpoint} from '../../../src/lib/client/endpoints.js'
import {addPools} from '../../../src/lib/client/pools.js'
import {type PoolRemoval, removePools} from '../../../src/lib/client/pool-removal.js'
import {addProfile, editProfile, listProfileNames, removeProfile} from '../../../src/lib/client/profiles.js'
import {changeResource, type ResourceChange} from '../../../src/lib/client/resources.js'
import type {Change, Revision} from '../../../src/lib/datastore/datastore.js'
import {entriesUnder, type State} from '../../../src/lib/datastore/embedded/state.js'
import {kindPrefix} from '../../../src/lib/model/keys.js'
import type {IPPool, Profile, WorkloadEndpoint} from '../../../src/lib/model/types.js'
import {overlaps, parseCidr} from '../../../src/lib/net/index.js'
import {addRule, addTag, removeTag, tagsOf} from '../../../src/lib/rules/edit.js'
import {toV3} from '../../../src/lib/rules/v3.js'
import {endpointObject} from '../../../src/lib/workload/endpoint-object.js'
import {type Actor, type Command, once, type World} from '../simulation.js'
import {cidrOf, read} from './stored.js'

const PROFILES = ['web', 'db', 'cache']
const ENDPOINTS = ['e0', 'e1']
const POOLS = ['10.0.0.0/24', '10.0.0.0/25', '10.0.1.0/24']

const PROFILE = kindPrefix('Profile')
const ENDPOINT = kindPrefix('WorkloadEndpoint')
const POOL = kindPrefix('IPPool')

const wrote = ({action}: Pick<ResourceChange, 'action'>): boolean => action !== 'unchanged'
const wroteIt = ({change}: {readonly change: ResourceChange}): boolean => wrote(change)

export const editors: World = {
  name: 'editors',
  actors: 4,
  commands: 4,
  make: ({store, commands}) => {
    /** The names of the profiles and the pools, revision by revision. */
    const history: {revision: Revision; names: string; pools: readonly string[]}[] = []

    const note = (state: State): void => void history.push({revision: state.revision, names: namesIn(state), pools: poolsIn(state)})

    function listed({began, ended, said, actor}: Command<string[]>): string[] {
      if (said === undefined || 'failed' in said) return []
      const before = history.filter(({revision}) => revision <= began).slice(-1)
      const known = [...before, ...history.filter(({revision}) => revision > began && revision <= (ended ?? revision))]
      return known.some(({names}) => names === said.done.join()) ? [] : [`${actor.name} was told ${said.done.join()}, which were the profiles at no time since it asked`]
    }

    /** A pool whose deletion was told was missing at some moment since the command began: somebody else may have deleted it. */
    const gone = (pool: string) => ({began, said}: Command<PoolRemoval>): string[] =>
      said !== undefined && 'done' in said && !history.some(({revision, pools}) => revision >= began && !pools.includes(pool)) ? [`it told that ${pool} was deleted, and it was there all the time`] : []

    /** As once(); of a deletion whose answer was lost, "gone is done": somebody else may have made it (decisions.md 10). */
    const deleted = (profile: string) => (command: Command<ResourceChange>): string[] =>
      command.executed.length === 0 && history.some(({revision, names}) => revision > command.began && !names.split(',').includes(profile)) ? [] : once(wrote)(command)

    /**
     * As once(); where the answer was lost, the very same value that somebody else wrote meanwhile is taken for one's own (decisions.md 10): what was to
     * be there is there.
     */
    const onceOrSame = <T>(told: (result: T) => boolean) => (command: Command<T>): string[] => {
      const isSame = (other: Command): boolean => other.actor !== command.actor && [...other.may].join() === [...command.may].join() && other.executed.some(({revision}) => revision > command.began)
      return command.executed.length === 0 && commands.some(isSame) ? [] : once(told)(command)
    }

    async function step(actor: Actor, profile: string, mark: string, own: {profile: string; tag: string}[]): Promise<void> {
      const {random} = actor
      const session = actor.session()
      const tagged = (name: string, edit: (before: Profile) => Profile): Promise<{change: ResourceChange}> => editProfile(session, name, (before) => ({profile: edit(before)}))
      switch (random.below(9)) {
        case 0:
          await actor.command(`profile add ${profile}`, {may: [`create ${profile}`], untrue: once(wrote)}, () => addProfile(session, profile))
          return
        case 1:
        case 2:
          if (await actor.command(`profile ${profile} tag add ${mark}`, {may: [`+tag ${profile} ${mark}`], untrue: once(wroteIt)}, () => tagged(profile, (before) => addTag(before, mark)))) own.push({profile, tag: mark})
          return
        case 3: {
          const {profile: mine, tag} = own.pop() ?? {profile, tag: 'nothing'}
          await actor.command(`profile ${mine} tag remove ${tag}`, {may: [`-tag ${mine} ${tag}`], untrue: once(wroteIt)}, () => tagged(mine, (before) => removeTag(before, tag) ?? before))
          return
        }
        case 4: {
          const rule = toV3({action: 'allow', from: {tag: mark}, to: {}})
          await actor.command(`profile ${profile} rule add inbound allow from tag ${mark}`, {may: [`+rule ${profile} ${JSON.stringify(rule)}`], untrue: once(wroteIt)}, () => editProfile(session, profile, addRule('inbound', rule, 1)))
          return
        }
        case 5:
          await actor.command(`profile remove ${profile}`, {may: [`delete ${profile}`], untrue: deleted(profile)}, () => removeProfile(session, profile, {check: true}))
          return
        case 6: {
          const id = random.pick(ENDPOINTS)
          const action = random.pick(['append', 'remove'] as const)
          await actor.command(`endpoint ${id} profile ${action} ${profile}`, {may: [`${action} ${id} ${profile}`], untrue: onceOrSame(wroteIt)}, async () => editEndpointProfiles(session, await findEndpoint(session, id, {}), action, [profile]))
          return
        }
        case 7: {
          const pool = random.pick(POOLS)
          if (random.chance(0.5)) await actor.command(`pool add ${pool}`, {may: [`create ${pool}`, `enable ${pool}`], untrue: once((changes: ResourceChange[]) => changes.some(wrote))}, () => addPools(session, [cidrOf(pool)], {natOutgoing: true}))
          else await actor.command(`pool remove ${pool}`, {may: [`delete ${pool}`, `disable ${pool}`, `enable ${pool}`], untrue: gone(pool)}, () => removePools(session, [cidrOf(pool)], {force: false}))
          return
        }
        default:
          await actor.command('profile show', {untrue: listed}, () => listProfileNames(session))
      }
    }

    return {
      async setUp(session) {
        await addProfile(session, 'web')
        await addProfile(session, 'db')
        for (const [i, endpoint] of ENDPOINTS.entries()) {
          const object = endpointObject({node: 'n1', orchestrator: 'docker', stored: `w${i}`, id: `w${i}`}, {endpoint, ipNetworks: [`10.9.0.${i}/32`], interfaceName: `cali${i}`, mac: 'ee:ee:ee:ee:ee:ee', profiles: ['web']})
          await changeResource<WorkloadEndpoint>(session, {kind: 'WorkloadEndpoint', name: object.metadata.name, namespace: 'default'}, () => object)
        }
        note(store.state)
      },
      async act(actor, commands) {
        const own: {profile: string; tag: string}[] = []
        for (let i = 0; i < commands; i++) {
          await step(actor, actor.random.pick(PROFILES), `t${actor.number}-${i}`, own)
          if (actor.random.chance(0.3)) await actor.sleep(actor.random.next() * 100)
        }
      },
      needs,
      wrong(state) {
        note(state)
        return wrongIn(state)
      },
    }
  },
}

const namesIn = (state: State): string => entriesUnder(state, PROFILE).map(({key}) => key.slice(PROFILE.length)).join()

const poolsIn = (state: State): string[] => entriesUnder(state, POOL).map((kv) => read<IPPool>(kv).spec.cidr)

function needs({key, kv, previous}: Change): string[] {
  if (key.startsWith(PROFILE)) return profileNeeds(key.slice(PROFILE.length), previous && read<Profile>(previous), kv && read<Profile>(kv))
  if (key.startsWith(ENDPOINT)) return endpointNeeds(previous && read<WorkloadEndpoint>(previous), kv && read<WorkloadEndpoint>(kv))
  if (key.startsWith(POOL)) return poolNeeds(previous && read<IPPool>(previous), kv && read<IPPool>(kv))
  return [`change ${key}`]
}

/** What a change of the profile NAME needs. */
export function profileNeeds(name: string, before: Profile | undefined, after: Profile | undefined): string[] {
  if (!before) return [`create ${name}`]
  if (!after) return [`delete ${name}`]
  const [old, now] = [tagsOf(before), tagsOf(after)]
  const [rules, newRules] = [before, after].map(({spec}) => [...(spec.ingress ?? []), ...(spec.egress ?? [])].map((rule) => JSON.stringify(rule)))
  return [
    ...difference(now, old).map((tag) => `+tag ${name} ${tag}`),
    ...difference(old, now).map((tag) => `-tag ${name} ${tag}`),
    ...difference(newRules ?? [], rules ?? []).map((rule) => `+rule ${name} ${rule}`),
    ...difference(rules ?? [], newRules ?? []).map((rule) => `-rule ${name} ${rule}`),
  ]
}

function endpointNeeds(before: WorkloadEndpoint | undefined, after: WorkloadEndpoint | undefined): string[] {
  const id = (before ?? after)?.spec.endpoint ?? ''
  if (!before || !after) return [`${before ? 'delete' : 'create'} ${id}`]
  const [old, now] = [before.spec.profiles ?? [], after.spec.profiles ?? []]
  return [...difference(now, old).map((profile) => `append ${id} ${profile}`), ...difference(old, now).map((profile) => `remove ${id} ${profile}`)]
}

function poolNeeds(before: IPPool | undefined, after: IPPool | undefined): string[] {
  const cidr = (before ?? after)?.spec.cidr ?? ''
  if (!before) return [`create ${cidr}`]
  if (!after) return [`delete ${cidr}`]
  return [after.spec.disabled ? `disable ${cidr}` : `enable ${cidr}`]
}

const difference = (a: readonly string[], b: readonly string[]): string[] => a.filter((each) => !b.includes(each))

/** An endpoint never names a profile that is not stored; pools do not overlap. */
function wrongIn(state: State): string[] {
  const profiles = new Set(entriesUnder(state, PROFILE).map(({key}) => key.slice(PROFILE.length)))
  const endpoints = entriesUnder(state, ENDPOINT).map((kv) => read<WorkloadEndpoint>(kv))
  const cidrs = poolsIn(state)
  return [
    ...endpoints.flatMap((endpoint) => (endpoint.spec.profiles ?? []).filter((name) => !profiles.has(name)).map((name) => `endpoint ${endpoint.spec.endpoint} names the profile ${name}, which does not exist`)),
    ...cidrs.flatMap((cidr, i) => cidrs.slice(i + 1).filter((other) => overlap(cidr, other)).map((other) => `the pools ${cidr} and ${other} overlap`)),
  ]
}

function overlap(a: string, b: string): boolean {
  const [first, second] = [parseCidr(a), parseCidr(b)]
  return first !== undefined && second !== undefined && overlaps(first, second)
}
