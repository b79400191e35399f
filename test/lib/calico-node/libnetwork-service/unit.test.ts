import {execFileSync, spawn} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {driverEnvironmentFile, driverUnit} from '../../../../src/lib/calico-node/libnetwork-service/unit.js'
import {suite} from '../../../support/docker.js'
import {whyNoNamespaces} from '../../../support/namespaces.js'

const unit = driverUnit({node: process.execPath, entry: '/opt/my tools/100%/$calicoctl/bin/run.js', version: '1.2.3'})
const section = (name: string): string => unit.split(`[${name}]\n`)[1]?.split('\n\n')[0] ?? ''

describe('the unit', () => {
  test('is there before Docker, and until after it', () => {
    expect(section('Unit').split('\n')).toEqual(expect.arrayContaining(['Before=docker.service', 'After=network-online.target']))
    expect(unit).not.toMatch(/(Requires|Wants|After)=.*docker/)
  })
  test('is started again for ever', () => {
    expect(section('Service').split('\n')).toEqual(expect.arrayContaining(['Restart=always', 'RestartSec=2', 'EnvironmentFile=/etc/calico/libnetwork.env']))
    expect(section('Unit')).toContain('StartLimitIntervalSec=0')
  })
  test('names the program in systemd\'s own quotes', () => {
    expect(unit).toContain(`ExecStart=${process.execPath} "/opt/my tools/100%%/$$calicoctl/bin/run.js" libnetwork serve\n`)
  })
  test('waits for the socket in words that a shell understands', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'calicoctl-unit-'))
    const words = /^ExecStartPost=\/bin\/sh -c '(.*)'$/m.exec(unit)?.[1]?.replaceAll('$$', '$').replaceAll('/run/docker/plugins/calico.sock', `${folder}/s`).replace('-le 100', '-le 3') ?? ''
    const run = (): string => execFileSync('sh', ['-c', `${words}; echo there`], {encoding: 'utf8'})
    const server = createServer()
    try {
      expect(run).toThrow(expect.objectContaining({status: 1}))
      await new Promise<void>((done) => server.listen(`${folder}/s`, done))
      expect(run()).toBe('there\n')
    } finally {
      server.close()
      rmSync(folder, {recursive: true})
    }
  })
  test('leaves the folder that calico-node shares with others readable', () => {
    expect(unit).toMatch(/^ExecStartPre=\+\/bin\/sh -c 'umask 022; exec mkdir -p \/run\/docker\/plugins \/var\/lib\/calico'$/m)
  })
  test('is what systemd takes, where its verifier is installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'calicoctl-unit-'))
    try {
      const path = join(folder, 'calico-libnetwork.service')
      writeFileSync(path, driverUnit({node: process.execPath, entry: '/usr/lib/calicoctl/bin/run.js', version: '1.2.3'}))
      let said: string
      try {
        said = execFileSync('sh', ['-c', 'command -v systemd-analyze >/dev/null || exit 0; systemd-analyze verify "$1" 2>&1', 'sh', path], {encoding: 'utf8', env: {PATH: process.env.PATH}})
      } catch (error) {
        said = String((error as {stdout?: string}).stdout)
      }
      expect(said).not.toContain('calico-libnetwork')
    } finally {
      rmSync(folder, {recursive: true})
    }
  })
})

suite('its capabilities', whyNoNamespaces() ?? whyNoSetpriv(), () => {
  /** What Docker gives the processes of a container: two of them the driver has not. */
  const CONTAINERS = ['chown', 'dac_override', 'fsetid', 'fowner', 'mknod', 'net_raw', 'setgid', 'setuid', 'setfcap', 'setpcap', 'net_bind_service', 'sys_chroot', 'kill', 'audit_write']
  const bounded = (names: readonly string[], ...words: string[]): string[] =>
    ['setpriv', '--no-new-privs', '--inh-caps=-all', `--bounding-set=-all${names.map((name) => `,+${name}`).join('')}`, ...words]

  test('suffice to look into a container, which tells whether an endpoint is in use', async () => {
    const own = (/^CapabilityBoundingSet=(.*)$/m.exec(unit)?.[1] ?? '').toLowerCase().split(' ').map((name) => name.replace('cap_', ''))
    const container = spawn('unshare', ['--net', ...bounded(CONTAINERS, 'sleep', '60')], {stdio: 'ignore'})
    try {
      const pid = String(container.pid)
      while (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'sleep') await sleep(5)
      const [program = '', ...words] = bounded(own, 'nsenter', `--net=/proc/${pid}/ns/net`, 'ip', '-o', 'link')
      expect(execFileSync(program, words, {encoding: 'utf8'})).toMatch(/^1: lo:.*\n$/)
    } finally {
      container.kill('SIGKILL')
    }
  })
})

function whyNoSetpriv(): string | undefined {
  try {
    execFileSync('setpriv', ['--bounding-set=-all', 'true'], {stdio: 'pipe'})
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

describe('its variables', () => {
  const secret = {name: 'ETCD_PASSWORD', value: 'to$p "secret', secret: true}
  test('with the secret for the file, without it for people', () => {
    expect(driverEnvironmentFile([{name: 'NODENAME', value: 'h1'}, secret], {secrets: true})).toBe('NODENAME=h1\nETCD_PASSWORD="to\\$p \\"secret"\n')
    expect(driverEnvironmentFile([{name: 'NODENAME', value: 'h1'}, secret], {secrets: false})).toBe('NODENAME=h1\n# ETCD_PASSWORD is not shown\n')
    expect(unit).not.toContain('ETCD')
  })
  test('one line each, which a shell, that quotes alike, reads as it was meant', () => {
    const printable = fc.string({unit: 'grapheme-ascii', maxLength: 20})
    fc.assert(fc.property(printable, (value) => {
      const line = driverEnvironmentFile([{name: 'X', value}], {secrets: true})
      expect(line.trimEnd().split('\n')).toHaveLength(1)
      expect(execFileSync('sh', ['-c', `${line}printf '%s' "$X"`], {encoding: 'utf8'})).toBe(value)
    }), {numRuns: 40})
  })
})
