/** Whether a container has Calico already is seen in its namespace, with real interfaces. */
import {execFileSync} from 'node:child_process'
import {afterEach, beforeEach, expect, test} from '@jest/globals'
import {changeResource} from '../../../src/lib/client/resources.js'
import {newSession, type Session} from '../../../src/lib/client/session.js'
import {CalicoError} from '../../../src/lib/errors.js'
import {hostInterfaceName} from '../../../src/lib/host/interfaces.js'
import {NETWORK_ANNOTATION} from '../../../src/lib/ipam/driver-handles.js'
import {refuseConnected} from '../../../src/lib/libnetwork/connected.js'
import {makeLink, removeLink} from '../../../src/lib/libnetwork/links.js'
import type {Networks} from '../../../src/lib/libnetwork/networks.js'
import {API_VERSION} from '../../../src/lib/model/resource.js'
import {suite} from '../../support/docker.js'
import {faultyStore, type FaultyStore} from '../../support/faulty-store.js'
import {startNamespace, type TestNamespace, whyNoNamespaces} from '../../support/namespaces.js'

const NETWORK = 'b2'.repeat(32)
type Find = Networks['find']
const found = (name: string | undefined, fromCalico: boolean): Find => () => Promise.resolve({name, fromCalico} as Awaited<ReturnType<Find>>)

suite('a second endpoint', whyNoNamespaces(), () => {
  let store: FaultyStore
  let session: Session
  let container: TestNamespace
  let first: string
  const newId = (): string => Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex')

  beforeEach(async () => {
    store = await faultyStore()
    session = newSession(store, {warn: () => undefined})
    container = await startNamespace()
    first = newId()
    const {srcName} = await makeLink({endpointId: first, mac: 'EE:EE:EE:EE:EE:EE', mtu: 1400, ipv6: false})
    execFileSync('ip', ['link', 'set', 'dev', srcName, 'netns', String(container.pid)])
  })
  afterEach(async () => {
    await removeLink(first)
    await container.stop()
    store.close()
  })

  const refuse = (find: Find, more: {endpointId?: string; sandbox?: string} = {}) =>
    refuseConnected({session, node: 'a', networks: {find}, endpointId: newId(), sandbox: `/proc/${container.pid}/ns/net`, ...more})
  const storeFirst = (annotations: Readonly<Record<string, string>>) => {
    const name = `a-libnetwork-libnetwork-${first}`
    return changeResource(session, {kind: 'WorkloadEndpoint', name, namespace: 'default'}, () => ({
      kind: 'WorkloadEndpoint',
      apiVersion: API_VERSION,
      metadata: {name, namespace: 'default', annotations},
      spec: {node: 'a', orchestrator: 'libnetwork', workload: 'libnetwork', endpoint: first, interfaceName: hostInterfaceName(first), ipNetworks: ['10.1.0.1/32']},
    }))
  }
  const refusal = (text: string, command: string) => ({kind: 'conflict', message: expect.stringContaining(text), hint: `To disconnect it first: ${command}`})

  test('is refused where another one of Calico is, which is named, with how to remove it', async () => {
    await expect(refuse(found('net1', true))).rejects.toMatchObject(refusal(`it has the interface ${hostInterfaceName(first)}`, 'calicoctl container remove CONTAINER'))
    await storeFirst({[NETWORK_ANNOTATION]: NETWORK})
    await expect(refuse(found('net1', true))).rejects.toMatchObject(refusal(`it has the endpoint ${first} of the Docker network net1 (`, 'docker network disconnect net1 CONTAINER'))
    await expect(refuse(found(undefined, true))).rejects.toMatchObject(refusal(`of the Docker network ${NETWORK.slice(0, 12)} (`, 'calicoctl container remove CONTAINER'))
  })

  test('also where nobody knows the network; what is no answer at all is an error', async () => {
    await storeFirst({[NETWORK_ANNOTATION]: NETWORK})
    await expect(refuse(() => Promise.reject(new CalicoError('not-found', 'no such network')))).rejects.toMatchObject(refusal(`of the Docker network ${NETWORK.slice(0, 12)} (`, 'calicoctl container remove CONTAINER'))
    await expect(refuse(() => Promise.reject(new TypeError('broken')))).rejects.toThrow(new TypeError('broken'))
  })

  test('is not where the other one is in a network of Docker\'s own IPAM, is this one itself, or where there is no namespace', async () => {
    await storeFirst({[NETWORK_ANNOTATION]: NETWORK})
    await refuse(found('net1', false))
    await refuse(found('net1', true), {endpointId: first})
    for (const sandbox of ['', 'net', '/nowhere', '/proc/self/cmdline']) await refuse(found('net1', true), {sandbox})
  })
})
