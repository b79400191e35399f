/** What the commands on endpoints share: arguments, filters, and how endpoints are shown (cli-v0.20 §4.5). */
import {Args, Flags} from '@oclif/core'
import {profileNames, type ProfileAction, type ProfilesEdited} from '../client/endpoint-profiles.js'
import {CONTAINER_ANNOTATION, type Endpoint, type EndpointCount, type EndpointFilter, findEndpoint, type SortedEndpoints} from '../client/endpoints.js'
import type {Session} from '../client/session.js'
import {CalicoError, isError} from '../errors.js'
import {dockerName, shortId} from '../model/display-name.js'
import {type Column, ownDocument, type Presentation, resourceList, shortNetworks} from '../cli/output/presentation.js'
import {shownResource} from '../cli/output/shown.js'
import {readProfileName} from '../cli/arguments.js'
import {checked} from '../cli/base-command.js'
import {requireKnownNode} from './known-node.js'
import {paragraph} from '../cli/paragraph.js'

export const endpointArgument = () =>
  Args.string({required: true, ignoreStdin: true, description: 'The endpoint: its id or at least the first 4 digits of it, its host interface, one of its addresses, or the full or short id of its container.'})

export const profilesArgument = ({required}: {required: boolean}) =>
  Args.custom({parse: checked(readProfileName)})({required: false, ignoreStdin: true, multiple: true, description: `The profiles, in order of evaluation.${required ? '' : ' With no names, all profiles are removed.'}`})

/** v0.20's filters. */
export const filterFlags = {
  host: Flags.string({description: 'Only endpoints of this node.', helpValue: 'HOSTNAME'}),
  orchestrator: Flags.string({description: 'Only endpoints of this orchestrator: docker, namespace, mesos, …', helpValue: 'ORCHESTRATOR_ID'}),
  workload: Flags.string({description: 'Only endpoints of this workload: the full id of a container, for docker.', helpValue: 'WORKLOAD_ID'}),
}

/** The filter that FLAGS, those of a line that was read, are. */
export const filterOf = ({host, orchestrator, workload, endpoint}: EndpointFilter): EndpointFilter => ({host, orchestrator, workload, endpoint})

/** Makes sure that there is such a node as --host names, where nothing was found for it. @throws CalicoError `not-found` */
export async function requireHost(session: Session, {host}: EndpointFilter): Promise<void> {
  if (host !== undefined) await requireKnownNode(session, host)
}

/** The endpoint that WORD means among those that FILTER, of the line, lets through. @throws CalicoError as findEndpoint; it tells of an unknown node */
export async function findNamed(session: Session, word: string, filter: EndpointFilter): Promise<Endpoint> {
  try {
    return await findEndpoint(session, word, filter)
  } catch (error) {
    if (!isError(error, 'not-found')) throw error
    try {
      await requireHost(session, filter)
    } catch (cause) {
      if (!isError(cause, 'not-found')) throw cause
      throw new CalicoError('not-found', error.message, {details: [`${cause.message}.`], ...(cause.hint === undefined ? {} : {hint: cause.hint}), cause})
    }
    throw error
  }
}

export const presentCounts = (counts: readonly EndpointCount[]): Presentation<EndpointCount> => ({
  rows: counts,
  columns: [
    {header: 'Hostname', value: ({host}) => host},
    {header: 'Orchestrator ID', value: ({orchestrator}) => orchestrator},
    {header: 'Number of Workloads', value: ({workloads}) => String(workloads)},
    {header: 'Number of Endpoints', value: ({endpoints}) => String(endpoints)},
  ],
  name: ({host, orchestrator}) => `${host}/${orchestrator}`,
  document: (all) => all, // never shown: JSON and YAML have the endpoints
  former: true,
  blankAfter: true,
})

