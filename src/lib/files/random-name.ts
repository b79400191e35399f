/** 64 bits that no one can guess. Not from node:crypto, whose first use costs 5 ms. */
export function randomName(): string {
  return globalThis.crypto.randomUUID().replaceAll('-', '').slice(0, 16)
}
