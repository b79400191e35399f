/**
 * What becomes known of an endpoint's container only when Docker has started it: its name, and its labels where they are to be the endpoint's
 * (mesos-docker §3.7). Docker sends neither to a driver, so they are asked for afterwards.
 */
import {setTimeout as sleep} from 'node:timers/promises'
import type {Session} from '../client/session.js'
import type {DockerNetworks, EndpointContainer} from '../docker/networks.js'
import {describeEndpoint} from './endpoints.js'
import type {Log} from './log.js'

/** Of the labels of containers that are meant for their endpoints; what follows is the label. */
const LABEL_PREFIX = 'org.projectcalico.label.'

const PAUSE_MS = 100
const LIMIT_MS = 5_000

export interface ContainerFactsRequest {
  readonly session: Session
  readonly node: string
  readonly docker: Pick<DockerNetworks, 'containerOf'>
  readonly endpointId: string
  readonly networkId: string
  /** Whether the labels are wanted, too. */
  readonly labels: boolean
  readonly log: Log
  /** How long to wait for Docker to show the container, milliseconds. */
  readonly limitMs?: number
}

/** Adds to the endpoint what Docker says of its container, as soon as Docker shows it there. What fails is reported in LOG; never throws. */
export async function copyContainerFacts({session, node, docker, endpointId, networkId, labels, log, limitMs = LIMIT_MS}: ContainerFactsRequest): Promise<void> {
  const what = `The container of endpoint ${endpointId.slice(0, 12)}`
  const report = (text: string): void => log[labels ? 'warn' : 'debug'](labels ? `${text}; the labels of the container were not copied to it` : text)
  try {
    const container = await waitForContainer(docker, {endpointId, networkId, limitMs, log})
    if (!container) report(`${what} was not found in Docker within ${limitMs / 1000} s`)
    else await describeEndpoint(session, node, endpointId, {container: container.name, ...(labels ? {labels: endpointLabels(container.labels)} : {})})
  } catch (error) {
    report(`${what} could not be recorded: ${(error as Error).message}`)
  }
}

async function waitForContainer(
  docker: ContainerFactsRequest['docker'],
  {endpointId, networkId, limitMs, log}: {endpointId: string; networkId: string; limitMs: number; log: Log},
): Promise<EndpointContainer | undefined> {
  const end = performance.now() + limitMs
  for (;;) {
    try {
      const container = await docker.containerOf(endpointId, networkId)
      if (container) return container
    } catch (error) {
      log.debug(`The container of endpoint ${endpointId.slice(0, 12)} could not be requested from Docker: ${(error as Error).message}`)
    }
    if (performance.now() + PAUSE_MS > end) return undefined
    await sleep(PAUSE_MS, undefined, {ref: false})
  }
}

/** Those of a container's LABELS that are for its endpoint, as the endpoint's. */
export const endpointLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).flatMap(([key, value]) => (key.startsWith(LABEL_PREFIX) ? [[key.slice(LABEL_PREFIX.length), value]] : [])))
