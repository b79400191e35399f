/**
 * The grammar of calicoctl v0.20 (cli-v0.20 §4), word for word: command word → id of our command → its usage.
 *
 * Notation, read by `pattern.ts`: a plain word is a keyword; `<NAME>` a word of the user's; `[x]` may be left out; `(a | b)` one of them;
 * `x...` once or more; `--x` and `--x=<V>` an option, which may stand anywhere on the line. `<MATCH>` stands for the match words of a rule (§4.4.5).
 * Keywords inside brackets are values and are handed to the command; those outside only select it.
 */
export const V020: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  version: {version: 'version'},
  status: {status: 'status [--runtime=<RUNTIME>]'},
  node: {
    node:
      'node [--ip=<IP>] [--ip6=<IP6>] [--node-image=<IMAGE>] [--runtime=<RUNTIME>] [--as=<AS_NUM>] [--log-dir=<DIR>] ' +
      '[--detach=<BOOL>] [--no-pull] [--libnetwork [--libnetwork-image=<IMAGE>]]',
    'node:stop': 'node stop [--force]',
    'node:remove': 'node remove [--hostname=<HOSTNAME>] [--remove-endpoints]',
    'node:show': 'node show',
    'node:bgp:peer:add': 'node bgp peer add <PEER_IP> as <AS_NUM>',
    'node:bgp:peer:remove': 'node bgp peer remove <PEER_IP>',
    'node:bgp:peer:show': 'node bgp peer show [--ipv4 | --ipv6]',
  },
  profile: {
    'profile:show': 'profile show [--detailed]',
    'profile:add': 'profile add <PROFILE>',
    'profile:remove': 'profile remove <PROFILE> [--no-check]',
    'profile:tag:show': 'profile <PROFILE> tag show',
    'profile:tag:add': 'profile <PROFILE> tag add <TAG>',
    'profile:tag:remove': 'profile <PROFILE> tag remove <TAG>',
    'profile:rule:add': 'profile <PROFILE> rule add (inbound | outbound) [--at=<POSITION>] (allow | deny) [<MATCH>]',
    'profile:rule:remove': 'profile <PROFILE> rule remove (inbound | outbound) (--at=<POSITION> | (allow | deny) [<MATCH>])',
    'profile:rule:show': 'profile <PROFILE> rule show',
    'profile:rule:json': 'profile <PROFILE> rule json',
    'profile:rule:update': 'profile <PROFILE> rule update',
  },
  endpoint: {
    'endpoint:show': 'endpoint show [--host=<HOSTNAME>] [--orchestrator=<ORCHESTRATOR_ID>] [--workload=<WORKLOAD_ID>] [--endpoint=<ENDPOINT_ID>] [--detailed]',
    'endpoint:profile:append':
      'endpoint <ENDPOINT_ID> profile append [--host=<HOSTNAME>] [--orchestrator=<ORCHESTRATOR_ID>] [--workload=<WORKLOAD_ID>] [<PROFILES>...]',
    'endpoint:profile:remove':
      'endpoint <ENDPOINT_ID> profile remove [--host=<HOSTNAME>] [--orchestrator=<ORCHESTRATOR_ID>] [--workload=<WORKLOAD_ID>] [<PROFILES>...]',
    'endpoint:profile:set':
      'endpoint <ENDPOINT_ID> profile set [--host=<HOSTNAME>] [--orchestrator=<ORCHESTRATOR_ID>] [--workload=<WORKLOAD_ID>] [<PROFILES>...]',
    'endpoint:profile:show': 'endpoint <ENDPOINT_ID> profile show [--host=<HOSTNAME>] [--orchestrator=<ORCHESTRATOR_ID>] [--workload=<WORKLOAD_ID>]',
  },
  pool: {
    'pool:add': 'pool add <CIDRS>... [--ipip] [--nat-outgoing]',
    'pool:remove': 'pool remove <CIDRS>...',
    'pool:range:add': 'pool range add <START_IP> <END_IP> [--ipip] [--nat-outgoing]',
    'pool:show': 'pool show [--ipv4 | --ipv6]',
  },
  bgp: {
    'bgp:peer:add': 'bgp peer add <PEER_IP> as <AS_NUM>',
    'bgp:peer:remove': 'bgp peer remove <PEER_IP>',
    'bgp:peer:show': 'bgp peer show [--ipv4 | --ipv6]',
    'bgp:node-mesh': 'bgp node-mesh [on | off]',
    'bgp:default-node-as': 'bgp default-node-as [<AS_NUM>]',
  },
  ipam: {
    'ipam:release': 'ipam release <IP>',
    'ipam:info': 'ipam info <IP>',
  },
  checksystem: {checksystem: 'checksystem [--fix] [--libnetwork] [--runtime=<RUNTIME>]'},
  diags: {diags: 'diags [--log-dir=<DIR>]'},
  config: {
    'config:felix': 'config felix <NAME> [<VALUE> | --remove] [--force]',
    'config:bgp': 'config bgp <NAME> [<VALUE> | --remove] [--force]',
    'config:node:bgp': 'config node bgp <NAME> [<VALUE> | --remove] [--force]',
  },
  container: {
    'container:ip:add': 'container <CONTAINER> ip add <IP> [--interface=<INTERFACE>]',
    'container:ip:remove': 'container <CONTAINER> ip remove <IP> [--interface=<INTERFACE>]',
    'container:endpoint:show': 'container <CONTAINER> endpoint show',
    'container:profile:append': 'container <CONTAINER> profile append [<PROFILES>...]',
    'container:profile:remove': 'container <CONTAINER> profile remove [<PROFILES>...]',
    'container:profile:set': 'container <CONTAINER> profile set [<PROFILES>...]',
    // Ours, in the place where v0.20's others of its kind have their argument (decisions.md 36).
    'container:profile:show': 'container <CONTAINER> profile show',
    'container:add': 'container add <CONTAINER> <IP> [--interface=<INTERFACE>]',
    'container:remove': 'container remove <CONTAINER>',
  },
}

/** The usages of v0.20's command WORD by id; undefined for any other word. */
export function usagesOf(word: string): Readonly<Record<string, string>> | undefined {
  return Object.hasOwn(V020, word) ? V020[word] : undefined
}

/** The usage of the v0.20 command with this id; undefined for a command of ours. */
export function usageOfId(id: string): string | undefined {
  const usages = usagesOf(id.split(':', 1)[0] ?? '')
  return usages !== undefined && Object.hasOwn(usages, id) ? usages[id] : undefined
}
