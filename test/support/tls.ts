/** Paths of a certificate authority's certificate, and of certificates that it signed. */
export interface TestCertificates {
  readonly ca: string
  readonly server: KeyPair
  readonly client: KeyPair
}

export interface KeyPair {
  readonly cert: string
  readonly key: string
}
