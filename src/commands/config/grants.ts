import {Flags} from '@oclif/core'
import {ownDocument} from '../../lib/cli/output/presentation.js'
import {ShowCommand} from '../../lib/cli/show-command.js'
import {type Role, ROLE_NAMES, roleOf, ROLES} from '../../lib/grants/roles.js'

export default class ConfigGrants extends ShowCommand {
  static override summary = 'Show the etcd roles that Calico and calicoctl need if etcd uses authentication.'
  static readonly exitCodes = {6: null, 7: null}
  static override description = [
    `Prints the etcdctl commands that create each role with exactly the keys that it needs. The roles: ${ROLE_NAMES.map((name) => `${name} (${ROLES[name].meaning})`).join('; ')}. ` +
      'The datastore is not read and nothing is changed.',
    'Give a role to a user with: etcdctl user grant-role USER calico-ROLE. A command that lacks a permission fails with exit code 7 and names the key. Only the role operator can initialise a new cluster.',
  ].join('\n')
  static override examples = ['<%= config.bin %> config grants --role operator', '<%= config.bin %> config grants -o json']
  static override flags = {
    role: Flags.option({options: ROLE_NAMES})({description: 'Only this role.', helpValue: 'ROLE'}),
  }

  async run(): Promise<void> {
    const {flags} = await this.read(ConfigGrants)
    const roles = (flags.role === undefined ? ROLE_NAMES : [flags.role]).map(roleOf)
    await this.present<Role>({
      rows: roles,
      columns: [
        {header: 'Role', value: ({name}) => name},
        {header: 'Rights', value: ({grants}) => grants.map(({permission, key, prefix}) => `${permission} ${key}${prefix ? '*' : ''}`)},
      ],
      name: ({name}) => name,
      document: (all) => ownDocument('EtcdRoleList', {items: all}),
      text: (all) => all.flatMap(({commands}) => commands),
      alignment: 'left',
    })
  }
}
