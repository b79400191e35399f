/** A container as the Engine describes it, whole: for those who pass it on instead of deciding by it. */
import {type Fields, fieldsOf} from './answers.js'
import {askEngine, engineAddress, EngineError, type EngineOptions} from './engine.js'

const TIME_LIMIT_MS = 4_000

/** What the Engine says of the container NAME; undefined if there is none. @throws CalicoError as the methods of Engine do */
export async function inspectDocument(name: string, {env = process.env, timeLimitMs = TIME_LIMIT_MS}: EngineOptions = {}): Promise<Fields | undefined> {
  try {
    return fieldsOf(await askEngine(engineAddress(env), timeLimitMs, (docker, abortSignal) => docker.getContainer(name).inspect({abortSignal})))
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined
    throw error
  }
}
