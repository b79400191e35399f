/** Hashes in names. node:crypto is loaded with the first hash: most names need none, and a command should not wait for it. */

/** The digest of TEXT's UTF-8 in hex digits. */
export function hexDigest(algorithm: 'sha1' | 'sha256', text: string): string {
  return process.getBuiltinModule('node:crypto').createHash(algorithm).update(text).digest('hex')
}

/** The first 8 hex digits of the SHA-1 of TEXT: what Calico's upgrade puts behind a name that it had to change. */
export function shortHash(text: string): string {
  return hexDigest('sha1', text).slice(0, 8)
}

/**
 * The id of the one endpoint of a workload (decisions.md 25): the first 32 hex digits of the SHA-256 of the three, as they are stored.
 * The same three always give the same id, so that a repeated `container add` finds what the first one made.
 */
export function endpointId(node: string, orchestrator: string, workload: string): string {
  return hexDigest('sha256', `${node}\0${orchestrator}\0${workload}`).slice(0, 32)
}
