import {execFile} from 'node:child_process'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'

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

interface CertificateOptions {
  /** Subject alternative names of the server's certificate. */
  readonly serverNames?: string
  /** Both certificates ended in 2021. */
  readonly expired?: boolean
}

/** Makes a CA, a server's and a client's certificate in DIRECTORY with openssl; PREFIX tells several sets apart. */
export async function createCertificates(directory: string, prefix: string, options: CertificateOptions = {}): Promise<TestCertificates> {
  const {serverNames = 'IP:127.0.0.1,DNS:localhost', expired = false} = options
  const path = (name: string): string => join(directory, `${prefix}-${name}`)
  const ca = {cert: path('ca.pem'), key: path('ca.key')}
  await openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${prefix} CA`, '-keyout', ca.key, '-out', ca.cert)
  const config = path('ca.cnf')
  await writeFile(path('index.txt'), '')
  await writeFile(
    config,
    `[ca]
default_ca = d
[d]
database = ${path('index.txt')}
new_certs_dir = ${directory}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = p
copy_extensions = copy
[p]
commonName = supplied
`,
  )
  const dates = expired ? ['-startdate', '20200101000000Z', '-enddate', '20210101000000Z'] : ['-days', '2']
  async function signed(name: string, extensions: string[]): Promise<KeyPair> {
    const pair = {cert: path(`${name}.pem`), key: path(`${name}.key`)}
    const request = path(`${name}.csr`)
    const wanted = extensions.flatMap((extension) => ['-addext', extension])
    await openssl('req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, ...wanted, '-keyout', pair.key, '-out', request)
    await openssl('ca', '-batch', '-notext', '-config', config, '-cert', ca.cert, '-keyfile', ca.key, ...dates, '-in', request, '-out', pair.cert)
    return pair
  }
  // etcd's own gateway uses the server's certificate as a client.
  const server = await signed('server', [`subjectAltName=${serverNames}`, 'extendedKeyUsage=serverAuth,clientAuth'])
  const client = await signed('client', ['extendedKeyUsage=clientAuth'])
  return {ca: ca.cert, server, client}
}

const openssl = (...args: string[]): Promise<unknown> => promisify(execFile)('openssl', args)
