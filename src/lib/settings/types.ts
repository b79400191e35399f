/**
 * Which datastore a command talks to, and who said so. Every value keeps its origin, so that `config view` can show it
 * and an error message can name the place that has to be changed (design.md "Which datastore", decisions.md 14).
 */

/** A value and the words that tell where it was set: `ETCD_ENDPOINTS`, `--datastore`, `/etc/calico/calicoctl.cfg`, `the default`. */
export interface Setting<T> {
  readonly value: T
  readonly origin: string
}

/** A PEM text that was read, and the file it came from (`inline` = it stood in the configuration file itself). */
export interface Pem {
  readonly file: string
  readonly pem: string
}

export interface EtcdSettings {
  readonly type: 'etcd'
  /** URLs without path: `http://10.0.0.1:2379`, `https://[fd00::1]:2379`; all of one scheme, at least one. */
  readonly endpoints: Setting<readonly string[]>
  /** What the server's certificate must be signed by; absent = the certificate authorities that Node knows. */
  readonly ca?: Setting<Pem>
  /** Client certificate and key: both or neither. */
  readonly cert?: Setting<Pem>
  readonly key?: Setting<Pem>
  /** User and password: both or neither. */
  readonly username?: Setting<string>
  readonly password?: Setting<string>
}

export interface EmbeddedSettings {
  readonly type: 'embedded'
  /** Absolute path of the store's file. */
  readonly path: Setting<string>
}

export interface Settings {
  readonly datastore: EtcdSettings | EmbeddedSettings
  /** The cluster GUID that the store must have (`--expect-cluster`, decisions.md 8). */
  readonly expectCluster?: Setting<string>
  /** `off`, or the path of the journal, where it is given. */
  readonly journal?: Setting<string>
  /** What the user should know but nothing fails for; one sentence each. */
  readonly warnings: readonly string[]
}
