/**
 * npm run robustness -- [--minutes M] [--seed S]: an etcd cluster of three, proxies, a nemesis and clients for M minutes (10); what the clients were told
 * must be linearizable. Needs etcd and a build (npm run build).
 */
import {spawnSync} from 'node:child_process'
import {resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {jestCommand} from './jest.mjs'

const {values} = parseArgs({options: {minutes: {type: 'string', default: '10'}, seed: {type: 'string', default: String(Date.now() % 1_000_000)}}})
for (const name of /** @type {const} */ (['minutes', 'seed'])) {
  if (!/^[1-9][0-9]{0,6}$/.test(values[name])) {
    console.error(`--${name} takes a whole number above 0, not ${JSON.stringify(values[name])}`)
    process.exit(1)
  }
}
const [file, ...args] = jestCommand(['--runInBand', 'test/robustness', '-t', 'under fire'])
const env = {...process.env, ROBUSTNESS_SECONDS: String(60 * Number(values.minutes)), ROBUSTNESS_SEED: values.seed}
process.exitCode = spawnSync(file, args, {cwd: resolve(import.meta.dirname, '..'), stdio: 'inherit', env}).status ?? 1
