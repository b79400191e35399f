/** Fields that several kinds have. */
import {asRecord, ownField} from '../../model/schema/codec.js'
import {type Address, parseCidrOrAddress} from '../../net/index.js'
import {protocolNumber} from '../packets.js'
import type {NamedPort} from '../world.js'

/** The address in TEXT, which may have a prefix length; undefined if it is none. */
export function addressOf(text: string | undefined): Address | undefined {
  const cidr = text === undefined ? undefined : parseCidrOrAddress(text)
  return cidr && {family: cidr.family, value: cidr.value}
}

/** The addresses of a workload endpoint of which no one knows whether Felix can read it. */
export function addressesOf(spec: Readonly<Record<string, unknown>>): Address[] {
  const networks = ownField(spec, 'ipNetworks')
  return Array.isArray(networks) ? (networks as unknown[]).flatMap((text) => (typeof text === 'string' ? (addressOf(text) ?? []) : [])) : []
}

/** The entries of VALUE that are texts. */
export function textMap(value: unknown): Map<string, string> {
  return new Map(Object.entries(asRecord(value) ?? {}).flatMap(([key, text]) => (typeof text === 'string' ? [[key, text] as const] : [])))
}

/** PORTS with their protocols as numbers; those of unknown protocols are left out. */
export function namedPorts(ports: readonly {readonly name: string; readonly protocol: string | number; readonly port: number}[] = []): NamedPort[] {
  return ports.flatMap(({name, protocol, port}) => {
    const number = typeof protocol === 'number' ? protocol : protocolNumber(protocol)
    return number === undefined ? [] : [{name, protocol: number, port}]
  })
}
