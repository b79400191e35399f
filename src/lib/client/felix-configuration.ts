/** `config felix`: Felix's settings by v0.20's names (cli-v0.20 §4.11, decisions.md 22). */
import {type Configuration, type ConfigSection, type ConfigSetting, rawParameter} from './configuration.js'

/** v0.20's levels and Felix's; `none` has no field of its own. */
const LEVELS: Readonly<Record<string, string>> = {debug: 'Debug', info: 'Info', warning: 'Warning', error: 'Error', critical: 'Fatal'}

/** Felix takes `none` only as a raw parameter, which overrides the field. */
const rawLevel = rawParameter('LogSeverityScreen')

/** LEVEL, as Felix calls it in any case, in v0.20's words; what v0.20 had no word for (`trace`) in lower case. */
function levelWord(level: string): string {
  const word = level.toLowerCase()
  return Object.keys(LEVELS).find((known) => LEVELS[known]?.toLowerCase() === word) ?? word
}

const withoutLevel = (object: Configuration): Configuration => {
  if (object.spec.logSeverityScreen === undefined) return object
  const {logSeverityScreen: _, ...spec} = object.spec
  return {...object, spec}
}

const loglevel: ConfigSetting = {
  values: ['none', ...Object.keys(LEVELS)],
  read(object) {
    const level = rawLevel.read(object) ?? object.spec.logSeverityScreen ?? ''
    return level === '' ? undefined : levelWord(level)
  },
  write(object, value) {
    const level = Object.hasOwn(LEVELS, value) ? LEVELS[value] : undefined
    if (level === undefined) return rawLevel.write(object, value)
    const plain = rawLevel.remove(object)
    return plain.spec.logSeverityScreen === level ? plain : {...plain, spec: {...plain.spec, logSeverityScreen: level}}
  },
  remove: (object) => withoutLevel(rawLevel.remove(object)),
}

export const FELIX: ConfigSection = {words: 'felix', kind: 'FelixConfiguration', settings: {loglevel}, rawParameters: true}
