import {afterAll, describe, expect, test} from '@jest/globals'
import type {CheckOptions} from '../../../src/lib/system-check/check.js'
import {compareVersions, featureModules, gatherModules, kernel, missingModules, modules} from '../../../src/lib/system-check/kernel.js'
import {recordedHost, removeRecordedHosts} from './host.js'

const PLAIN: CheckOptions = {libnetwork: false}
const RELEASE = '6.1.0-23-amd64'
const RELEASE_FILE = {'/proc/sys/kernel/osrelease': `${RELEASE}\n`}

afterAll(removeRecordedHosts)

describe('the kernel\'s release', () => {
  test.each(['3.10', '3.10.0', '4.4.0-21-generic', '5.10.16.3-microsoft-standard-WSL2', '6.1.0-23-amd64', '6.18.44-fc-v669', '10.0'])('%s is good', (release) => {
    expect(kernel.judge(release, PLAIN)).toEqual({state: 'ok', found: `Linux ${release}`})
  })
  test.each(['2.6.24', '2.6.32-754.el6', '3.9.11', '3.2.0-4-amd64', '3'])('%s is not', (release) => expect(kernel.judge(release, PLAIN).state).toBe('wrong'))
  test.each(['', 'five', '5', '5.x', 'v6.1.0'])('\'%s\' is not understood', (release) => expect(kernel.judge(release, PLAIN)).toMatchObject({state: 'wrong', found: expect.stringContaining('not understood') as unknown}))
  test('is read from /proc', () => expect(kernel.gather(recordedHost(RELEASE_FILE))).toBe(RELEASE))
  test('1.9 is less than 1.16; a missing part is 0', () => {
    expect(compareVersions([1, 9], [1, 16])).toBeLessThan(0)
    expect(compareVersions([1, 21], [1, 21, 0])).toBe(0)
    expect(compareVersions([2], [1, 99])).toBeGreaterThan(0)
  })
})

const REQUIRED = ['ip_tables', 'ip_set', 'xt_set', 'xt_mark', 'xt_conntrack', 'xt_multiport', 'xt_addrtype', 'xt_comment', 'xt_icmp', 'ipt_rpfilter', 'ipt_REJECT', 'nf_conntrack', 'nf_conntrack_netlink', 'veth']
const dep = (names: readonly string[], suffix: string): string => names.map((name) => `kernel/net/netfilter/${name}.ko${suffix}: kernel/net/x_tables.ko${suffix}`).join('\n')
const judged = (files: Record<string, string>) => modules.judge(gatherModules(recordedHost({...RELEASE_FILE, ...files})), PLAIN)
const folder = `/lib/modules/${RELEASE}`

