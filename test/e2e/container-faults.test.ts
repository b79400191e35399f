/** container commands where the Engine, the container or etcd goes in the middle, and where the command itself is killed. */
import {execFileSync} from 'node:child_process'
import {chmodSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, beforeAll, beforeEach, describe, expect, test} from '@jest/globals'
import {calicoctl as inOwnProcess, type Result, startCalicoctl} from '../support/cli.js'
import {containersOfEngine, IPAM} from '../support/containers.js'
import {type EngineProxy, startEngineProxy, suite, whyNoEngine} from '../support/docker.js'
import {type Proxy, startProxy} from '../support/proxy.js'

suite('containers', whyNoEngine(), () => {
  const on = containersOfEngine()
  const {env, run, given, container, inside, idOf, endpoints, assigned, calicoInterfaces, expectNothingLeft} = on

  describe('half-way', () => {
    let name: string
    let proxy: EngineProxy
    beforeEach(async () => {
      await given('pool add 192.168.0.0/26')
      name = await container()
      proxy = await startEngineProxy(on.engine.socket)
    }, 300_000)
    afterEach(() => proxy.stop())

    test.each([
      [1, 'cut'],
      [2, 'cut'],
      [3, 'cut'],
      [2, 'hang'],
      [3, 'hang'],
    ] as const)('the Engine: its answer %d is %s', async (which, how) => {
      proxy.answer = (count) => (count === which ? how : 'pass')
      const result = await run(`container add ${name} ipv4`, {DOCKER_HOST: proxy.address})
      expect(result).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('Docker Engine') as unknown})
      await expectNothingLeft()
      expect(await inside(name, 'ip', 'link')).not.toContain('eth1')
    }, 300_000)

    test.each([2, 3])('the container stops before the Engine is asked the %d. time', async (which) => {
      proxy.answer = async (count) => {
        if (count === which) await on.engine.docker('stop', '-t', '0', name)
        return 'pass' as const
      }
      expect(await run(`container add ${name} ipv4 --timeout 50s`, {DOCKER_HOST: proxy.address})).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('was stopped during the command') as unknown})
      await expectNothingLeft()
    }, 300_000)

    test.each([2, 3])('the container is restarted before the Engine is asked the %d. time', async (which) => {
      proxy.answer = async (count) => {
        if (count === which) await on.engine.docker('restart', '-t', '0', name)
        return 'pass' as const
      }
      expect(await run(`container add ${name} ipv4 --timeout 50s`, {DOCKER_HOST: proxy.address})).toMatchObject({code: 1, stderr: expect.stringContaining('was restarted during the command') as unknown})
      await expectNothingLeft()
      expect(await inside(name, 'ip', 'link')).not.toContain('eth1')
    }, 300_000)

    test('a signal: told what was done, and how to go on', async () => {
      let asked = (): void => undefined
      const third = new Promise<void>((resolve) => (asked = resolve))
      proxy.answer = (count) => {
        if (count !== 3) return 'pass'
        asked()
        return 'hang'
      }
      const running = startCalicoctl(['container', 'add', name, 'ipv4'], {env: env({DOCKER_HOST: proxy.address})})
      await third
      running.process.kill('SIGTERM')
      const {code, stderr} = await running.result
      expect(code).toBe(143)
      expect(stderr).toContain(`remove it: calicoctl container remove ${name}\n`)
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('etcd goes when the endpoint is written: told exactly, and the same command completes it', async () => {
      const between = await startProxy(on.etcd.endpoints[0] ?? '')
      between.before('"kind":"WorkloadEndpoint"', () => between.set('black-hole'))
      try {
        const result = await run(`container add ${name} 192.168.0.1 --timeout 2s`, {ETCD_ENDPOINTS: between.endpoint})
        expect(result).toMatchObject({code: 9, stdout: ''})
        expect(result.stderr).toContain(`docker.${await idOf(name)}`)
        expect(result.stderr).toContain('192.168.0.1')
      } finally {
        await between.stop()
      }
      expect(calicoInterfaces()).toEqual([])
      expect(await run('ipam check')).toMatchObject({code: 10})
      await given(`container add ${name} 192.168.0.1`)
      expect(await run('ipam check')).toMatchObject({code: 0})
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)

    test('etcd goes during a removal: told exactly, and the same command completes it', async () => {
      await given(`container add ${name} 192.168.0.1`)
      const between = await startProxy(on.etcd.endpoints[0] ?? '')
      between.before(`${IPAM}handle/`, () => between.set('black-hole'))
      try {
        const result = await run(`container remove ${name} --timeout 2s`, {ETCD_ENDPOINTS: between.endpoint})
        expect(result).toMatchObject({code: 9, stdout: '', stderr: expect.stringContaining('Only the interfaces') as unknown})
      } finally {
        await between.stop()
      }
      expect(await endpoints()).toHaveLength(1)
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 300_000)
  })

  describe('SIGKILL', () => {
    let bin: string
    let name: string
    let between: Proxy
    /**
     * An `ip` that counts its commands, those of a batch one by one, and kills who called it before (or after) the one that the file kill-at names. Killed
     * before, nothing more is done; after it, the rest of a batch is, as by an `ip` that outlives its caller.
     */
    const SHIM = `#!/bin/sh
here=$(dirname "$0")
read at when < "$here/kill-at"
command() {
  count=$(($(cat "$here/count") + 1))
  echo $count > "$here/count"
  if [ "$count" = "$at" ] && [ "$when" = before ]; then kill -9 $PPID; exit 1; fi
  ${execFileSync('sh', ['-c', 'command -v ip || true'], {encoding: 'utf8'}).trim()} "$@" < /dev/null
  code=$?
  if [ "$count" = "$at" ]; then kill -9 $PPID; fi
  return $code
}
if [ "$1" != -batch ]; then command "$@"; exit; fi
number=0
while read -r line; do
  number=$((number + 1))
  command $line || { echo "Command failed -:$number" >&2; exit $code; }
done
`
    beforeAll(() => {
      bin = join(on.folder, 'shim')
      mkdirSync(bin, {recursive: true})
      writeFileSync(join(bin, 'ip'), SHIM)
      chmodSync(join(bin, 'ip'), 0o755)
    })
    beforeEach(async () => {
      await given('pool add 192.168.0.0/26')
      name = await container('--net=bridge')
      between = await startProxy(on.etcd.endpoints[0] ?? '')
    })
    afterEach(() => between.stop())

    /** Runs LINE, killed at the command AT of \`ip\`. How many there were. */
    async function killedAt(line: string, at: number, when: 'before' | 'after'): Promise<{result: Result; calls: number}> {
      writeFileSync(join(bin, 'count'), '0\n')
      writeFileSync(join(bin, 'kill-at'), `${at} ${when}\n`)
      const result = await inOwnProcess(line.split(' '), {env: env({PATH: `${bin}:${process.env.PATH ?? ''}`})})
      return {result, calls: Number(readFileSync(join(bin, 'count'), 'utf8'))}
    }

    /** Runs LINE, killed when it sends a request with TEXT, which etcd gets only if ARRIVES. */
    async function killedWhenSending(line: string, text: string, {arrives}: {arrives: boolean}): Promise<Result> {
      const running = startCalicoctl(line.split(' '), {env: env({ETCD_ENDPOINTS: between.endpoint})})
      between.before(text, () => {
        if (!arrives) between.set('black-hole')
        else between.set('swallow-replies')
        if (arrives) void between.answered().then(() => running.process.kill('SIGKILL'))
        else running.process.kill('SIGKILL')
      })
      const result = await running.result
      between.set('pass')
      return result
    }

    /** Whatever a killed command left is repaired by the same command, and by removal. */
    async function expectRepairable(): Promise<void> {
      const left = {endpoints: (await endpoints()).length, addresses: (await endpoints()).flatMap(({spec}) => spec.ipNetworks ?? []).length, assigned: await assigned(), interfaces: calicoInterfaces().length}
      // An address is never without an owner that is named, and an endpoint never without its address.
      expect(left.assigned).toBeGreaterThanOrEqual(left.addresses)
      if (left.assigned > left.addresses) expect(await run('ipam check')).toMatchObject({code: 10})
      if (left.endpoints > left.interfaces) expect(await run('endpoint gc')).toMatchObject({code: 10})
      if (left.interfaces > 0) expect(left.endpoints).toBe(1)
    }

    test('at every step of the interfaces; the same command completes it', async () => {
      const [, gateway = ''] = /^default via (\S+)/m.exec(await inside(name, 'ip', 'route')) ?? []
      const {calls} = await killedAt(`container add ${name} 192.168.0.1`, 0, 'before')
      expect(calls).toBeGreaterThan(8)
      await given(`container remove ${name}`)
      for (let at = 1; at <= calls; at++) {
        // Back to the default route that the Engine made, which the command has moved.
        await inside(name, 'sh', '-c', `while ip route del default; do :; done 2> /dev/null; ip route add default via ${gateway} dev eth0`)
        const when = at % 2 === 0 ? 'before' : 'after'
        const {result, calls: reached} = await killedAt(`container add ${name} 192.168.0.1`, at, when)
        // Whether the kernel had given a link-local address yet makes a call more or less.
        if (result.signal !== 'SIGKILL') expect({at, signal: result.signal, isBeyondTheLast: reached < at}).toEqual({at, signal: null, isBeyondTheLast: true})
        await expectRepairable()
        if (at % 3 === 0) await given(`container remove ${name}`)
        const again = await run(`container add ${name} 192.168.0.1`)
        // Killed after its very last steps, it was complete.
        if (at >= calls - 2) expect([0, 5]).toContain(again.code)
        else expect({at, code: again.code, stderr: again.stderr}).toMatchObject({at, code: 0})
        expect(await inside(name, 'ip', 'route')).toContain('default via 169.254.1.1 dev eth1')
        expect(await inside(name, 'ip', 'address', 'show', 'dev', 'eth1')).toContain('192.168.0.1/32')
        expect({at, check: (await run('ipam check')).code, gc: (await run('endpoint gc')).code}).toEqual({at, check: 0, gc: 0})
        await given(`container remove ${name}`)
        await expectNothingLeft()
      }
    }, 900_000)

    test.each([
      ['the address', '"block":{', false],
      ['the address', '"block":{', true],
      ['the endpoint', '"kind":"WorkloadEndpoint"', false],
      ['the endpoint', '"kind":"WorkloadEndpoint"', true],
    ] as const)('when %s is written (%s arrives: %s); the same command completes it', async (_, text, arrives) => {
      for (const repair of ['container add', 'container remove']) {
        expect((await killedWhenSending(`container add ${name} ipv4`, text, {arrives})).signal).toBe('SIGKILL')
        await expectRepairable()
        if (repair === 'container add') {
          await given(`container add ${name} ipv4`)
          expect(await run('ipam check')).toMatchObject({code: 0})
          expect(await assigned()).toBe(1)
        }
        await given(`container remove ${name}`)
        await expectNothingLeft()
      }
    }, 300_000)

    test('at every step of ip add, ip remove and remove; the same command completes it', async () => {
      for (const line of [`container ${name} ip add 192.168.0.9`, `container ${name} ip remove 192.168.0.9`, `container remove ${name}`]) {
        const prepare = async (): Promise<void> => {
          await given(`container remove ${name}`, `container add ${name} 192.168.0.1`)
          if (line.includes('ip remove')) await given(`container ${name} ip add 192.168.0.9`)
        }
        await prepare()
        const {calls} = await killedAt(line, 0, 'before')
        for (let at = 1; at <= calls; at++) {
          await prepare()
          expect((await killedAt(line, at, at % 2 === 0 ? 'before' : 'after')).result.signal).toBe('SIGKILL')
          await expectRepairable()
          const again = await run(line)
          // What was done completely is not done again.
          expect([0, ...(line.includes(' ip ') ? [4, 5] : [])]).toContain(again.code)
          expect(await run('ipam check')).toMatchObject({code: 0})
          const shown = line.startsWith('container remove') ? '' : await inside(name, 'ip', 'address', 'show', 'dev', 'eth1')
          expect(shown.includes('192.168.0.9')).toBe(line.includes('ip add'))
        }
        for (const arrives of [false, true]) {
          await prepare()
          await killedWhenSending(line, line.includes('ip add') ? '"kind":"WorkloadEndpoint"' : '"allocations":[', {arrives})
          expect([0, ...(line.includes(' ip ') ? [4, 5] : [])]).toContain((await run(line)).code)
          expect(await run('ipam check')).toMatchObject({code: 0})
          expect(await assigned()).toBe(line.includes('ip add') ? 2 : line.includes('ip remove') ? 1 : 0)
        }
      }
      await given(`container remove ${name}`)
      await expectNothingLeft()
    }, 900_000)
  })
})
