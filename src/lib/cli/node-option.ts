import {Flags} from '@oclif/core'
import {nodeNameInputs, resolveNodeName} from '../client/node-name.js'

/** --node, for commands that mean one node: this host's, unless told otherwise. */
export const nodeFlag = () =>
  Flags.string({description: 'The node\'s name; the default is this host\'s (CALICO_NODENAME, NODENAME, HOSTNAME, what calico-node calls itself, the host name).', helpValue: 'NAME'})

/** The node that OPTION, the value of --node, means; a warning goes to NOTE. @throws CalicoError `invalid` if there is no usable name */
export function chosenNode(option: string | undefined, note: (text: string) => void): string {
  const {name, warning} = resolveNodeName(nodeNameInputs(option))
  if (warning !== undefined) note(`Warning: ${warning}`)
  return name
}
