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
const EDIT = 'Change it in an editor with "calicoctl edit KIND NAME", or in its file and bring that back with "calicoctl replace -f FILE".'
const RAW = 'No client of Calico can read the value. Look at it with "etcdctl get KEY"; write it anew as it should be, or delete it with "etcdctl del KEY" and make the object again.'
const RULE = 'Take the rule away with "calicoctl profile NAME rule remove inbound --at=NUMBER" and add it as it is meant with "rule add"; change a policy with "calicoctl edit KIND NAME".'
const ANEW = 'Remove the endpoint with "calicoctl endpoint remove ID" and add its container to the network again.'

export const PAGES: Readonly<Record<Code, Page>> = {
  'bird-refuses': {
    meaning: 'A rule of a BGP filter has prefix lengths that exclude each other. BIRD refuses its whole configuration over it, and the node goes on with its old one: later changes of peers and pools do not arrive there.',
    example: {'bgpfilters/short': {spec: {exportV4: [{action: 'Accept', matchOperator: 'In', cidr: '10.0.0.0/8', prefixLength: {min: 24, max: 16}}]}}},
    mend: `${EDIT} The min must not be above the max, nor the max below the length of the cidr.`,
  },
  'cannot-start': {
    meaning: 'A setting of Felix has a value of the wrong JSON type, such as "true" in place of true. A Felix that runs goes on, but one that starts, after an update or a reboot, does not come up.',
    example: {'felixconfigurations/default': {spec: {ipipEnabled: 'true'}}},
    mend: RAW,
  },
  'cluster-information-missing': {
    meaning: 'The store was initialised, but its ClusterInformation is gone. Felix stops without it on every node; the rules that it has made stay.',
    example: {'clusterinformations/default': null},
    mend: 'Start calico/node anywhere, or make any change with calicoctl and --init: both write a new one, with a new GUID. If there is a backup, "calicoctl datastore restore --replace" brings the old one back.',
  },
  'endpoint-name': {
    meaning: 'Felix takes the node, orchestrator, workload and id of an endpoint from its name: four parts between dashes, each dash inside a part doubled. An endpoint whose name says something else belongs to no node.',
    example: {'workloadendpoints/default/h1-docker-my-db-eth0': endpoint({...A, workload: 'my-db'}), 'profiles/web': WEB},
    mend: ANEW,
  },
  'endpoint-node-missing': {
    meaning: 'The name of the endpoint begins with a node that does not exist, though other nodes do. No Felix works for it: nothing gets in or out. It may be left over from a node that is gone.',
    example: {'nodes/h2': node('192.0.2.2'), [WEP_A]: endpoint(A), 'profiles/web': WEB},
    mend: 'Remove it with "calicoctl endpoint remove ID", or all that is left of the node with "calicoctl node remove NODE".',
  },
  'endpoint-without-policy': {
    meaning: 'The endpoint has no profile, and no policy selects it. Felix drops all that goes in or out.',
    example: {[WEP_A]: endpoint({...A, profiles: undefined})},
    mend: 'Give it a profile: "calicoctl endpoint ID profile append PROFILE", or "calicoctl container CONTAINER profile append PROFILE" on its host.',
  },
  frozen: {
    meaning: 'The value cannot be read by any Felix: a wrong type, a port above 65535, a bad time. From then on Felix may follow no change of this kind until it is restarted, and in the end does without the object.',
    example: {'globalnetworkpolicies/deny': {spec: {order: 'first', selector: 'all()', types: ['Ingress']}}},
    mend: `${RAW} Then restart Felix on the nodes.`,
  },
  'host-cut-off': {
    meaning: 'A host endpoint shuts its host but for what policies, profiles and the failsafe ports let through. Here the failsafe ports have been changed, and nothing lets SSH or BGP in, or BGP or etcd out. Felix needs etcd; you need SSH to mend it.',
    example: {
      'hostendpoints/h1-eth0': {spec: {node: 'h1', interfaceName: 'eth0', profiles: ['web']}},
      'profiles/web': web([{action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: [80]}}]),
      'felixconfigurations/default': {spec: {failsafeInboundHostPorts: []}},
    },
    mend: 'Put the port back into failsafeInboundHostPorts or failsafeOutboundHostPorts of the FelixConfiguration, or allow it in a profile or policy of the host endpoint.',
  },
  misplaced: {
    meaning: 'The key has a part too many or too few: the kind belongs into a namespace, or does not. Calico does not look there.',
    example: {'workloadendpoints/h1-docker-a-eth0': endpoint(A)},
    mend: 'Read it with "etcdctl get KEY", delete it with "etcdctl del KEY", and make the object with calicoctl.',
  },
  'node-stops': {
    meaning: 'Felix exits or loops over this object on each node that it concerns. The rules that it has made stay, nothing changes any more, and after a reboot there are none. Among the causes: an ICMP type in a rule without the protocol ICMP, protocol beside notProtocol, an interface name of 16 characters, a store that is locked.',
    example: {'profiles/web': web([{action: 'Allow', icmp: {type: 8}, source: {}, destination: {}}])},
    mend: `${RULE} A locked store is unlocked with "calicoctl datastore unlock" once the restore or migration that locked it is over.`,
  },
  'profile-missing': {
    meaning: 'The endpoint names a profile that does not exist. What the profiles before it do not decide is dropped there.',
    example: {[WEP_A]: endpoint({...A, profiles: ['ghost']})},
    mend: 'Make the profile with "calicoctl profile add NAME", or take it from the endpoint with "calicoctl endpoint ID profile remove PROFILE".',
  },
  'profile-without-rules': {
    meaning: 'All profiles of an endpoint are without rules, and no policy selects it: nothing gets in or out.',
    example: {[WEP_A]: endpoint(A), 'profiles/web': {spec: {labelsToApply: {web: ''}}}},
    mend: 'Add rules: "calicoctl profile NAME rule add outbound allow", "calicoctl profile NAME rule add inbound allow from tag NAME".',
  },
  'profile-without-tag': {
    meaning: 'Rules ask for a tag called like a profile, but the profile does not give it to its endpoints, and nobody else has it. The rules match nothing.',
    example: {'profiles/web': web([FROM_WEB], {labelsToApply: undefined})},
    mend: '"calicoctl profile NAME tag add NAME"',
  },
  refused: {
    meaning: 'Felix can read the object, and refuses it: ports without a protocol that has ports, port 0, an ICMP type of 255, a selector that does not parse; of an endpoint, no interface, address, or a bad MAC. It drops the traffic of such a profile and endpoint, and goes on without such a policy.',
    example: {'profiles/web': web([rule({selector: 'has(web)'}, {protocol: 'ICMP', icmp: {type: 255}})])},
    mend: `${RULE} An endpoint: ${ANEW}`,
  },
  'rule-open': {
    meaning: 'Felix ignores fields that it does not know, such as tag or src_tag of the old model, and networks that do not parse. The rule then matches more than it says, often everything.',
    example: {'profiles/web': web([rule({tag: 'web'})])},
    mend: RULE,
  },
  'rule-wider': {
    meaning: 'The rule has three or four lists of several alternatives (ports, networks). Once two of them have matched, Felix v3.32 does not check the others: more passes than is written.',
    example: {'profiles/web': web([{action: 'Allow', protocol: 'TCP', source: {nets: ['10.0.0.0/24', '10.0.2.0/24']}, destination: {nets: ['10.1.0.0/24', '10.1.2.0/24'], ports: Array.from({length: 16}, (_, at) => 80 + 2 * at)}}])},
    mend: `Make several rules of it, with fewer alternatives each. ${RULE}`,
  },
  'tag-lost': {
    meaning: 'Felix enforces the rules of the profile, but refuses its labels over something that its validator does not take: an action in the wrong case, networks with host bits, a name with capital letters. Rules of others that ask for the tag no longer see its endpoints.',
    example: {'profiles/web': web([{...FROM_WEB, action: 'allow'}])},
    mend: RULE,
  },
  'unpoliced-interface': {
    meaning: "Felix polices only interfaces that begin with its interfacePrefix, cali by default. The endpoint's interface does not: no policy at all holds for it, and Felix reports it up.",
    example: {[WEP_A]: endpoint({...A, interfaceName: 'tapa'}), 'profiles/web': WEB},
    mend: `Set the interfacePrefix of the FelixConfiguration if the interfaces are meant to be called so. Otherwise: ${ANEW}`,
  },
  'address-outside-pools': {
    meaning: 'There are pools of this IP version, and the address is in none. Nodes pass on by BGP only the ways to addresses in pools: other hosts do not reach the endpoint, and no outgoing NAT is done for it.',
    example: {[WEP_A]: endpoint({...A, ipNetworks: ['10.66.0.1/32']}), 'profiles/web': WEB, 'ippools/p': pool('10.65.0.0/16')},
    mend: 'Add a pool that has the address, "calicoctl pool add CIDR", or give the endpoint another one.',
  },
  'address-twice': {
    meaning: 'Endpoints of different nodes have the same address. Each node announces it; who reaches which of them depends on where he is.',
    example: {[WEP_A]: endpoint(A), 'workloadendpoints/default/h2-docker-b-eth0': endpoint({...A, node: 'h2', workload: 'b', interfaceName: 'calib'}), 'profiles/web': WEB},
    mend: `One of the two must go. ${ANEW} "calicoctl ipam check" tells whose the address is.`,
  },
  'bgp-filter-missing': {
    meaning: 'The peer names a BGP filter that does not exist: its routes are not filtered.',
    example: {'bgppeers/upstream': {spec: {peerIP: '192.0.2.9', asNumber: 64513, filters: ['short']}}},
    mend: 'Make the filter with "calicoctl create -f FILE", or take its name out of the peer.',
  },
  'bgp-peer-nobody': {
    meaning: 'A selector of the peer selects no node, or its address is that of the very node that is to speak to it.',
    example: {'nodes/h1': node('192.0.2.1'), 'bgppeers/rack': {spec: {nodeSelector: "rack == 'r9'", peerIP: '192.0.2.9', asNumber: 64513}}},
    mend: 'Remove the peer with "calicoctl delete bgppeer NAME", or label the nodes that are meant.',
  },
  ignored: {
    meaning: 'The field is stored and has no effect, or not that which it seems to have.',
    example: {'globalnetworksets/office': {spec: {nets: ['', '192.0.2.0/24']}}},
    mend: EDIT,
  },
  'matches-everything': {
    meaning: 'An empty list of networks, an empty selector, or a rule without source and destination: as it is written it matches everything. It may be meant so; then write it as calicoctl does, "rule add inbound allow".',
    example: {'profiles/web': web([rule({nets: []})])},
    mend: RULE,
  },
  'matches-nothing': {
    meaning: 'No packet can match the rule, whoever is there: a named port that no endpoint has, networks of two IP versions against each other, a service of Kubernetes, or a direction that the types of the policy leave out.',
    example: {'profiles/web': web([{action: 'Allow', protocol: 'TCP', source: {}, destination: {ports: ['http']}}])},
    mend: RULE,
  },
  'newer-kind': {
    meaning: 'The object is of a kind that came after Calico v3.32. It is left alone; if it decides about traffic, what calicoctl says about that is incomplete.',
    example: {'futures/x': {spec: {}}},
    mend: 'Use the calicoctl of the newer Calico. "calicoctl get kinds" counts what is there.',
  },
  'newer-version': {
    meaning: 'The store is used by a Calico that is newer than v3.32, or has keys of a newer data model.',
    example: {'clusterinformations/default': {spec: {clusterGUID: 'ddeac547ab744b4c9f5142e02b4f4a52', calicoVersion: 'v3.40.0', datastoreReady: true}}},
    mend: 'Use the calicoctl of the newer Calico.',
  },
  'node-address-twice': {
    meaning: 'Two nodes have the same address for BGP. Sessions and tunnels reach only one of them. A Node may be left over from a host that has been renamed.',
    example: {'nodes/h1': node('192.0.2.1'), 'nodes/h2': node('192.0.2.1')},
    mend: 'Remove the one that is gone with "calicoctl node remove NODE", or give a host its own address: "calicoctl node --ip=ADDRESS".',
  },
  'node-missing': {
    meaning: 'A host endpoint or BGP peer is for a node that does not exist, though others do. It has no effect.',
    example: {'nodes/h1': node('192.0.2.1'), 'bgppeers/rack': {spec: {node: 'h9', peerIP: '192.0.2.9', asNumber: 64513}}},
    mend: '"calicoctl delete KIND NAME", or all that is left of the node: "calicoctl node remove NODE".',
  },
  'old-model': {
    meaning: 'Calico before version 3 kept its data here. Nothing reads it any more: changes there have no effect. It is left over from a migration, or a tool still writes it.',
    example: {'/calico/v1/policy/profile/web/rules': '{"inbound_rules": []}'},
    mend: 'Once nothing of the old Calico runs: "etcdctl del --prefix /calico/v1/".',
  },
  'pools-overlap': {
    meaning: 'Two pools share addresses. Which settings hold for one of these, NAT or encapsulation, is chance.',
    example: {'ippools/large': pool('10.65.0.0/16'), 'ippools/small': pool('10.65.8.0/24')},
    mend: 'Remove one of them: "calicoctl pool remove CIDR".',
  },
  'rule-never-reached': {
    meaning: 'An earlier rule of the same list, or of a policy that comes first for every endpoint, takes all that this rule could match. It is judged by what the rules say: protocol, ports, networks, selectors, ICMP.',
    example: {'profiles/web': web([rule({}, {protocol: 'TCP'}), {action: 'Deny', protocol: 'TCP', source: {nets: ['10.0.0.0/8']}, destination: {}}])},
    mend: 'Put the narrower rule first: remove it and add it with "calicoctl profile NAME rule add inbound --at=NUMBER …", or remove it.',
  },
  'selects-nobody': {
    meaning: 'A rule asks for a tag or labels that no endpoint, network set or profile has, or a policy selects no endpoint. It may be misspelt, or for something that does not exist yet.',
    example: {'profiles/web': web([rule({selector: 'has(ghost)'})])},
    mend: RULE,
  },
  stale: {
    meaning: 'The profile cannot be read. Each Felix goes on with the version that it has, follows no change of profiles, and after its next start drops the traffic of the endpoints.',
    example: {'profiles/web': {spec: {ingress: {action: 'Allow'}}}},
    mend: `${RAW} Then restart Felix on the nodes.`,
  },
  'tier-missing': {
    meaning: 'The policy names a tier that does not exist. It is enforced all the same, behind all tiers, and what it does not decide is dropped.',
    example: {'globalnetworkpolicies/security.deny': {spec: {tier: 'security', order: 10, selector: 'all()', types: ['Ingress'], ingress: [{action: 'Deny', source: {}, destination: {}}]}}},
    mend: 'Make the tier with "calicoctl create -f FILE", or put the policy into another one.',
  },
  unreadable: {
    meaning: 'The value is not JSON, or not of the types that Calico reads. Calico goes on as if the object did not exist.',
    example: {'bgppeers/upstream': '{broken'},
    mend: RAW,
  },
  'address-twice-on-node': {
    meaning: 'Endpoints of one node have the same address. Felix takes it, and routes the address to one of them.',
    example: {[WEP_A]: endpoint(A), 'workloadendpoints/default/h1-docker-b-eth0': endpoint({...A, workload: 'b', interfaceName: 'calib'}), 'profiles/web': WEB},
    mend: ANEW,
  },
  'built-in-tier-missing': {
    meaning: 'One of the tiers default, kube-admin and kube-baseline does not exist. Felix goes on as if it did.',
    example: {'tiers/kube-admin': null},
    mend: 'calico/node makes it at its next start.',
  },
  'endpoint-half-closed': {
    meaning: 'The endpoint has no profile, and the policies that select it are for one direction only: the other one is closed.',
    example: {
      [WEP_A]: endpoint({...A, profiles: undefined}),
      'globalnetworkpolicies/in': {spec: {tier: 'default', selector: 'all()', types: ['Ingress'], ingress: [{action: 'Allow', source: {}, destination: {}}]}},
    },
    mend: 'If that is not meant: "calicoctl endpoint ID profile append PROFILE".',
  },
  identity: {
    meaning: "The object lacks its uid, time of creation, kind, apiVersion or a label that Calico's client sets, or its name is not that of its key. Felix goes by the key; calico/node and Calico's own calicoctl cannot change such an object.",
    example: {'profiles/web': {metadata: {name: 'web', creationTimestamp: '2026-11-21T10:04:21Z'}, ...WEB}},
    mend: 'Any change with calicoctl adds a missing uid and time.',
  },
  'interface-twice': {
    meaning: 'Endpoints of one node have the same interface. Felix enforces the one that sorts first; the other is none.',
    example: {[WEP_A]: endpoint(A), 'workloadendpoints/default/h1-docker-b-eth0': endpoint({...A, workload: 'b', ipNetworks: ['10.65.0.2/32']}), 'profiles/web': WEB},
    mend: ANEW,
  },
  'invalid-value': {
    meaning: "Calico's client would refuse the value, and Felix does not look at it or reads it as something else that does no harm.",
    example: {[WEP_A]: endpoint({...A, ipv4Gateway: '10.65.0.0/24'}), 'profiles/web': WEB},
    mend: EDIT,
  },
  'no-effect': {
    meaning: 'Nothing reads the object in etcd: its kind is for Kubernetes, or it names no node.',
    example: {'ipamconfigurations/default': {spec: {strictAffinity: false, autoAllocateBlocks: true}}},
    mend: '"calicoctl delete KIND NAME"',
  },
  'not-initialised': {
    meaning: 'There are objects, but neither ClusterInformation nor tiers: nobody has initialised the store yet. Felix waits for that.',
    example: {'clusterinformations/default': null, 'tiers/default': null, 'tiers/kube-admin': null, 'tiers/kube-baseline': null, 'profiles/web': WEB},
    mend: 'Start calico/node, or make any change with calicoctl and --init.',
  },
  'unknown-field': {
    meaning: 'Calico v3.32 does not know the field, and ignores it. A newer Calico may.',
    example: {'profiles/web': web([FROM_WEB], {comment: 'for the shop'})},
    mend: EDIT,
  },
}
