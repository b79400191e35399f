import {Flags} from '@oclif/core'
import {namesOfThisHost, nodeNameInputs, resolveNodeName, thisHostsName} from '../client/node-name.js'

/** --node, for commands that mean one node: this host's, unless said otherwise. */
export const nodeFlag = () =>
  Flags.string({description: 'The name of the node. Default: CALICO_NODENAME, NODENAME, HOSTNAME, the name in /var/lib/calico/nodename, or the host name.', helpValue: 'NAME'})

/** The node that OPTION, the value of --node, means; a warning goes to NOTE. @throws CalicoError `invalid` if there is no usable name */
export function chosenNode(option: string | undefined, note: (text: string) => void): string {
  const {name, warning} = resolveNodeName(nodeNameInputs(option))
  if (warning !== undefined) note(`Warning: ${warning}`)
  return name
}

/**
 * The node of this host, for a command that looks at the host or removes what it has. OPTION is the value of --node.
 * @throws CalicoError `refused` if OPTION or a variable names another node than calico-node's own file; `invalid` if there is no usable name
 */
export const ownNode = (option: string | undefined): string => thisHostsName(nodeNameInputs(option)).name

/**
 * The node that calico-node on this host calls itself, whatever variables say: what they say otherwise is reported to NOTE.
 * @throws CalicoError `invalid` if there is no usable name
 */
export function runningNode(note: (text: string) => void): string {
  const {name, warning} = resolveNodeName(nodeNameInputs(), {fileFirst: true})
  if (warning !== undefined) note(`Warning: ${warning}`)
  return name
}

/** Whether NAME is this host's node: what calico-node here calls itself, or, where it has left no name, what the variables say. */
export function isOwnNode(name: string): boolean {
  const inputs = nodeNameInputs()
  const isNamed = inputs.file !== undefined && inputs.file !== ''
  return namesOfThisHost(isNamed ? {...inputs, env: {}} : inputs).includes(name)
}
