/** What is wrong with the flags of the agent (mesos-docker §2.5, §5.1, §5.5–5.7). */
import {type Finding, finding} from './findings.js'
import {HOOK, ISOLATOR, listEntries, meantName, OLD_MODULES} from './names.js'
import {type AgentSetup, type Flag, placeOf, valueOf} from './setup.js'
import {STYLE_FACTS, variableOf} from './styles.js'

/** MODULES: the names of the agent's modules, if they are known. */
export function checkFlags(setup: AgentSetup, modules: ReadonlySet<string> | undefined): Finding[] {
  return [
    ...checkNamed(setup, setup.flag('isolation'), ISOLATOR, 'isolation-missing', modules),
    ...checkNamed(setup, setup.flag('hooks'), HOOK, 'hooks-missing', modules),
    ...checkHooks(setup.flag('hooks'), modules),
    ...checkIsolation(setup.flag('isolation')),
    ...['modules', 'isolation', 'hooks', 'containerizers', 'hostname'].flatMap((name) => checkPlaces(setup.flag(name))),
    ...checkContainerizers(setup),
    ...checkMaster(setup),
  ]
}

/** The flag must have NAME among its entries. */
function checkNamed({style, mayHide}: AgentSetup, flag: Flag, name: string, missing: 'isolation-missing' | 'hooks-missing', modules: ReadonlySet<string> | undefined): Finding[] {
  const place = placeOf(flag)
  if (place === undefined && mayHide(flag.name)) return []
  const {flags: folder, environment} = STYLE_FACTS[style]
  const path = place?.path ?? (folder === undefined ? environment : `${folder}/${flag.name}`)
  if (place && place.value === undefined) return place.raw.includes(name) ? [] : [finding(missing, path, `${name} is not in ${place.variable ?? flag.name}`)]
  const entries = listEntries(place?.value ?? '')
  const strangers = entries.filter((entry) => entry !== name && modules?.has(entry) !== true)
  const slips = strangers.flatMap((entry) => {
    const meant = meantName(entry)
    return meant === undefined || entries.includes(meant) ? [] : [finding('flag-name', path, `The flag ${flag.name} has ${entry}`, {remedy: `Did you mean ${meant}?`})]
  })
  const old = entries.filter((entry) => OLD_MODULES.includes(entry)).map((entry) => finding('old-generation', path, `The flag ${flag.name} has ${entry}`))
  if (entries.includes(name) || slips.length > 0 || old.length > 0) return [...old, ...slips]
  return [finding(missing, path, place === undefined ? `The agent's flag ${flag.name} (${variableOf(flag.name)}) is not set` : `${name} is not in the flag ${flag.name}: ${place.value ?? ''}`)]
}

/** All hooks are modules. What is another spelling, or of the generation before, is reported as that. */
function checkHooks(flag: Flag, modules: ReadonlySet<string> | undefined): Finding[] {
  const entries = listEntries(valueOf(flag) ?? '').filter((entry) => entry === ISOLATOR || (modules?.has(entry) === false && meantName(entry) === undefined && !OLD_MODULES.includes(entry)))
  return entries.map((entry) => finding('flag-name', placeOf(flag)?.path ?? '', `The flag hooks has ${entry}, which is not a hook`, {remedy: entry === ISOLATOR ? 'Move it to the flag isolation.' : 'Remove it, or add its library to modules.json.'}))
}

function checkIsolation(flag: Flag): Finding[] {
  return listEntries(valueOf(flag) ?? '').includes(HOOK) ? [finding('flag-name', placeOf(flag)?.path ?? '', `The flag isolation has ${HOOK}, which is not an isolator`, {remedy: 'Move it to the flag hooks.'})] : []
}

