import {describe, expect, test} from '@jest/globals'
import {CalicoError} from '../../../../src/lib/errors.js'
import {firstUsable, type HostInterface} from '../../../../src/lib/host/candidates.js'
import {agentAddresses, containerProfiles, hostProfileName} from '../../../../src/lib/mesos/plugin/profiles.js'
import {readPluginSettings} from '../../../../src/lib/mesos/plugin/settings.js'
import {displayName} from '../../../../src/lib/model/display-name.js'
import type {Node} from '../../../../src/lib/model/types.js'
import {type Address, formatAddress, parseAddress} from '../../../../src/lib/net/index.js'

const address = (text: string): Address => parseAddress(text) ?? {family: 4, value: 0n}
const AGENT = [address('10.1.2.3')]
const shown = (hostname: string, groups: readonly string[], prefix = ''): string[] => containerProfiles(hostname, groups, prefix, AGENT).profiles.map(({metadata}) => displayName(metadata).name)

describe('profiles of a container', () => {
  test('the agent\'s, public, the groups in their order, each once', () => {
    expect(shown('host1', ['b', 'public', 'a', 'b', 'public'])).toEqual(['default_host1', 'public', 'b', 'a'])
    expect(shown('host1', [])).toEqual(['default_host1'])
    expect(shown('host1', ['default_host1', 'a'])).toEqual(['default_host1', 'a'])
  })

  test('a prefix is for net-groups', () => expect(shown('h', ['a', 'public', 'public.x'], 'ng_')).toEqual(['default_h', 'public', 'ng_a', 'ng_public.x']))

  test('names are as they are stored; Calico\'s own profile is named and not made', () => {
    const {names, profiles} = containerProfiles('Host_1', ['web', 'UPPER', 'projectcalico-default-allow'], '', AGENT)
    expect(names).toEqual([hostProfileName('Host_1'), 'web', profiles[2]?.metadata.name, 'projectcalico-default-allow'])
    expect(names.every((name) => /^[a-z0-9.-]+$/.test(name))).toBe(true)
    expect(profiles.map(({metadata}) => metadata.name)).not.toContain('projectcalico-default-allow')
  })

  test('the agent\'s profile allows its addresses, in both directions, and nothing else', () => {
    const [host] = containerProfiles('h', [], '', [address('10.1.2.3'), address('fd00::1')]).profiles
    expect(host?.spec).toEqual({
      ingress: [
        {action: 'Allow', source: {nets: ['10.1.2.3/32']}, destination: {}},
        {action: 'Allow', source: {nets: ['fd00::1/128']}, destination: {}},
      ],
      egress: [
        {action: 'Allow', source: {}, destination: {nets: ['10.1.2.3/32']}},
        {action: 'Allow', source: {}, destination: {nets: ['fd00::1/128']}},
      ],
      labelsToApply: {default_h: ''},
    })
  })
})

describe('the agent\'s address', () => {
  const node = (bgp: object): Node => ({kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: {name: 'n'}, spec: {bgp}})

  test('what calico/node has registered', async () => {
    expect((await agentAddresses(node({ipv4Address: '10.1.2.3/24'}))).map(formatAddress)).toEqual(['10.1.2.3'])
    expect((await agentAddresses(node({ipv4Address: '10.1.2.3', ipv6Address: 'fd00::5/64'}))).map(formatAddress)).toEqual(['10.1.2.3', 'fd00::5'])
  })

  const nic = (ifname: string, local: string, more: object = {}): HostInterface => ({ifname, flags: ['UP'], addr_info: [{local, prefixlen: 24, ...more}]})

  test('else the first of the host itself', () => {
    const others = ['lo', 'docker0', 'docker_gwbridge', 'cbr0', 'virbr0', 'lxcbr0', 'veth1', 'cali123', 'tunl0', 'flannel.1'].map((name, i) => nic(name, `172.16.${i}.1`))
    const unusable = [nic('eth7', '127.0.0.2'), nic('eth8', '169.254.3.3', {scope: 'link'}), {...nic('eth9', '10.9.9.9'), flags: []}]
    expect(firstUsable([...others, ...unusable, nic('eth0', '10.0.2.15'), nic('eth1', '10.0.3.15')], 4)).toEqual(address('10.0.2.15'))
    expect(firstUsable([...others, ...unusable], 4)).toBeUndefined()
    expect(firstUsable([nic('eth0', 'fd00::7')], 4)).toBeUndefined()
  })
})

describe('settings', () => {
  test.each([
    [{}, {netgroupPrefix: '', idempotentCleanup: false}],
    [{CALICO_MESOS_NETGROUP_PREFIX: '', CALICO_MESOS_IDEMPOTENT_CLEANUP: ''}, {netgroupPrefix: '', idempotentCleanup: false}],
    [{CALICO_MESOS_NETGROUP_PREFIX: 'ng_', CALICO_MESOS_IDEMPOTENT_CLEANUP: 'true'}, {netgroupPrefix: 'ng_', idempotentCleanup: true}],
    [{CALICO_MESOS_IDEMPOTENT_CLEANUP: 'false'}, {netgroupPrefix: '', idempotentCleanup: false}],
  ])('%j', (env, settings) => expect(readPluginSettings(env)).toEqual(settings))

  test.each([
    {CALICO_MESOS_NETGROUP_PREFIX: 'a/b'},
    {CALICO_MESOS_NETGROUP_PREFIX: '_ng'},
    {CALICO_MESOS_NETGROUP_PREFIX: 'n'.repeat(33)},
    {CALICO_MESOS_NETGROUP_PREFIX: 'ng \n'},
    {CALICO_MESOS_IDEMPOTENT_CLEANUP: 'yes'},
  ])('%j is refused', (env) => expect(() => readPluginSettings(env)).toThrow(CalicoError))
})
