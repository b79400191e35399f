/**
 * node bench/journal.mjs [ROUNDS]: what the journal costs a single `profile add`: whole processes, in turns, with the journal and without.
 * The difference of the medians should be at most 2 ms.
 */
import {environment, installed, startEtcd} from './setting.mjs'
import {compare, printRows} from './measure.mjs'

const LIMIT_MS = 2

const rounds = Number(process.argv[2] ?? 200)
const env = environment(await startEtcd())
const command = [process.execPath, installed(), 'profile', 'add']

const rows = compare(
  [
    {name: 'journal off', command, more: (run) => [`off${run + 10}`], env: {...env, CALICOCTL_JOURNAL: 'off'}},
    {name: 'journal on', command, more: (run) => [`on${run + 10}`]},
  ],
  {rounds, env},
)
printRows(rows)
const [off, on] = rows
const cost = (on?.median ?? NaN) - (off?.median ?? NaN)
console.log(`the journal costs ${cost.toFixed(1)} ms (median of ${rounds}; wanted: at most ${LIMIT_MS} ms)`)
process.exit(cost > LIMIT_MS ? 1 : 0)
