/** Each finding of `ipam check` names the command that mends it, and `--repair` only where that does. */
import {expect, test} from '@jest/globals'
import {remedyOf} from '../../../src/lib/views/ipam-check.js'
import {FINDING_CLASSES, type Finding, type FindingClass} from '../../../src/lib/ipam/findings.js'

const ID = 'ab'.repeat(32)
const finding = (kind: FindingClass, subject: string, identity = '', repair?: Finding['repair']): Finding => ({class: kind, subject, message: '', identity, repair})

test.each([
  ['unassigned-address', '10.1.0.1', `workloadendpoint/default/rack--1-docker-${ID}-e1`, `calicoctl ipam assign 10.1.0.1 --node rack-1 --handle docker.${ID}`],
  ['unassigned-address', '10.1.0.1', 'workloadendpoint/default/a-namespace-x-e1', 'calicoctl ipam assign 10.1.0.1 --node a --handle namespace.a.x'],
  ['unassigned-address', '10.1.0.1', `workloadendpoint/default/a-libnetwork-libnetwork-${ID}`, `calicoctl ipam assign 10.1.0.1 --node a --handle libnetwork.${ID}`],
  ['unassigned-address', '10.1.0.1', 'workloadendpoint/default/a-mesos-task-e1', 'calicoctl endpoint remove e1'],
  ['unassigned-address', '10.1.0.1', 'node/a', 'on a: calicoctl node'],
  ['unassigned-address', '10.1.0.1', 'container web', 'calicoctl container web ip add 10.1.0.1'],
  ['shared-address', '10.1.0.1', 'workloadendpoint/default/a-docker-w-e1', 'calicoctl endpoint remove e1, or the other one'],
  ['shared-address', '10.1.0.1', `workloadendpoint/default/rack--1-docker-${ID}-e1`, `on rack-1: calicoctl container remove ${ID.slice(0, 12)}, or the other one`],
  ['unreadable', '/calico/x', '1', 'etcdctl get /calico/x; etcdctl del /calico/x if it is not needed'],
] as const)('%s of %s (%s)', (kind, subject, identity, line) => {
  expect(remedyOf(finding(kind, subject, identity), {docker: false})).toBe(line)
})

test('every class has one', () => {
  for (const kind of Object.keys(FINDING_CLASSES) as FindingClass[]) {
    const repair = ['unassigned-address', 'shared-address', 'twice-assigned-address', 'nested-block', 'unreadable'].includes(kind) ? undefined : ({type: 'free-list', block: '10.1.0.0/26'} as const)
    const line = remedyOf(finding(kind, 'x', '', repair), {docker: true})
    expect(line).not.toBe('')
    expect(line === 'calicoctl ipam check --docker --repair').toBe(repair !== undefined)
  }
})