describe('modules', () => {
  test.each(['', '.xz', '.zst', '.gz'])('modules.dep with .ko%s', (suffix) => {
    expect(judged({[`${folder}/modules.dep`]: dep(REQUIRED, suffix)})).toEqual({state: 'ok', found: 'all 14 are available'})
  })
  test('each one is missed when it alone is not there', () => {
    for (const name of REQUIRED.filter((each) => each !== 'xt_icmp' && each !== 'ip_tables')) {
      expect(judged({[`${folder}/modules.dep`]: dep(REQUIRED.filter((each) => each !== name), '')})).toEqual({state: 'wrong', found: `missing: ${name}`})
    }
  })
  test('a module that is only what another depends on, or whose name only begins so, is not there', () => {
    expect(judged({[`${folder}/modules.dep`]: `kernel/a.ko: kernel/xt_set.ko\n${dep(REQUIRED.filter((each) => each !== 'xt_set'), '')}\nkernel/xt_set2.ko:\nkernel/my-xt_set.ko:`})).toEqual({state: 'wrong', found: 'missing: xt_set'})
  })
  test('some built in, some loadable', () => {
    expect(judged({[`${folder}/modules.dep`]: dep(REQUIRED.slice(0, 7), '.xz'), [`${folder}/modules.builtin`]: REQUIRED.slice(7).map((name) => `kernel/net/${name}.ko`).join('\n')}).state).toBe('ok')
  })
  test('dashes and underscores are the same', () => {
    expect(judged({[`${folder}/modules.dep`]: dep(REQUIRED.map((name) => name.replaceAll('_', '-')), '')}).state).toBe('ok')
  })
  test('only what is loaded is known', () => {
    const lines = REQUIRED.map((name) => `${name} 16384 0 - Live 0x0000000000000000`)
    expect(judged({'/proc/modules': lines.join('\n')}).state).toBe('ok')
    expect(judged({'/proc/modules': lines.filter((line) => !line.startsWith('veth')).join('\n')})).toEqual({state: 'wrong', found: 'missing: veth'})
  })
  test('nftables does as well', () => {
    const others = REQUIRED.filter((name) => name !== 'ip_tables')
    expect(judged({[`${folder}/modules.dep`]: dep([...others, 'nf_tables'], '')}).state).toBe('ok')
  })
  const CONFIG = [
    'CONFIG_IP_NF_IPTABLES=y', 'CONFIG_IP_SET=y', 'CONFIG_NETFILTER_XT_SET=y', 'CONFIG_NETFILTER_XT_MARK=y', 'CONFIG_NETFILTER_XT_MATCH_CONNTRACK=y', 'CONFIG_NETFILTER_XT_MATCH_MULTIPORT=y',
    'CONFIG_NETFILTER_XT_MATCH_ADDRTYPE=y', 'CONFIG_NETFILTER_XT_MATCH_COMMENT=y', 'CONFIG_IP_NF_MATCH_RPFILTER=y', 'CONFIG_IP_NF_TARGET_REJECT=y', 'CONFIG_NF_CONNTRACK=y', 'CONFIG_NF_CT_NETLINK=y', 'CONFIG_VETH=m', '# CONFIG_NET_IPIP is not set',
  ].join('\n')
  test.each(['/proc/config.gz', `/boot/config-${RELEASE}`, `${folder}/build/.config`, `/usr/src/linux-headers-${RELEASE}/.config`])('a kernel without modules: %s', (path) => {
    expect(judged({[path]: CONFIG}).state).toBe('ok')
    expect(judged({[path]: CONFIG.replace('CONFIG_NETFILTER_XT_SET=y', '# CONFIG_NETFILTER_XT_SET is not set')})).toEqual({state: 'wrong', found: 'missing: xt_set'})
  })
  test('what is loadable by the configuration but not installed is missing', () => {
    expect(judged({'/proc/config.gz': CONFIG, [`${folder}/modules.dep`]: 'kernel/fs/ext4.ko:'})).toEqual({state: 'wrong', found: 'missing: veth'})
  })
  test('the matches of the running kernel', () => {
    const config = CONFIG.replace('CONFIG_NETFILTER_XT_SET=y', '').replace('CONFIG_NETFILTER_XT_MARK=y', '')
    expect(judged({'/proc/config.gz': config, '/proc/net/ip_tables_matches': 'set\nmark\n'}).state).toBe('ok')
    expect(judged({'/proc/config.gz': config, '/proc/net/ip_tables_matches': 'setting\nmark\n'})).toEqual({state: 'wrong', found: 'missing: xt_set'})
  })
  test('nothing tells of modules: wrong', () => {
    expect(judged({})).toEqual({state: 'wrong', found: `the modules of Linux ${RELEASE} cannot be determined`})
    expect(missingModules([], gatherModules(recordedHost(RELEASE_FILE)))).toBeUndefined()
  })
  test('those of single features only warn, and say of what', () => {
    expect(featureModules.required).toBe(false)
    expect(featureModules.judge(gatherModules(recordedHost({...RELEASE_FILE, '/proc/modules': 'ip6_tables 1\nvxlan 1\nxt_bpf 1\nxt_u32 1'})), PLAIN)).toEqual({state: 'wrong', found: 'missing: ipip (pools with IPIP)'})
  })
})
