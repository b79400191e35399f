/** Which Docker Engine there is. */
import {fieldsOf} from './answers.js'
import {askEngine, engineAddress, type EngineOptions, strange} from './engine.js'

export interface EngineVersions {
  readonly version: string
  /** Of the newest API that it speaks: `1.41`. */
  readonly api: string
}

/** The first API with networks of plugins. */
export const LEAST_API_LIBNETWORK = '1.21'

const TIME_LIMIT_MS = 4_000

/** @throws CalicoError `failed` if the Engine does not answer */
export async function engineVersions({env = process.env, timeLimitMs = TIME_LIMIT_MS}: EngineOptions = {}): Promise<EngineVersions> {
  const address = engineAddress(env)
  const {Version, ApiVersion} = fieldsOf(await askEngine(address, timeLimitMs, (docker) => docker.version()))
  if (typeof Version !== 'string' || typeof ApiVersion !== 'string') return strange(address)
  return {version: Version, api: ApiVersion}
}

/** Whether an API of VERSION, numbers with dots between them, is LEAST or newer. What is no version is not. */
export function isApiAtLeast(version: string, least: string): boolean {
  const [own, wanted] = [version, least].map((text) => text.split('.').map(Number)) as [number[], number[]]
  if (own.some(Number.isNaN)) return false
  const at = Array.from({length: Math.max(own.length, wanted.length)}, (_, index) => index).find((index) => (own[index] ?? 0) !== (wanted[index] ?? 0))
  return at === undefined || (own[at] ?? 0) > (wanted[at] ?? 0)
}
