import type {Setting} from './types.js'

/** One place that can name endpoints (a flag, the environment, the configuration file), with the TLS files and credentials that belong to them. */
export interface Source {
  /** Comma-separated URLs. */
  readonly endpoints?: Setting<string> | undefined
  readonly discovery?: Setting<string> | undefined
  readonly type?: Setting<string> | undefined
  readonly ca?: Setting<PemSource> | undefined
  readonly cert?: Setting<PemSource> | undefined
  readonly key?: Setting<PemSource> | undefined
  readonly username?: Setting<string> | undefined
  readonly password?: Setting<string> | undefined
  /** v0.20's rule for the environment: https needs a CA file (cli-v0.20 §1.5). */
  readonly caRequired?: boolean
}

/** Where a PEM text stands: in a file, or in the configuration file itself. */
export type PemSource = {readonly file: string} | {readonly inline: string}

/** Takes note of something that is wrong, one sentence. */
export type Report = (problem: string) => void

/** VALUE with its ORIGIN, unless it is empty or not set. */
export const setting = (value: string | undefined, origin: string): Setting<string> | undefined =>
  value === undefined || value === '' ? undefined : {value, origin}
