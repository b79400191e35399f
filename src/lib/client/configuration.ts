/**
 * `config`: the settings that v0.20 kept as single keys, now fields and annotations of Calico's configuration objects
 * (cli-v0.20 §4.11, decisions.md 22). A section is a kind of object and the settings that it has by name.
 */
import {isDeepStrictEqual} from 'node:util'
import {CalicoError} from '../errors.js'
import {accept} from '../model/accept.js'
import {RAW_PREFIX} from '../model/hazards.js'
import {API_VERSION, type KindName, type Resource} from '../model/resource.js'
import {changeResource, getResource, type Place, type ResourceChange} from './resources.js'
import type {Session} from './session.js'

/** What the objects that hold settings have in common. */
export type Configuration = Resource<{readonly logSeverityScreen?: string}>

/** One setting of a section: how an object says it. All functions are pure; the same object back means that nothing changes. */
export interface ConfigSetting {
  /** The values that can be set without --force; none = any. */
  readonly values: readonly string[] | undefined
  /** The value in v0.20's words; undefined = not configured. */
  readonly read: (object: Configuration) => string | undefined
  readonly write: (object: Configuration, value: string) => Configuration
  readonly remove: (object: Configuration) => Configuration
}

export interface ConfigSection {
  /** As in the command: `felix`, `bgp`, `node bgp`. */
  readonly words: string
  readonly kind: KindName & ('FelixConfiguration' | 'BGPConfiguration')
  readonly settings: Readonly<Record<string, ConfigSetting>>
  /** Whether Calico reads raw parameters from this kind's annotations. */
  readonly rawParameters: boolean
}

/** The object of SECTION for all nodes, or for NODE. */
export const configurationPlace = ({kind}: ConfigSection, node?: string): Place => ({kind, name: node === undefined ? 'default' : `node.${node}`})

/** The raw parameter NAME as an annotation. */
export function rawParameter(name: string): ConfigSetting {
  const key = RAW_PREFIX + name
  const valueOf = ({metadata: {annotations = {}}}: Configuration): string | undefined => (Object.hasOwn(annotations, key) ? annotations[key] : undefined)
  return {
    values: undefined,
    read: valueOf,
    write: (object, value) =>
      valueOf(object) === value ? object : {...object, metadata: {...object.metadata, annotations: {...object.metadata.annotations, [key]: value}}},
    remove(object) {
      if (valueOf(object) === undefined) return object
      const {annotations = {}, ...metadata} = object.metadata
      const others = Object.entries(annotations).filter(([other]) => other !== key)
      return {...object, metadata: others.length === 0 ? metadata : {...metadata, annotations: Object.fromEntries(others)}}
    },
  }
}

/**
 * The setting NAME of SECTION, and VALUE, if given, judged. With FORCE an unknown NAME is the raw parameter of that name and any value goes.
 * @throws CalicoError `invalid` with what is allowed
 */
export function findSetting(section: ConfigSection, name: string, {value, force}: {value?: string | undefined; force: boolean}): ConfigSetting {
  const setting = Object.hasOwn(section.settings, name) ? section.settings[name] : undefined
  if (setting === undefined) {
    if (force && name !== '') return rawParameter(name)
    throw new CalicoError('invalid', `'${name}' is not a setting of config ${section.words}: use ${Object.keys(section.settings).join(', ')}.`, force ? {} : {
      hint: section.rawParameters
        ? `--force stores it as the raw parameter of that name, which is not validated.`
        : `--force stores it as the annotation ${RAW_PREFIX}${name}, which current Calico versions do not read.`,
    })
  }
  if (value !== undefined && setting.values && !setting.values.includes(value) && !force) {
    throw new CalicoError('invalid', `'${value}' is not a value of ${name}: use ${setting.values.join(', ')}.`, {hint: '--force stores it anyway.'})
  }
  return setting
}

/** The value that is stored for SETTING at PLACE, undefined if none is. */
export async function readSetting(session: Session, place: Place, setting: ConfigSetting): Promise<string | undefined> {
  const stored = await getResource<Configuration>(session, place)
  return stored && setting.read(stored.resource)
}

/** Makes VALUE the one of SETTING at PLACE. */
export function writeSetting(session: Session, place: Place, setting: ConfigSetting, value: string): Promise<ResourceChange<Configuration>> {
  return editConfiguration<Configuration>(session, place, (object) => setting.write(object, value))
}

/** Removes SETTING at PLACE, and the object if nothing is left in it. Unchanged = it was not configured. */
export function removeSetting(session: Session, place: Place, setting: ConfigSetting): Promise<ResourceChange<Configuration>> {
  const remove = (stored: Configuration | undefined): Configuration | undefined => {
    if (stored === undefined || setting.read(stored) === undefined) return stored
    const after = setting.remove(stored)
    return isBare(place.kind, after) ? undefined : after
  }
  return changeResource<Configuration>(session, place, remove, {finish: withoutFilledLevel})
}

/**
 * Applies EDIT to the configuration object at PLACE, an empty one if there is none. A log level that no one has set is not stored, though
 * Calico's client would fill it in: in a node's object it would mask the global one, and in any it would look like someone's choice.
 */
export function editConfiguration<R extends Configuration>(session: Session, place: Place, edit: (object: R) => R): Promise<ResourceChange<R>> {
  return changeResource<R>(session, place, (stored) => edit(stored ?? (newConfiguration(place) as R)), {finish: withoutFilledLevel})
}

/** An object at PLACE without any setting. */
export const newConfiguration = ({kind, name}: Place): Configuration => ({kind, apiVersion: API_VERSION, metadata: {name}, spec: {}})

/** ACCEPTED without the log level that Calico's client fills in where WANTED has none. */
export function withoutFilledLevel<R extends Configuration>(accepted: R, wanted: R): R {
  if (wanted.spec.logSeverityScreen) return accepted
  const {logSeverityScreen: _, ...spec} = accepted.spec
  return {...accepted, spec}
}

/** What a stored object has without anybody having set it. */
const OWN_METADATA: readonly string[] = ['name', 'uid', 'creationTimestamp', 'generation', 'resourceVersion']

/** Whether OBJECT says nothing but what Calico's client would fill into an empty one of KIND. */
function isBare(kind: KindName, {kind: _, apiVersion: __, metadata, spec, ...rest}: Configuration): boolean {
  if (Object.keys(rest).length > 0 || Object.keys(metadata).some((field) => !OWN_METADATA.includes(field))) return false
  const {resource} = accept(kind, {metadata: {name: metadata.name}, spec: {}}, {operation: 'create'})
  const {logSeverityScreen: ___, ...filled}: Record<string, unknown> = {...resource?.spec}
  return Object.entries(spec).every(([field, value]) => Object.hasOwn(filled, field) && isDeepStrictEqual(filled[field], value))
}
