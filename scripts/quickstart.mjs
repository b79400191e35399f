/** npm run quickstart: the main job on a datastore in a file that is gone afterwards, each command with what it prints. Nothing but Node is needed. */
import {execFileSync, spawnSync} from 'node:child_process'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {whyBuild} from './build-state.mjs'
import {MAIN_JOB} from './main-job.mjs'
import {installPackages} from './packages.mjs'

const root = resolve(import.meta.dirname, '..')
const why = whyBuild()
if (why !== undefined) {
  installPackages(root)
  console.log(`Building, since ${why} …`)
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], {stdio: ['ignore', 'ignore', 'inherit']})
}
const folder = mkdtempSync(join(tmpdir(), 'calicoctl-quickstart-'))
const env = {...process.env, CALICO_DATASTORE: `embedded:${join(folder, 'store.json')}`}
console.log(`The datastore of this run is a file: CALICO_DATASTORE=${env.CALICO_DATASTORE}`)
try {
  for (const line of MAIN_JOB) {
    console.log(`\n$ calicoctl ${line}`)
    const {status} = spawnSync(process.execPath, [join(root, 'bin/run.js'), ...line.split(' ')], {env, stdio: 'inherit'})
    if (status !== 0) {
      console.log(`\nThat ended with exit code ${status}.`)
      process.exitCode = 1
      break
    }
  }
  if (!process.exitCode) console.log('\nAll done. With an etcd, the same lines work as they are: ETCD_ENDPOINTS=http://127.0.0.1:2379 calicoctl …')
} finally {
  rmSync(folder, {recursive: true, force: true})
}
