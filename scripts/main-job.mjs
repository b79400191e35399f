/** The job that this tool is for, as it is typed: pools, profiles and their rules, from nothing to enforced. Quickstart, tests and CI run it. */
export const MAIN_JOB = [
  'pool add 192.168.0.0/16 --nat-outgoing',
  'profile add management-ui',
  'profile add client',
  'profile add frontend',
  'profile add backend',
  'profile management-ui rule remove inbound allow from tag management-ui',
  'profile management-ui rule add inbound allow tcp to ports 9001',
  'profile client rule add inbound allow tcp from tag management-ui to ports 9000',
  'profile backend rule add inbound allow tcp from tag frontend to ports 9000',
  'profile backend rule show',
  'profile show --detailed',
  'pool show',
]
