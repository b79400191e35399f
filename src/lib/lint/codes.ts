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
  'bird-refuses': error('A BGP filter or peer that makes BIRD reject its whole configuration'),
  'cannot-start': error('Felix settings that prevent Felix from starting'),
  'cluster-information-missing': error('ClusterInformation is missing, so Felix stops'),
  'endpoint-name': error('A workload endpoint whose name does not match its node'),
  'endpoint-node-missing': error('A workload endpoint of a node that does not exist'),
  'endpoint-without-policy': error('An endpoint without profiles and policies: all its traffic is dropped'),
  frozen: error('A value that Felix cannot read: nodes ignore further changes of this kind'),
  'host-cut-off': error('A host endpoint that cuts its host off from etcd, SSH or BGP'),
  misplaced: error('An object under a key that Calico does not read'),
  'node-stops': error('An object that makes Felix stop'),
  'profile-missing': error('An endpoint with a profile that does not exist: traffic is dropped'),
  'profile-without-rules': error('Profiles without rules on an endpoint without policies: all its traffic is dropped'),
  'profile-without-tag': error('A profile without the tag of its name, although rules match this tag'),
  refused: error('An object that Felix rejects and ignores'),
  'rule-open': error('A rule that matches more traffic than it says'),
  'rule-wider': error('A rule with more lists than Felix evaluates'),
  'tag-lost': error('A profile whose labels Felix does not apply to its endpoints'),
  'unpoliced-interface': error('An endpoint on whose interface Felix enforces no policy'),
  'address-outside-pools': warning('An endpoint with an address outside all pools'),
  'address-twice': warning('Endpoints on different nodes with the same address'),
  'bgp-filter-missing': warning('A BGP peer with a filter that does not exist'),
  'bgp-peer-nobody': warning('A BGP peer without a session: it selects no node, or the node itself'),
  ignored: warning('A field that has no effect, or not the effect that it suggests'),
  'matches-everything': warning('A rule that matches all traffic'),
  'matches-nothing': warning('A rule that cannot match any traffic'),
  'newer-kind': warning('A kind that this version of calicoctl does not know'),
  'newer-version': warning('Data of a Calico version that is newer than this calicoctl'),
  'node-address-twice': warning('Nodes with the same address'),
  'node-missing': warning('An object for a node that does not exist'),
  'old-model': warning('Data of a Calico version before 3, which nothing reads'),
  'pools-overlap': warning('Pools that overlap'),
  'rule-never-reached': warning('A rule that never matches, because an earlier rule matches all its traffic'),
  'selects-nobody': warning('A tag or selector that matches no object'),
  stale: warning('A profile that Felix cannot read: nodes keep its last valid version, and drop its traffic after a restart'),
  'tier-missing': warning('A policy in a tier that does not exist'),
  unreadable: warning('A value that cannot be read'),
  'address-twice-on-node': info('Endpoints on one node with the same address'),
  'built-in-tier-missing': info('A built-in tier that does not exist'),
  'endpoint-half-closed': info('An endpoint without profiles whose policies cover one direction only'),
  identity: info('An object whose metadata differs from what Calico writes'),
  'interface-twice': info('Endpoints on one node with the same interface'),
  'invalid-value': info("A value that Calico's client rejects and Felix ignores"),
  'no-effect': info('An object that nothing reads'),
  'not-initialised': info('A datastore that has not been initialised'),
  'unknown-field': info('A field that Calico does not know'),
} as const satisfies Readonly<Record<string, CodeInfo>>

export type Code = keyof typeof CODES

export const CODE_NAMES = Object.keys(CODES) as readonly Code[]

export const isCode = (text: string): text is Code => Object.hasOwn(CODES, text)

export const levelOf = (code: Code): Level => CODES[code].level

/** Whether LEVEL weighs at least as much as LEAST. */
export const reaches = (level: Level, least: Level): boolean => LEVELS.indexOf(level) <= LEVELS.indexOf(least)
