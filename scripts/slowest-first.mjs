/**
 * The order of the test files for jest: the slowest first, so that none is left over when the others have ended. Jest itself knows durations only from its
 * cache, which a new clone does not have: it takes the largest files first, and some of the slowest are small.
 */
import {relative} from 'node:path'

/**
 * Seconds of processor time on the machine of November 2026, of files that take 8 and more, and the time of those that run in lanes in proportion; `npm run verify` prints the slowest at its end.
 */
const SLOW = new Map([
  ['test/fuzz/fuzz.test.ts', 115],
  ['test/simulation/simulation.test.ts', 71],
  ['test/robustness/robustness.test.ts', 65],
  ['test/e2e/docker-faults.test.ts', 56],
  ['test/e2e/node.test.ts', 42],
  ['test/e2e/container-faults.test.ts', 38],
  ['test/e2e/hostile.test.ts', 34],
  ['test/e2e/docker-networks.test.ts', 30],
  ['test/e2e/examples.test.ts', 29],
  ['test/bin/run.test.ts', 26],
  ['test/e2e/node-libnetwork.test.ts', 26],
  ['test/e2e/faults.test.ts', 25],
  ['test/e2e/examples-stars.test.ts', 21],
  ['test/e2e/mesos-plugin-containers.test.ts', 21],
  ['test/lib/resource-files/golden.test.ts', 20],
  ['test/e2e/container.test.ts', 19],
  ['test/e2e/policy-main-job.test.ts', 17],
  ['test/e2e/grants.test.ts', 17],
  ['test/lib/client/staging.test.ts', 16],
  ['test/e2e/conventions/streams.test.ts', 16],
  ['test/lib/policy/flow-changes.test.ts', 15],
  ['test/e2e/readme-networks.test.ts', 15],
  ['test/e2e/conventions/invocation.test.ts', 14],
  ['test/e2e/conventions/changes.test.ts', 14],
  ['test/e2e/package.test.ts', 13],
  ['test/e2e/mesos-plugin-faults.test.ts', 13],
  ['test/e2e/packages.test.ts', 12],
  ['test/e2e/examples-two-groups.test.ts', 12],
  ['test/lib/policy/evaluators.test.ts', 11],
  ['test/lib/datastore/embedded.test.ts', 11],
  ['test/e2e/secrets.test.ts', 11],
  ['test/lib/policy/golden.test.ts', 10],
  ['test/e2e/whole-main-job.test.ts', 10],
  ['test/e2e/datastore.test.ts', 10],
  ['test/e2e/container-namespaces.test.ts', 10],
  ['test/e2e/container-refused.test.ts', 10],
  ['test/e2e/node-stop.test.ts', 10],
  ['test/e2e/stand-in.test.ts', 10],
  ['test/e2e/endpoint.test.ts', 9],
  ['test/e2e/pool.test.ts', 9],
  ['test/e2e/ipam.test.ts', 9],
  ['test/lib/libnetwork/orphans.test.ts', 9],
  ['test/lib/datastore/etcd/faults.test.ts', 9],
  ['test/contract/ipam-traces.test.ts', 9],
  ['test/e2e/diags.test.ts', 9],
  ['test/e2e/libnetwork.test.ts', 8],
  ['test/e2e/import.test.ts', 8],
  ['test/e2e/full-store.test.ts', 8],
  ['test/e2e/batch-places.test.ts', 8],
])

/** What other files take, of those that start servers. */
const USUAL = 5

/** The files whose place in the order is fixed. */
export const KNOWN = [...SLOW.keys()]

/**
 * FILES in COUNT parts that take the same time, as far as it is known.
 * @param {readonly string[]} files
 * @param {number} count
 */
export function inParts(files, count) {
  const seconds = (/** @type {string} */ file) => SLOW.get(file) ?? USUAL
  const parts = Array.from({length: count}, () => ({total: 0, files: /** @type {string[]} */ ([])}))
  for (const file of files.toSorted((a, b) => seconds(b) - seconds(a))) {
    const least = parts.reduce((one, other) => (other.total < one.total ? other : one))
    least.files.push(file)
    least.total += seconds(file)
  }
  return parts.map((part) => part.files)
}

/** @typedef {{path: string, context: {config: {rootDir: string}}}} Test */

/** What jest asks of a sequencer. */
export default class SlowestFirst {
  /** @param {readonly Test[]} tests */
  sort(tests) {
    const seconds = (/** @type {Test} */ {path, context}) => SLOW.get(relative(context.config.rootDir, path)) ?? 0
    return [...tests].sort((a, b) => seconds(b) - seconds(a) || (a.path < b.path ? -1 : 1))
  }

  /** @param {readonly Test[]} tests */
  allFailedTests(tests) {
    return tests
  }

  cacheResults() {
    // Durations of this machine are not kept: the order is always the same.
  }
}
