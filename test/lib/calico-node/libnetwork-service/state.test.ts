import {describe, expect, test} from '@jest/globals'
import type {ContainerDetails} from '../../../../src/lib/docker/details.js'
import {refuseOthersDriver} from '../../../../src/lib/calico-node/libnetwork-service/service.js'
import type {SocketAnswer} from '../../../../src/lib/calico-node/libnetwork-service/socket.js'
import {describeDriver, driverProblems} from '../../../../src/lib/calico-node/libnetwork-service/state.js'
import {readUnitState} from '../../../../src/lib/calico-node/libnetwork-service/systemd.js'

const ANSWERS: SocketAnswer = {state: 'answers'}
const SILENT: SocketAnswer = {state: 'silent', why: 'there is no socket'}
const UNKNOWN: SocketAnswer = {state: 'unknown', why: 'only root can query it'}
const show = (lines: string) => readUnitState(lines, {now: Date.parse('2026-11-21T10:00:00Z'), monotonicMs: 3_600_000})
const up = show('ActiveState=active\nSubState=running\nUnitFileState=enabled\nNeedDaemonReload=no\nActiveEnterTimestampMonotonic=3000000000\nNRestarts=2')
const down = show('ActiveState=failed\nSubState=failed\nUnitFileState=disabled\nNeedDaemonReload=yes\nActiveEnterTimestampMonotonic=3000000000\nNRestarts=0')
const container = (state: string): ContainerDetails => ({
  id: 'f'.repeat(64), state, status: 'Up', restarts: 0, exitCode: 0, startedAt: '2026-11-21T09:00:00Z', finishedAt: '', image: 'i', imageId: 's', labels: {}, environment: new Map(), mounts: new Map(), binds: [], command: [], privileged: true, networkMode: 'host', pidMode: '', restartPolicy: 'unless-stopped',
})

describe('what systemctl show says', () => {
  test('of one that runs', () => expect(up).toEqual({active: 'active', sub: 'running', enabled: true, outdated: false, since: new Date('2026-11-21T09:50:00Z'), restarts: 2}))
  test('of one that failed: no time since which it runs', () => expect(down).toEqual({active: 'failed', sub: 'failed', enabled: false, outdated: true, since: undefined, restarts: 0}))
  test('of an older systemd, that counts no restarts', () => expect(show('ActiveState=inactive\nSubState=dead')).toMatchObject({active: 'inactive', restarts: 0, since: undefined}))
  test('numbers that are none', () => expect(show('ActiveState=active\nActiveEnterTimestampMonotonic=99999999999999999999\nNRestarts=-1')).toMatchObject({since: undefined, restarts: 0}))
  test('nothing', () => expect(show('')).toMatchObject({active: 'unknown'}))
})

describe('the driver', () => {
  test.each([
    ['not installed', {unit: undefined, container: undefined}, {form: 'none', running: false, state: ''}],
    ['a unit', {unit: up, container: undefined}, {form: 'unit', running: true, state: 'active (running)', since: '2026-11-21T09:50:00.000Z', restarts: 2}],
    ['a unit that failed', {unit: down, container: undefined}, {form: 'unit', running: false, state: 'failed (failed)', since: undefined}],
    ['a container', {unit: undefined, container: container('running')}, {form: 'container', running: true, state: 'running', since: '2026-11-21T09:00:00Z'}],
    ['a container between two starts', {unit: undefined, container: container('restarting')}, {form: 'container', running: true, since: undefined}],
    ['both, the unit runs', {unit: up, container: container('exited')}, {form: 'unit', running: true}],
    ['both, the container runs', {unit: down, container: container('running')}, {form: 'container', running: true}],
    ['both, none runs', {unit: down, container: container('exited')}, {form: 'unit', running: false}],
  ])('%s', (_, forms, expected) => expect(describeDriver(forms, SILENT)).toMatchObject(expected))

  const problems = (unit: typeof up | undefined, socket: SocketAnswer) => driverProblems(describeDriver({unit, container: undefined}, socket))
  test('is a problem where it is installed and does not answer', () => {
    expect(problems(up, ANSWERS)).toEqual([])
    expect(problems(up, SILENT)).toEqual(['The unit calico-libnetwork, the driver for Docker networks, does not answer: there is no socket.'])
    expect(problems(up, UNKNOWN)).toEqual([])
    expect(problems(down, SILENT)).toEqual(['The unit calico-libnetwork, the driver for Docker networks, does not run: it is failed (failed).'])
    expect(problems(undefined, SILENT)).toEqual([])
  })

  test('is somebody else\'s where it answers and is not installed, or does not run', () => {
    const refuse = (unit: typeof up | undefined, socket: SocketAnswer) => () => refuseOthersDriver(describeDriver({unit, container: undefined}, socket))
    expect(refuse(undefined, ANSWERS)).toThrow(expect.objectContaining({kind: 'refused'}))
    expect(refuse(down, ANSWERS)).toThrow(expect.objectContaining({kind: 'refused'}))
    expect(refuse(up, ANSWERS)).not.toThrow()
    expect(refuse(undefined, SILENT)).not.toThrow()
  })
})
