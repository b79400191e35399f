/** The effective settings as `config view` shows them: each value, and where it came from. Secrets are never in it. */
import type {NodeName} from '../client/node-name.js'
import type {Pem, Setting, Settings} from '../settings/types.js'

export interface SettingRow {
  readonly name: string
  readonly value: string
  readonly origin: string
}

const REDACTED = '********'

/** SETTINGS, and the name of this host's NODE where it has a usable one, in a fixed order. */
export function settingRows({datastore, expectCluster}: Settings, node: NodeName | undefined): SettingRow[] {
  const rows: SettingRow[] = []
  const add = <T>(name: string, setting: Setting<T> | undefined, text: (value: T) => string): void => {
    if (setting) rows.push({name, value: text(setting.value), origin: setting.origin})
  }
  const plain = (value: string): string => value
  if (datastore.type === 'embedded') {
    rows.push({name: 'datastore', value: 'embedded', origin: datastore.path.origin})
    add('path', datastore.path, plain)
  } else {
    rows.push({name: 'datastore', value: 'etcd', origin: datastore.endpoints.origin})
    add('endpoints', datastore.endpoints, (endpoints) => endpoints.join(','))
    add('ca-certificate', datastore.ca, pemText)
    add('client-certificate', datastore.cert, pemText)
    add('client-key', datastore.key, pemText)
    add('username', datastore.username, plain)
    add('password', datastore.password, () => REDACTED)
  }
  add('expect-cluster', expectCluster, plain)
  if (node) rows.push({name: 'node', value: node.name, origin: node.origin})
  return rows
}

/** The file of a PEM text, never the text. */
const pemText = ({file}: Pem): string => (file === 'inline' ? '(inline)' : file)