/** All places of a flag must say the same. */
function checkPlaces({name, places}: Flag): Finding[] {
  const last = places.at(-1)
  if (last === undefined) return []
  return places.slice(0, -1).flatMap(({path, value, variable}) =>
    value === undefined || last.value === undefined || same(value, last.value) ? [] : [finding('flags-differ', path, `${variable ?? name} is ${value}, but ${last.path} has ${last.value}, which is used`)],
  )
}

const same = (a: string, b: string): boolean => listEntries(a).join() === listEntries(b).join()

/** Whether the set-up has something of net-modules, or means to use it: a host for Docker's containerizer alone does not. */
export function isUnified(setup: AgentSetup): boolean {
  const traces = ['modules', 'modules_dir', 'hooks'].some((name) => placeOf(setup.flag(name)) !== undefined) || /com_mesosphere_mesos|Network_?Isolator/i.test(valueOf(setup.flag('isolation')) ?? '')
  return traces || setup.files.kind(STYLE_FACTS[setup.style].modules).type !== 'missing' || containerizers(setup)?.includes('docker') !== true
}

/** Undefined: not set, which is mesos alone. */
export function containerizers(setup: AgentSetup): readonly string[] | undefined {
  const value = valueOf(setup.flag('containerizers'))
  return value === undefined ? undefined : listEntries(value)
}

function checkContainerizers(setup: AgentSetup): Finding[] {
  const list = containerizers(setup)
  const path = placeOf(setup.flag('containerizers'))?.path ?? ''
  if (list === undefined) return []
  return [
    ...(list.includes('mesos') || !isUnified(setup) ? [] : [finding('containerizers-mesos', path, `The flag containerizers is ${list.join(',')}`)]),
    ...(list.includes('docker') ? [] : [finding('containerizers-docker', path, `The flag containerizers is ${list.join(',')}`)]),
  ]
}

const ZOOKEEPER_FILE = '/etc/mesos/zk'

/** Where the agent looks for its master; undefined if nothing says it. */
function masterOf({environment, flag, files}: AgentSetup): {readonly value: string; readonly path: string} | undefined {
  const own = placeOf(flag('master'))
  if (own?.value !== undefined) return {value: own.value, path: own.path}
  const file = files.read(ZOOKEEPER_FILE)
  const text = file.state === 'file' ? file.text.trim() : ''
  return environment.get('MASTER') ?? (text === '' ? undefined : {value: text, path: ZOOKEEPER_FILE})
}

const ZOOKEEPER_PORT = 2181

/** The hosts of ZooKeeper that the agent is informed of; none if it is informed of a master itself. */
export function zookeeperHosts(setup: AgentSetup): {readonly host: string; readonly port: number}[] {
  const {value = ''} = masterOf(setup) ?? {}
  if (!value.startsWith('zk://')) return []
  const hosts = value.slice('zk://'.length).split('/', 1)[0] ?? ''
  return hosts.slice(hosts.lastIndexOf('@') + 1).split(',').flatMap((each) => {
    const [, host = '', port] = /^([^:[\]]+|\[[^\]]+\])(?::(\d{1,5}))?$/.exec(each.trim()) ?? []
    return host === '' || Number(port) > 65_535 ? [] : [{host, port: Number(port ?? ZOOKEEPER_PORT)}]
  })
}

/** The agent must know its master; DC/OS tells it by itself. */
function checkMaster(setup: AgentSetup): Finding[] {
  const {style, files} = setup
  const found = masterOf(setup)
  if (found === undefined) {
    if (style === 'dcos' || setup.mayHide('master') || files.read(ZOOKEEPER_FILE).state === 'unreadable') return []
    return [finding('master-missing', ZOOKEEPER_FILE, `There is no MASTER in ${STYLE_FACTS[style].environment} and no ${ZOOKEEPER_FILE}`)]
  }
  return zookeeperHosts(setup).filter(({port}) => port === MARATHON_PORT).map(({host, port}) => finding('zookeeper-port', found.path, `ZooKeeper is ${host}:${port}`))
}

const MARATHON_PORT = 8080
