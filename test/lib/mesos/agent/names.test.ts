import {expect, test} from '@jest/globals'
import {HOOK, ISOLATOR, meantName, withEntry} from '../../../../src/lib/mesos/agent/names.js'

test.each([
  ['com_mesosphere_mesos_NetworkIsolater', ISOLATOR],
  ['com_mesosphere_mesos_networkisolator', ISOLATOR],
  ['com.mesosphere.mesos.NetworkIsolator', ISOLATOR],
  ['NetworkIsolator', ISOLATOR],
  ['com_mesosphere_mesos_NetworkIsolatorr', ISOLATOR],
  ['com_mesosphere_mesos_NetworkHooks', HOOK],
  ['NetworkHook', HOOK],
  ['cgroups/cpu', undefined],
  ['network/cni', undefined],
  ['network/port_mapping', undefined],
  ['org_apache_mesos_TestHook', undefined],
  ['', undefined],
])('%s was meant to be %s', (word, meant) => expect(meantName(word)).toBe(meant))

test.each([['', 'n'], ['n', 'n'], ['a,b', 'a,b,n'], [' a , b ', 'a,b,n'], ['a, n ,b', 'a, n ,b']])('%j with n: %j', (list, after) => expect(withEntry(list, 'n')).toBe(after))
