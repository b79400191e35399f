/** Which test files may run at the same time: decided by what a file imports, so that a new one is in the right group by itself. */
import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'

/** Modules of test/support that use this machine's interfaces, mounts or an Engine, or make hosts; and what keeps a whole cluster busy. */
const MACHINE = /\/support\/(?:namespaces|containers|mesos-containers|example-world|small-disk|stand-in\/host)\.js'|\.\/cluster-run\.js'|\bstartEngine\b[^\n]*\/support\/docker\.js'/
/** What starts processes: servers, the built command, programs of the machine; suites that several files run (*.contract.ts) do. */
const SERVICES = /\/support\/(?:etcd|stores|cli|warm|bird|proxy|mesos-agent|mesos-plugin|net-modules)\.js'|\.contract\.js'|from 'node:child_process'|from 'execa'/

/**
 * `pure`: only this project's modules, in the process of the test. `services`: starts servers or programs, several files at once.
 * `machine`: uses what a machine has one of, so one file at a time in each lane (lane.mjs).
 * @typedef {'pure' | 'services' | 'machine'} Group
 */

/**
 * The group of a test file with SOURCE at PATH, from the root of the project.
 * @param {string} path
 * @param {string} source
 * @returns {Group}
 */
export function groupOf(path, source) {
  if (MACHINE.test(source)) return 'machine'
  return path.startsWith('test/lib/') && !SERVICES.test(source) ? 'pure' : 'services'
}

/**
 * All test files of ROOT by group, in order of their names.
 * @param {string} root
 * @returns {Record<Group, string[]>}
 */
export function testGroups(root) {
  /** @type {Record<Group, string[]>} */
  const groups = {pure: [], services: [], machine: []}
  const paths = readdirSync(join(root, 'test'), {recursive: true, encoding: 'utf8'}).filter((path) => path.endsWith('.test.ts')).map((path) => `test/${path}`)
  for (const path of paths.sort()) groups[groupOf(path, readFileSync(join(root, path), 'utf8'))].push(path)
  return groups
}
