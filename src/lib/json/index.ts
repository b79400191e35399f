/** JSON as Calico's stores need it. Pure. */

export {JsonError, type JsonFault} from './errors.js'
export {MAX_JSON_DEPTH, parseJson, shownJson, stringifyJson, tryParseJson} from './json.js'
export {isDeeperThan} from './scan.js'
export {stringifyYaml} from './yaml.js'
