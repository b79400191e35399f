/** What the driver counts, in Prometheus' text format, for the textfile collector of node_exporter. */
import {replaceFile} from '../files/replace.js'

/** How a request ended: answered; refused as malformed (400, 404); failed; not done in time. */
export type Outcome = 'ok' | 'refused' | 'error' | 'timeout'

export interface Metrics {
  /** METHOD took SECONDS. */
  request(method: string, outcome: Outcome, seconds: number): void
  /** A round of reconciliation has ended well. */
  reconciled(result: {removedEndpoints: number; releasedAddresses: number}): void
  datastore(answers: boolean): void
  readonly text: () => string
}

const PREFIX = 'calicoctl_libnetwork_'

interface Family {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'summary'
  readonly help: string
  /** Labels or a suffix behind the name, and the value. */
  readonly samples: readonly (readonly [string, number])[]
}

export function newMetrics(now: () => number = Date.now): Metrics {
  const requests = new Map<string, number>()
  const times = new Map<string, {seconds: number; count: number}>()
  let lastSuccess: number | undefined
  let removedEndpoints = 0
  let releasedAddresses = 0
  let up = false

  const families = (): Family[] => [
    {
      name: 'requests_total', type: 'counter', help: 'Requests of the Docker Engine by method and outcome.',
      samples: [...requests].sort(byName),
    },
    {
      name: 'request_seconds', type: 'summary', help: 'Time that requests took, by method.',
      samples: [...times].sort(byName).flatMap(([method, {seconds, count}]): [string, number][] => [
        [`_sum{method="${method}"}`, Number(seconds.toFixed(6))],
        [`_count{method="${method}"}`, count],
      ]),
    },
    {
      name: 'reconciliation_last_success_timestamp_seconds', type: 'gauge', help: 'When endpoints and addresses were last compared with what Docker knows.',
      samples: lastSuccess === undefined ? [] : [['', lastSuccess]],
    },
    {name: 'reconciliation_endpoints_removed_total', type: 'counter', help: 'Endpoints removed because Docker no longer knew them.', samples: [['', removedEndpoints]]},
    {name: 'reconciliation_addresses_released_total', type: 'counter', help: 'Addresses released because no endpoint had them.', samples: [['', releasedAddresses]]},
    {name: 'datastore_up', type: 'gauge', help: 'Whether the datastore answered the last request.', samples: [['', up ? 1 : 0]]},
  ]

  return {
    request(method, outcome, seconds) {
      const sample = `{method="${method}",outcome="${outcome}"}`
      requests.set(sample, (requests.get(sample) ?? 0) + 1)
      const time = times.get(method) ?? {seconds: 0, count: 0}
      times.set(method, {seconds: time.seconds + seconds, count: time.count + 1})
    },
    reconciled(result) {
      lastSuccess = Math.floor(now() / 1000)
      removedEndpoints += result.removedEndpoints
      releasedAddresses += result.releasedAddresses
    },
    datastore(answers) {
      up = answers
    },
    text: () => families().filter(({samples}) => samples.length > 0).map(familyText).join(''),
  }
}

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

function familyText({name, type, help, samples}: Family): string {
  const full = `${PREFIX}${name}`
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...samples.map(([labels, value]) => `${full}${labels} ${value}`), ''].join('\n')
}

/** Writes TEXT to PATH so that a reader sees the old or the new, never a part. The file beside it does not end in `.prom`, which the collector reads. */
export const writeMetrics = (path: string, text: string): Promise<void> => replaceFile(path, text, {mode: 0o644})
