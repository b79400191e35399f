/** The container calico-node: what the Engine knows of it, and the end of its log. */
import {CONTAINER_NAME} from '../calico-node/container.js'
import {fieldsOf, textsOf} from '../docker/answers.js'
import {inspectDocument} from '../docker/inspect-document.js'
import {containerLifecycle} from '../docker/lifecycle.js'
import type {Collected, Item} from './item.js'

const LOG_LINES = 20_000
const NONE = `there is no container ${CONTAINER_NAME}`

export function containerItems(): Item[] {
  return [
    {name: `container ${CONTAINER_NAME}`, progress: {line: `Inspecting container ${CONTAINER_NAME}`, ours: true}, collect: inspect},
    {name: `log of container ${CONTAINER_NAME}`, progress: {line: `Copying the log of container ${CONTAINER_NAME}`, ours: true}, collect: log},
  ]
}

async function inspect(): Promise<Collected> {
  const document = await inspectDocument(CONTAINER_NAME)
  return document === undefined ? {notNeeded: NONE} : {files: [{path: `${CONTAINER_NAME}.inspect.json`, document}]}
}

async function log(): Promise<Collected> {
  if ((await inspectDocument(CONTAINER_NAME)) === undefined) return {notNeeded: NONE}
  const lines = await containerLifecycle().tail(CONTAINER_NAME, LOG_LINES)
  return {files: [{path: `${CONTAINER_NAME}.log`, text: `${lines.join('\n')}\n`, log: true}]}
}

/** The container's environment, whose values are no one's business; none where it cannot be had. */
export async function containerEnvironment(): Promise<readonly string[]> {
  try {
    const {Env} = fieldsOf((await inspectDocument(CONTAINER_NAME))?.Config)
    return textsOf(Env)
  } catch {
    return []
  }
}
