/** What `lint codes CODE` tells of each code. The examples are complete: with the objects of an initialised store they have this finding and no other. */
import type {Code} from './codes.js'

export interface Page {
  readonly meaning: string
  /**
   * Objects by their keys below /calico/resources/v3/projectcalico.org/, or by whole keys; of an object what matters, of a broken one its text; null = what
   * an initialised store has and this one has not.
   */
  readonly example: Readonly<Record<string, object | string | null>>
  readonly mend: string
}

const endpoint = (spec: object): object => ({spec: {orchestrator: 'docker', node: 'h1', endpoint: 'eth0', mac: 'ee:ee:ee:00:00:01', ...spec}})
const A = {workload: 'a', ipNetworks: ['10.65.0.1/32'], interfaceName: 'calia', profiles: ['web']}
const WEP_A = 'workloadendpoints/default/h1-docker-a-eth0'
const OUT = [{action: 'Allow', source: {}, destination: {}}]
const web = (ingress: readonly unknown[], more: object = {}): object => ({spec: {ingress, egress: OUT, labelsToApply: {web: ''}, ...more}})
const FROM_WEB = {action: 'Allow', source: {selector: 'has(web)'}, destination: {}}
const WEB = web([FROM_WEB])
const pool = (cidr: string): object => ({spec: {cidr, ipipMode: 'Never', vxlanMode: 'Never', natOutgoing: true, blockSize: 26, nodeSelector: 'all()', allowedUses: ['Workload', 'Tunnel'], assignmentMode: 'Automatic'}})
const node = (address: string): object => ({spec: {bgp: {ipv4Address: `${address}/24`}}})
const rule = (source: object, more: object = {}): object => ({action: 'Allow', ...more, source, destination: {}})
const EDIT = 'Change it in an editor with "calicoctl edit KIND NAME", or change its file and apply it with "calicoctl replace -f FILE".'
const RAW = 'No Calico client can read the value. Display it with "etcdctl get KEY". Then write a corrected value with "etcdctl put KEY", or delete it with "etcdctl del KEY" and create the object again.'
const RULE = 'Remove the rule with "calicoctl profile NAME rule remove inbound --at=NUMBER" and add the corrected one with "rule add". For a policy: "calicoctl edit KIND NAME".'
const ANEW = 'Remove the endpoint with "calicoctl container remove CONTAINER" on its host, or, if its container no longer exists, with "calicoctl endpoint remove ID", and add the container to the network again.'

