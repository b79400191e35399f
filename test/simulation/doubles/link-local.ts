/** src/lib/host/link-local.ts on the simulated hosts. */
export const trustLinkLocal = (): void => undefined

export const gatewayLinkLocal = (): Promise<string> => Promise.resolve('fe80::ecee:eeff:feee:eeee')
