import type {Pem, Setting, Settings} from './types.js'

/** One line of `config view`. */
export interface EffectiveSetting {
  readonly name: string
  readonly value: string
  readonly origin: string
}

const REDACTED = '(set, not shown)'

/** SETTINGS as lines for people: nothing secret is in them. */
export function effectiveSettings({datastore, expectCluster, journal}: Settings): EffectiveSetting[] {
  const line = <T>(name: string, setting: Setting<T> | undefined, show: (value: T) => string): EffectiveSetting[] =>
    setting === undefined ? [] : [{name, value: show(setting.value), origin: setting.origin}]
  const pem = ({file}: Pem): string => file
  const text = (value: string): string => value
  const expected = [...line('expectCluster', expectCluster, text), ...line('journal', journal, text)]
  if (datastore.type === 'embedded') {
    return [{name: 'datastore', value: 'embedded', origin: datastore.path.origin}, ...line('path', datastore.path, text), ...expected]
  }
  return [
    {name: 'datastore', value: 'etcd', origin: datastore.endpoints.origin},
    ...line('endpoints', datastore.endpoints, (urls) => urls.join(',')),
    ...line('caCert', datastore.ca, pem),
    ...line('cert', datastore.cert, pem),
    ...line('key', datastore.key, pem),
    ...line('username', datastore.username, text),
    ...line('password', datastore.password, () => REDACTED),
    ...expected,
  ]
}
