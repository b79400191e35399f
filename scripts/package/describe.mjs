/** What both package formats say of the program. */
export const MAINTAINER = 'calicoctl developers <calicoctl@localhost.localdomain>'
export const SUMMARY = 'command line for Calico on Docker, Mesos and bare metal'
export const DESCRIPTION = [
  'calicoctl manages Calico networks without Kubernetes: profiles and their',
  'rules, address pools, BGP, containers and the calico-node of a host. It has',
  'the command line of calicoctl v0.20 and writes the v3 data model to etcd.',
  '',
  'The package also has the plugin for Mesos (calico_mesos), the driver for',
  'Docker networks as a systemd unit, which is not enabled, and a Node.js of',
  'its own.',
]