/** ENDPOINTS one by one, with the names of their profiles as users know them. */
export async function presentEndpoints(session: Session, endpoints: SortedEndpoints): Promise<Presentation<Endpoint>> {
  const profileNameOf = await profileNames(session, endpoints.profiles)
  const spec = ({stored}: Endpoint) => stored.resource.spec
  const columns = {
    host: {header: 'Hostname', value: ({host}) => host},
    orchestrator: {header: 'Orchestrator ID', value: ({orchestrator}) => orchestrator, rank: 4},
    workload: {header: 'Workload ID', value: ({workload}) => workload, short: ({workload}) => shortId(workload), rank: 1},
    id: {header: 'Endpoint ID', value: ({id}) => id, short: ({id}) => shortId(id)},
    addresses: {header: 'Addresses', value: (endpoint) => spec(endpoint).ipNetworks ?? [], short: (endpoint) => shortNetworks(spec(endpoint).ipNetworks ?? [])},
    mac: {header: 'MAC', value: (endpoint) => spec(endpoint).mac ?? 'None', rank: 5},
    profiles: {header: 'Profiles', value: (endpoint) => (spec(endpoint).profiles ?? []).map(profileNameOf).join(','), rank: 2},
    state: {header: 'State', value: () => 'active', rank: 6},
    container: {header: 'Container', value: ({stored}) => containerName(stored.resource.metadata.annotations), wide: true},
    interface: {header: 'Interface', value: (endpoint) => spec(endpoint).interfaceName ?? '', wide: true},
    namespace: {header: 'Namespace', value: ({place}) => place.namespace ?? '', wide: true},
  } satisfies Record<string, Column<Endpoint>>
  const {host, orchestrator, workload, id, addresses, mac, profiles, state, container} = columns
  return {
    rows: endpoints,
    columns: Object.values(columns),
    terminal: [host, orchestrator, {...container, wide: false}, workload, id, addresses, mac, profiles, state],
    former: true,
    name: ({id}) => id,
    growing: {list: 'items', itemOf: ({stored}) => shownResource(stored)},
    document: (shown) => resourceList('WorkloadEndpointList', shown.map(({stored}) => shownResource(stored))),
    blankAfter: true,
  }
}

/** The name that a container had when it was connected; '' if none was stored. */
export const containerName = (annotations: Readonly<Record<string, string>> | undefined): string =>
  (annotations && Object.hasOwn(annotations, CONTAINER_ANNOTATION) ? dockerName(annotations[CONTAINER_ANNOTATION]) : undefined) ?? ''

/** The profiles of ENDPOINT, by name. */
export async function presentEndpointProfiles(session: Session, endpoint: Endpoint): Promise<Presentation<string>> {
  const stored = endpoint.stored.resource.spec.profiles ?? []
  const nameOf = await profileNames(session, stored)
  const names = stored.map(nameOf)
  return {
    rows: [...names].sort(),
    columns: [{header: 'Name', value: (name) => name}],
    former: true,
    name: (name) => name,
    document: () => ownDocument('EndpointProfileList', {endpoint: endpoint.id, items: names}),
    ...(names.length === 0 ? {text: () => ['Endpoint has no profiles associated with it.']} : {}),
    blankAfter: true,
  }
}

/** v0.20's paragraph for what ACTION did; exactly one. */
export function profilesEditedText(action: ProfileAction, names: readonly string[], {done, already}: ProfilesEdited): string[] {
  const [first = ''] = already
  switch (action) {
    case 'append':
      return paragraph(done.length > 0 ? `Profile(s) ${done.join(', ')} appended.` : `Profile ${first} is already in endpoint profile list`)
    case 'remove':
      return paragraph(done.length > 0 ? `Profile(s) ${done.join(',')} removed.` : `Profile ${first} is not in endpoint profile list.`)
    case 'set':
      return paragraph(names.length > 0 ? `Profile(s) set to ${names.join(', ')}.` : 'Removed all profiles from endpoint.')
  }
}

/** What else there is to say: names of which nothing had to be done, beside others. */
export function profilesEditedNotes(action: ProfileAction, {done, already}: ProfilesEdited): string[] {
  if (done.length === 0) return []
  return already.map((name) => (action === 'remove' ? `Profile ${name} is not in endpoint profile list.` : `Profile ${name} is already in endpoint profile list`))
}
