/** The codes of lint's findings. They are fixed: scripts ignore and wait for them by name. */

/** In order of weight. `error` = more or less passes than the objects say, or a node stops; `warning` = something is not what it seems; `info` = no harm seen. */
export const LEVELS = ['error', 'warning', 'info'] as const
export type Level = (typeof LEVELS)[number]

interface CodeInfo {
  readonly level: Level
  /** What is found, as a phrase. */
  readonly summary: string
}

const error = (summary: string): CodeInfo => ({level: 'error', summary})
const warning = (summary: string): CodeInfo => ({level: 'warning', summary})
const info = (summary: string): CodeInfo => ({level: 'info', summary})

export const CODES = {
  'bird-refuses': error('A BGP filter with which BIRD refuses its whole configuration'),
  'cannot-start': error('Settings with which Felix cannot start again'),
  'cluster-information-missing': error('There is no ClusterInformation, without which Felix stops'),
  'endpoint-name': error('A workload endpoint whose name Felix cannot assign to a node'),
  'endpoint-node-missing': error('A workload endpoint of a node that does not exist'),
  'endpoint-without-policy': error('An endpoint without profiles and policies: nothing gets in or out'),
  frozen: error('A value that Felix cannot read: no node follows changes of this kind'),
  'host-cut-off': error('A host endpoint that cuts its host off from etcd, SSH or BGP'),
  misplaced: error('An object under a key where Calico does not look'),
  'node-stops': error('An object over which Felix stops'),
  'profile-missing': error('An endpoint with a profile that does not exist: its traffic is dropped there'),
  'profile-without-rules': error('Profiles without any rule, and nothing else decides: nothing gets in or out'),
  'profile-without-tag': error('A profile that does not give the tag by which rules ask for it'),
  refused: error('An object that Felix refuses, and so does without'),
  'rule-open': error('A rule that matches more than it says'),
  'rule-wider': error('A rule with more lists than Felix checks'),
  'tag-lost': error('A profile whose labels Felix does not give to its endpoints'),
  'unpoliced-interface': error('An endpoint whose interface Felix does not police'),
  'address-outside-pools': warning('An endpoint with an address outside all pools'),
  'address-twice': warning('Endpoints of several nodes with the same address'),
  'bgp-filter-missing': warning('A BGP peer with a filter that does not exist'),
  'bgp-peer-nobody': warning('A BGP peer that is a session with nobody'),
  ignored: warning('A field that does nothing, or not what it says'),
  'matches-everything': warning('A rule that matches everything as it is written'),
  'matches-nothing': warning('A rule that can match nothing'),
  'newer-kind': warning('A kind of object that this calicoctl does not know'),
  'newer-version': warning('Data of a Calico that is newer than this calicoctl'),
  'node-address-twice': warning('Nodes with the same address'),
  'node-missing': warning('An object for a node that does not exist'),
  'old-model': warning('Data of Calico before version 3, which nothing reads'),
  'pools-overlap': warning('Pools that share addresses'),
  'rule-never-reached': warning('A rule that never decides, because an earlier one takes all that it could match'),
  'selects-nobody': warning('A tag or selector that nobody has'),
  stale: warning('A profile that Felix cannot read: nodes go on with its last version, and restarted ones drop its traffic'),
  'tier-missing': warning('A policy in a tier that does not exist'),
  unreadable: warning('A value that cannot be read'),
  'address-twice-on-node': info('Endpoints of one node with the same address'),
  'built-in-tier-missing': info('A built-in tier that does not exist'),
  'endpoint-half-closed': info('An endpoint without profiles, whose policies leave one direction closed'),
  identity: info('An object whose metadata is not as Calico writes it'),
  'interface-twice': info('Endpoints of one node with the same interface'),
  'invalid-value': info("A value that Calico's client refuses and Felix does not look at"),
  'no-effect': info('An object that nothing reads'),
  'not-initialised': info('A store that has not been initialised yet'),
  'unknown-field': info('A field that Calico does not know'),
} as const satisfies Readonly<Record<string, CodeInfo>>

export type Code = keyof typeof CODES

export const CODE_NAMES = Object.keys(CODES) as readonly Code[]

export const isCode = (text: string): text is Code => Object.hasOwn(CODES, text)

export const levelOf = (code: Code): Level => CODES[code].level

/** Whether LEVEL weighs at least as much as LEAST. */
export const reaches = (level: Level, least: Level): boolean => LEVELS.indexOf(level) <= LEVELS.indexOf(least)
