/** A container of ours as it is, against the one that its plan would make: replaced only where something differs, and then it is said what. */
import {statSync} from 'node:fs'
import {type ContainerDetails, containerDetails} from '../docker/details.js'
import {type ImageDetails, imageDetails} from '../docker/images.js'
import type {ContainerSpec} from '../docker/lifecycle.js'
import {CONTAINER_NAME, type ContainerPlan, RESTART_POLICY} from './container.js'

/** The container of PLAN as the Engine takes it. */
export const containerSpec = ({name = CONTAINER_NAME, image, environment, mounts, pidMode}: ContainerPlan): ContainerSpec => ({
  name,
  image,
  environment: environment.map((each) => `${each.name}=${each.value}`),
  binds: mounts.map(({source, target, readOnly}) => `${source}:${target}${readOnly ? ':ro' : ''}`),
  restartPolicy: RESTART_POLICY,
  ...(pidMode === undefined ? {} : {pidMode}),
})

export type ComparedDetails = Pick<ContainerDetails, 'image' | 'imageId' | 'environment' | 'binds' | 'command' | 'privileged' | 'networkMode' | 'pidMode' | 'restartPolicy'>

/** Values of these are reported; what else a container was given may be a secret. */
const PUBLIC = /^(?:AS|IP6?|IP6?_AUTODETECTION_METHOD|NODENAME|HOSTNAME|NO_DEFAULT_POOLS|DATASTORE_TYPE|ETCD_ENDPOINTS|ETCD_\w+_FILE|ETCD_USERNAME|CALICO_NETWORKING_BACKEND|CALICO_MANAGE_CNI|CALICO_EXPECT_CLUSTER|FELIX_HEALTHENABLED|CALICO_LIBNETWORK_\w+)$/

/** What of FOUND is not as SPEC would make it of IMAGE, which gives it variables and its program: phrases for people, without secrets; none if all is. Pure. */
export function containerDifferences(found: ComparedDetails, spec: ContainerSpec, image: ImageDetails): string[] {
  return [
    ...(found.imageId === image.id ? [] : [found.image === spec.image ? `the tag ${spec.image} now refers to another image` : `image: ${found.image} → ${spec.image}`]),
    ...environmentDifferences(found.environment, variables([...image.environment, ...spec.environment])),
    ...found.binds.filter((bind) => !spec.binds.includes(bind)).map((bind) => `mount ${bind}: removed`),
    ...spec.binds.filter((bind) => !found.binds.includes(bind)).map((bind) => `mount ${bind}: added`),
    ...(found.imageId !== image.id || same(found.command, image.command) ? [] : ['program: the image\'s own']),
    ...changed('privileged', String(found.privileged), 'true'),
    ...changed('network', found.networkMode, 'host'),
    ...changed('pid namespace', found.pidMode || 'its own', spec.pidMode ?? 'its own'),
    ...changed('restart policy', found.restartPolicy, spec.restartPolicy),
  ]
}

/** LINES, `NAME=value` each, by name. */
export const variables = (lines: readonly string[]): Map<string, string> => new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))

/** The variables that FOUND and WANTED do not have alike, by name: phrases for people, old → new, without what may be a secret. Pure. */
export function environmentDifferences(found: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): string[] {
  return [...new Set([...found.keys(), ...wanted.keys()])].sort().flatMap((name) => {
    const [before, after] = [found.get(name), wanted.get(name)]
    if (before === after) return []
    if (PUBLIC.test(name)) return changed(name, before ?? 'none', after ?? 'none')
    return [`${name}: ${after === undefined ? 'removed' : before === undefined ? 'added' : 'changed'}`]
  })
}

const changed = (what: string, before: string, after: string): string[] => (before === after ? [] : [`${what}: ${before} → ${after}`])

const same = (a: readonly string[], b: readonly string[]): boolean => a.length === b.length && a.every((each, i) => each === b[i])

/** For people, a line each: the container NAME with this ID was removed, and why. */
export const removedLines = (name: string, id: string, differences: readonly string[]): string[] =>
  [`The container ${name} that was there before was removed (${id.slice(0, 12)}).`, ...listed('Differences:', differences)]

/** PHRASES as lines under HEADING; nothing where there are none. */
export const listed = (heading: string, phrases: readonly string[]): string[] => (phrases.length === 0 ? [] : [heading, ...phrases.map((each) => `  ${each}`)])

export interface Comparison {
  /** The container that is there under the plan's name; undefined if there is none. */
  readonly found: ContainerDetails | undefined
  /** The container runs, and is what the plan would make. */
  readonly keep: boolean
  /** What is not as the plan would make it. */
  readonly differences: readonly string[]
}

/** The container that is there, against PLAN, whose image has been pulled where that was wanted. @throws CalicoError as the methods of Engine do */
export async function comparePlanned(plan: ContainerPlan): Promise<Comparison> {
  const spec = containerSpec(plan)
  const [found, image] = await Promise.all([containerDetails(spec.name), imageDetails(plan.image)])
  if (!found) return {found, keep: false, differences: []}
  const differences = image ? [...containerDifferences(found, spec, image), ...writtenSince(plan, found.startedAt)] : [`image: ${found.image} → ${spec.image}, which is not on this host yet`]
  return {found, keep: differences.length === 0 && found.state === 'running', differences}
}

/** Files that the container got and that were written after its start (new certificates, for example): it still has the old ones. */
function writtenSince({mounts}: ContainerPlan, startedAt: string): string[] {
  const start = Date.parse(startedAt)
  return mounts.flatMap(({source}) => {
    const status = statSync(source, {throwIfNoEntry: false})
    return status?.isFile() && status.ctimeMs > start ? [`${source}: modified since its start`] : []
  })
}
