/** The name under which this host is a node, and whether it is its own (decisions.md 23, mesos-docker §5.1). */
import {candidates, choose, prefixOf} from '../calico-node/autodetect.js'
import {addressOfNode, checkNode} from '../calico-node/node-object.js'
import {type NodeName, type NodeNameInputs, resolveNodeName, tryNodeName} from '../client/node-name.js'
import {isError} from '../errors.js'
import {requireNetworkAdministrator} from '../host/privileges.js'
import {type Check, ok, skipped, type Sources, type Verdict, wrong} from './check.js'

export const capabilities: Check<string | undefined> = {
  name: 'capabilities',
  required: true,
  gather: ({files}) => files.read('/proc/self/status'),
  judge(status) {
    if (status === undefined) return skipped('/proc/self/status cannot be read')
    try {
      requireNetworkAdministrator('calicoctl', {userId: 0, status})
      return ok('root, with permission to change the network')
    } catch (error) {
      if (!isError(error, 'not-root')) throw error
      return wrong(error.message)
    }
  },
  remedy: 'Run calicoctl on the host itself; in a container, start the container with --privileged, --network host and --pid host.',
}

export const nodeName: Check<NodeNameInputs> = {
  name: 'node-name',
  required: true,
  gather: (sources) => sources.nodeName,
  judge(inputs) {
    const {found, warnings} = tryNodeName(inputs)
    return found ? ok(describe(found, inputs)) : wrong(warnings.join('; '))
  },
  remedy: 'Set the node name with NODENAME, in lower case letters, digits, - and dots.',
}

function describe({name, origin}: NodeName, {system}: NodeNameInputs): string {
  const lowered = origin === 'the host name' && system !== name ? `; ${system} in lower case` : ''
  return `${name} (from ${origin}${lowered})`
}

export const nodenameFile: Check<NodeNameInputs> = {
  name: 'nodename-file',
  required: false,
  gather: (sources) => sources.nodeName,
  judge(inputs) {
    const {found} = tryNodeName(inputs)
    if (found?.warning !== undefined) return wrong(found.warning.replace(/\.$/, ''))
    return ok(inputs.file === undefined || inputs.file === '' ? 'calico-node has not started on this host yet' : `calico-node uses the name ${inputs.file}`)
  },
  remedy: 'Set the same name for calicoctl with NODENAME, or restart calico-node: calicoctl node',
}

/** What `node` would say of this host's name and address. */
export type NodeAddressFacts = {readonly state: 'free'; readonly name: string} | {readonly state: 'taken' | 'unknown'; readonly why: string}

export const nodeAddress: Check<NodeAddressFacts> = {
  name: 'node-address',
  required: true,
  gather: gatherNodeAddress,
  judge(facts): Verdict {
    if (facts.state === 'free') return ok(`no other host is ${facts.name} or has its address`)
    return facts.state === 'taken' ? wrong(facts.why) : skipped(facts.why)
  },
  remedy: 'Give this host its own name and address. To remove the node of a decommissioned host: calicoctl node remove --hostname=NAME',
}

/** Asks what `node` asks before it starts: is the name another host's, does another node have the address? */
async function gatherNodeAddress({nodeName: inputs, datastore, interfaces}: Sources): Promise<NodeAddressFacts> {
  const facts = await datastore()
  if (facts.state === 'fails') return {state: 'unknown', why: 'the nodes are not known without the datastore'}
  const {found} = tryNodeName(inputs)
  if (!found) return {state: 'unknown', why: 'this host has no valid node name'}
  const {name} = resolveNodeName(inputs)
  const {session} = facts
  const all = [...(await interfaces())]
  const stored = await addressOfNode(session, name)
  const own = candidates(all, 4, {type: 'autodetect'})
  const choice = choose(own, {type: 'autodetect'}, stored)
  const chosen = choice.type === 'chosen' ? choice.candidate : choice.type === 'ambiguous' ? choice.candidates[0] : undefined
  try {
    await checkNode(session, {
      name,
      ipv4: chosen,
      ipv6: undefined,
      asNumber: undefined,
      networking: true,
      isLocal: (address) => prefixOf(all, address) !== undefined,
      ownName: inputs.file?.toLowerCase() === name,
    })
    return {state: 'free', name}
  } catch (error) {
    if (!isError(error, 'conflict', 'invalid')) throw error
    return {state: 'taken', why: error.message.replace('; nothing was changed', '')}
  }
}