export const PAGES: Readonly<Record<Code, Page>> = {
  'bird-refuses': {
    meaning: 'A rule of a BGP filter has a prefix length range that is impossible, or a BGP peer has a link-local IPv6 address, for which BIRD needs an interface. BIRD rejects the whole configuration because of it, and the node keeps its previous one: later changes of peers and pools have no effect there.',
    example: {'bgpfilters/short': {spec: {exportV4: [{action: 'Accept', matchOperator: 'In', cidr: '10.0.0.0/8', prefixLength: {min: 24, max: 16}}]}}},
    mend: `${EDIT} In prefixLength, min must not be greater than max, and max must not be less than the prefix length of the CIDR. Give a peer an address that is not link-local.`,
  },
  'cannot-start': {
    meaning: 'A Felix setting has a value of the wrong JSON type, such as "true" instead of true. A running Felix continues, but a Felix that is restarted, for example by an upgrade or a reboot, fails to start.',
    example: {'felixconfigurations/default': {spec: {ipipEnabled: 'true'}}},
    mend: RAW,
  },
  'cluster-information-missing': {
    meaning: 'The datastore was initialised, but its ClusterInformation is missing. Felix stops on every node; the rules that it has already programmed remain.',
    example: {'clusterinformations/default': null},
    mend: 'Start calico/node on any node, or make any change with calicoctl and --init: both create a new one, with a new GUID. If you have a backup, "calicoctl datastore restore --replace" restores the previous one.',
  },
  'endpoint-name': {
    meaning: 'Felix reads the node, orchestrator, workload and id of an endpoint from its name: four parts separated by dashes, with each dash inside a part doubled. If the name does not match the spec, the endpoint belongs to no node.',
    example: {'workloadendpoints/default/h1-docker-my-db-eth0': endpoint({...A, workload: 'my-db'}), 'profiles/web': WEB},
    mend: ANEW,
  },
  'endpoint-node-missing': {
    meaning: 'The name of the endpoint begins with a node that does not exist, although other nodes do. No Felix programs it, so it has no connectivity. It may have been left behind by a deleted node.',
    example: {'nodes/h2': node('192.0.2.2'), [WEP_A]: endpoint(A), 'profiles/web': WEB},
    mend: 'Remove it with "calicoctl endpoint remove ID", or remove everything that belongs to the node with "calicoctl node remove --hostname=NODE".',
  },
  'endpoint-without-policy': {
    meaning: 'The endpoint has no profile, and no policy selects it. Felix drops all its traffic.',
    example: {[WEP_A]: endpoint({...A, profiles: undefined})},
    mend: 'Add a profile: "calicoctl endpoint ID profile append PROFILE", or, on the container\'s host, "calicoctl container CONTAINER profile append PROFILE".',
  },
  frozen: {
    meaning: 'Felix cannot read the value: it has a wrong type, a port above 65535 or an invalid time. Until it is restarted, Felix may ignore every further change of this kind. After a restart it ignores the object.',
    example: {'globalnetworkpolicies/deny': {spec: {order: 'first', selector: 'all()', types: ['Ingress']}}},
    mend: `${RAW} Then restart Felix on the nodes.`,
  },
  'host-cut-off': {
    meaning: 'A host endpoint blocks all traffic of its host except what policies, profiles and the failsafe ports allow. Here the failsafe ports have been changed, and nothing allows inbound SSH or BGP, or outbound BGP or etcd. Felix needs etcd, and you need SSH to repair the host.',
    example: {
      'hostendpoints/h1-eth0': {spec: {node: 'h1', interfaceName: 'eth0', profiles: ['web']}},
      'profiles/web': web([{action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: [80]}}]),
      'felixconfigurations/default': {spec: {failsafeInboundHostPorts: []}},
    },
    mend: 'Add the port to failsafeInboundHostPorts or failsafeOutboundHostPorts of the FelixConfiguration again, or allow it in a profile or policy of the host endpoint.',
  },
  misplaced: {
    meaning: 'The key has one part too many or too few: the kind has a namespace and the key does not, or the reverse. Calico does not read this key.',
    example: {'workloadendpoints/h1-docker-a-eth0': endpoint(A)},
    mend: 'Display the value with "etcdctl get KEY", delete it with "etcdctl del KEY", and create the object with calicoctl.',
  },
  'node-stops': {
    meaning: 'Felix exits or restarts in a loop because of this object, on each node that it applies to. The rules that it has already programmed remain, but nothing is updated any more, and after a reboot there are no rules. Causes include an ICMP type in a rule whose protocol is not ICMP, protocol together with notProtocol, an interface name of 16 characters, and a locked datastore.',
    example: {'profiles/web': web([{action: 'Allow', icmp: {type: 8}, source: {}, destination: {}}])},
    mend: `${RULE} A locked datastore is unlocked with "calicoctl datastore unlock" after the restore or migration that locked it has finished.`,
  },
  'profile-missing': {
    meaning: "The endpoint refers to a profile that does not exist. Traffic that the endpoint's earlier profiles do not decide is dropped.",
    example: {[WEP_A]: endpoint({...A, profiles: ['ghost']})},
    mend: 'Create the profile with "calicoctl profile add NAME", or remove it from the endpoint with "calicoctl endpoint ID profile remove PROFILE", from a host endpoint with "calicoctl edit hostendpoint NAME".',
  },
  'profile-without-rules': {
    meaning: "None of the endpoint's profiles has rules, and no policy selects the endpoint: all its traffic is dropped.",
    example: {[WEP_A]: endpoint(A), 'profiles/web': {spec: {labelsToApply: {web: ''}}}},
    mend: 'Add rules: "calicoctl profile NAME rule add outbound allow", "calicoctl profile NAME rule add inbound allow from tag NAME".',
  },
  'profile-without-tag': {
    meaning: 'Rules match a tag that has the name of a profile, but the profile does not apply this tag to its endpoints, and no other profile does. The rules match nothing.',
    example: {'profiles/web': web([FROM_WEB], {labelsToApply: undefined})},
    mend: 'Add the tag to the profile: "calicoctl profile NAME tag add NAME".',
  },
  refused: {
    meaning: 'Felix can read the object but rejects it: ports with a protocol that has none, port 0, ICMP type 255, or an invalid selector; for an endpoint, no interface, no address, or an invalid MAC address, gateway, port or allowed source. Felix drops the traffic of such a profile or endpoint, and ignores such a policy.',
    example: {'profiles/web': web([rule({selector: 'has(web)'}, {protocol: 'ICMP', icmp: {type: 255}})])},
    mend: `${RULE} For an endpoint: ${ANEW}`,
  },
  'rule-open': {
    meaning: 'Felix ignores fields that it does not know, such as tag or src_tag of the v1 data model, and networks that are not valid. The rule then matches more than intended, often all traffic.',
    example: {'profiles/web': web([rule({tag: 'web'})])},
    mend: RULE,
  },
  'rule-wider': {
    meaning: 'The rule has three or four lists with several alternatives each (ports, networks). After two of them have matched, Felix v3.32 does not check the others: the rule matches more traffic than it says.',
    example: {'profiles/web': web([{action: 'Allow', protocol: 'TCP', source: {nets: ['10.0.0.0/24', '10.0.2.0/24']}, destination: {nets: ['10.1.0.0/24', '10.1.2.0/24'], ports: Array.from({length: 16}, (_, at) => 80 + 2 * at)}}])},
    mend: `Split it into several rules with fewer alternatives each. ${RULE}`,
  },
  'tag-lost': {
    meaning: 'Felix enforces the rules of the profile but ignores its labels, because its validator rejects a value: an action in the wrong case, a network with host bits set, or a name with capital letters. Rules that match the tag no longer match its endpoints.',
    example: {'profiles/web': web([{...FROM_WEB, action: 'allow'}])},
    mend: RULE,
  },
  'unpoliced-interface': {
    meaning: 'Felix applies policy only to interfaces whose names begin with its interfacePrefix, which is cali by default. The interface of this endpoint does not: no policy applies to it, although Felix reports it as up.',
    example: {[WEP_A]: endpoint({...A, interfaceName: 'tapa'}), 'profiles/web': WEB},
    mend: `Add the prefix to interfacePrefix of the FelixConfiguration if the interfaces have such names on purpose. Otherwise: ${ANEW}`,
  },
  'address-outside-pools': {
    meaning: 'No pool contains the address, although pools of this IP version exist. Nodes announce by BGP only addresses in pools: other hosts cannot reach the endpoint, and outgoing NAT does not apply to it.',
    example: {[WEP_A]: endpoint({...A, ipNetworks: ['10.66.0.1/32']}), 'profiles/web': WEB, 'ippools/p': pool('10.65.0.0/16')},
    mend: 'Add a pool that contains the address with "calicoctl pool add CIDR", or give the endpoint another address.',
  },
  'address-twice': {
    meaning: "Endpoints on different nodes have the same address. Each node announces it, so which endpoint receives the traffic depends on the sender's location.",
    example: {[WEP_A]: endpoint(A), 'workloadendpoints/default/h2-docker-b-eth0': endpoint({...A, node: 'h2', workload: 'b', interfaceName: 'calib'}), 'profiles/web': WEB},
    mend: `Remove one of the two. ${ANEW} "calicoctl ipam check" prints which of them the address is assigned to.`,
  },
  'bgp-filter-missing': {
    meaning: 'The peer refers to a BGP filter that does not exist: its routes are not filtered.',
    example: {'bgppeers/upstream': {spec: {peerIP: '192.0.2.9', asNumber: 64513, filters: ['short']}}},
    mend: 'Create the filter with "calicoctl create -f FILE", or remove its name from the peer.',
  },
  'bgp-peer-nobody': {
    meaning: "A selector of the peer selects no node, or the peer's address is the address of the node that would connect to it.",
    example: {'nodes/h1': node('192.0.2.1'), 'bgppeers/rack': {spec: {nodeSelector: "rack == 'r9'", peerIP: '192.0.2.9', asNumber: 64513}}},
    mend: 'Remove the peer with "calicoctl delete bgppeer NAME", or add the label to the nodes that should have it.',
  },
  ignored: {
    meaning: 'The field is stored but has no effect, or not the effect that its value suggests.',
    example: {'globalnetworksets/office': {spec: {nets: ['', '192.0.2.0/24']}}},
    mend: EDIT,
  },
  'matches-everything': {
    meaning: 'The rule has an empty list of networks, an empty selector, or no source and destination, and therefore matches all traffic. If this is intended, write it as calicoctl does: "rule add inbound allow".',
    example: {'profiles/web': web([rule({nets: []})])},
    mend: RULE,
  },
  'matches-nothing': {
    meaning: 'No packet can match the rule: it has a named port that no endpoint has, networks of different IP versions, a Kubernetes service, or a direction that is not in the types of the policy.',
    example: {'profiles/web': web([{action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: ['http']}}])},
    mend: RULE,
  },
  'newer-kind': {
    meaning: 'Calico v3.32 does not know this kind. calicoctl ignores the object; if it affects traffic, the results of policy commands and lint are incomplete.',
    example: {'futures/x': {spec: {}}},
    mend: 'Use the calicoctl of the newer Calico version. "calicoctl get kinds" prints the number of objects of each kind.',
  },
  'newer-version': {
    meaning: 'The datastore is used by a Calico version newer than v3.32, or contains keys of a newer data model.',
    example: {'clusterinformations/default': {spec: {clusterGUID: 'ddeac547ab744b4c9f5142e02b4f4a52', calicoVersion: 'v3.40.0', datastoreReady: true}}},
    mend: 'Use the calicoctl of the newer Calico version.',
  },
  'node-address-twice': {
    meaning: 'Two nodes have the same BGP address. Sessions and tunnels reach only one of them. One of the Nodes may be left over from before its host was renamed.',
    example: {'nodes/h1': node('192.0.2.1'), 'nodes/h2': node('192.0.2.1')},
    mend: 'Remove the Node that is no longer used with "calicoctl node remove --hostname=NODE", or give the host its own address with "calicoctl node --ip=ADDRESS".',
  },
  'node-missing': {
    meaning: 'A host endpoint or BGP peer refers to a node that does not exist, although other nodes do. It has no effect.',
    example: {'nodes/h1': node('192.0.2.1'), 'bgppeers/rack': {spec: {node: 'h9', peerIP: '192.0.2.9', asNumber: 64513}}},
    mend: 'Remove it with "calicoctl delete KIND NAME", or remove everything that belongs to the node with "calicoctl node remove --hostname=NODE".',
  },
  'old-model': {
    meaning: 'Calico versions before 3 stored their data here. Nothing reads it any more, so changes there have no effect. It was left behind by a migration, or an old tool still writes it.',
    example: {'/calico/v1/policy/profile/web/rules': '{"inbound_rules": []}'},
    mend: 'After all components of the old Calico have been stopped: "etcdctl del --prefix /calico/v1/".',
  },
  'pools-overlap': {
    meaning: "Two pools contain the same addresses. For these addresses it is undefined which pool's NAT and encapsulation settings apply.",
    example: {'ippools/large': pool('10.65.0.0/16'), 'ippools/small': pool('10.65.8.0/24')},
    mend: 'Remove one of the pools with "calicoctl pool remove CIDR".',
  },
  'rule-never-reached': {
    meaning: 'An earlier rule, in the same list or in a policy that is evaluated first for every endpoint, matches all traffic that this rule could match. Compared are protocol, ports, networks, selectors and ICMP.',
    example: {'profiles/web': web([rule({}, {protocol: 'TCP'}), {action: 'Deny', protocol: 'TCP', source: {nets: ['10.0.0.0/8']}, destination: {}}])},
    mend: 'Move the more specific rule before the general one: remove it and add it again with "calicoctl profile NAME rule add inbound --at=NUMBER …". If it is not needed, remove it.',
  },
  'selects-nobody': {
    meaning: 'A rule matches a tag or labels that no endpoint, network set or profile has, or a policy selects no endpoint. The name may be misspelled, or the object may not exist yet.',
    example: {'profiles/web': web([rule({selector: 'has(ghost)'})])},
    mend: RULE,
  },
  stale: {
    meaning: "Felix cannot read the profile. A running Felix keeps the last valid version and ignores further changes of profiles; after a restart it drops the traffic of the profile's endpoints.",
    example: {'profiles/web': {spec: {ingress: {action: 'Allow'}}}},
    mend: `${RAW} Then restart Felix on the nodes.`,
  },
  'tier-missing': {
    meaning: 'The policy refers to a tier that does not exist. It is enforced after all other tiers, and traffic that it does not decide is dropped.',
    example: {'globalnetworkpolicies/security.deny': {spec: {tier: 'security', order: 10, selector: 'all()', types: ['Ingress'], ingress: [{action: 'Deny', source: {}, destination: {}}]}}},
    mend: 'Create the tier with "calicoctl create -f FILE", or move the policy to an existing tier.',
  },
  unreadable: {
    meaning: 'The value is not JSON, or a field has a type that Calico does not accept. Calico ignores the object.',
    example: {'bgppeers/upstream': '{broken'},
    mend: RAW,
  },
  'address-twice-on-node': {
    meaning: 'Endpoints on one node have the same address. Felix accepts this and routes the address to one of them.',
    example: {[WEP_A]: endpoint(A), 'workloadendpoints/default/h1-docker-b-eth0': endpoint({...A, workload: 'b', interfaceName: 'calib'}), 'profiles/web': WEB},
    mend: ANEW,
  },
  'built-in-tier-missing': {
    meaning: 'One of the tiers default, kube-admin and kube-baseline does not exist. Felix behaves as if it did.',
    example: {'tiers/kube-admin': null},
    mend: 'No action is needed: calico/node creates it when it starts.',
  },
  'endpoint-half-closed': {
    meaning: 'The endpoint has no profile, and all policies that select it apply to one direction only. All traffic in the other direction is dropped.',
    example: {
      [WEP_A]: endpoint({...A, profiles: undefined}),
      'globalnetworkpolicies/in': {spec: {tier: 'default', selector: 'all()', types: ['Ingress'], ingress: [{action: 'Allow', source: {}, destination: {}}]}},
    },
    mend: 'If this is not intended, add a profile: "calicoctl endpoint ID profile append PROFILE".',
  },
  identity: {
    meaning: "The object has no uid, creation time, kind or apiVersion, lacks a label that Calico's client sets, or its name does not match its key. Felix uses the name in the key; calico/node and Calico's own calicoctl cannot change such an object.",
    example: {'profiles/web': {metadata: {name: 'web', creationTimestamp: '2026-11-21T10:04:21Z'}, ...WEB}},
    mend: 'Any change of the object with calicoctl adds the uid and the creation time.',
  },
  'interface-twice': {
    meaning: 'Endpoints on one node have the same interface. Felix programs only the endpoint that is first in alphabetical order.',
    example: {[WEP_A]: endpoint(A), 'workloadendpoints/default/h1-docker-b-eth0': endpoint({...A, workload: 'b', ipNetworks: ['10.65.0.2/32']}), 'profiles/web': WEB},
    mend: ANEW,
  },
  'invalid-value': {
    meaning: "Calico's client would reject the value. Felix ignores it or reads it differently, without harm.",
    example: {[WEP_A]: endpoint({...A, ipv4Gateway: '10.65.0.0/24'}), 'profiles/web': WEB},
    mend: EDIT,
  },
  'no-effect': {
    meaning: 'Nothing reads this object in an etcd datastore: its kind is used with Kubernetes only, or it does not name a node.',
    example: {'ipamconfigurations/default': {spec: {strictAffinity: false, autoAllocateBlocks: true}}},
    mend: 'Remove it with "calicoctl delete KIND NAME".',
  },
  'not-initialised': {
    meaning: 'Objects exist, but ClusterInformation and the tiers do not: the datastore has not been initialised. Felix waits for the initialisation.',
    example: {'clusterinformations/default': null, 'tiers/default': null, 'tiers/kube-admin': null, 'tiers/kube-baseline': null, 'profiles/web': WEB},
    mend: 'Start calico/node, or make any change with calicoctl and --init.',
  },
  'unknown-field': {
    meaning: 'Calico v3.32 does not know the field and ignores it. A newer version may use it.',
    example: {'profiles/web': web([FROM_WEB], {comment: 'for the shop'})},
    mend: EDIT,
  },
}
