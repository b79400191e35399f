import {connect, createSecureContext} from 'node:tls'
import type {EtcdSettings} from '../../../settings/types.js'
import type {OpenSocket} from './session.js'

/** How to connect by TLS. What is checked of the server, and shown to it, is in the settings; without a CA, those that Node knows count. @throws Error for files that cannot be used */
export function tlsSockets({ca, cert, key}: EtcdSettings): OpenSocket {
  const secureContext = createSecureContext({...(ca && {ca: ca.value.pem}), ...(cert && key && {cert: cert.value.pem, key: key.value.pem})})
  return ({host, port}) =>
    connect({
      host,
      port,
      secureContext,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: true,
      // An address is no name of a server (RFC 6066); the certificate is held to the host all the same.
      ...(!/^[\d.]+$|:/.test(host) && {servername: host}),
    })
}
