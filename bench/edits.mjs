/**
 * node bench/edits.mjs [PROCESSES EDITS]: many processes that edit one profile at the same time, each adding its own tags. Tells how long all edits take
 * and that none is lost.
 */
import {spawn, spawnSync} from 'node:child_process'
import {environment, installed, startEtcd} from './setting.mjs'

const processes = Number(process.argv[2] ?? 16)
const edits = Number(process.argv[3] ?? 100)
const env = environment(await startEtcd())
const calicoctl = [installed()]

const first = spawnSync(process.execPath, [...calicoctl, 'profile', 'add', 'shared'], {env, encoding: 'utf8'})
if (first.status !== 0) throw new Error(first.stderr)

let next = 0
const start = process.hrtime.bigint()
const failures = (await Promise.all(Array.from({length: processes}, editor))).flat()
const seconds = Number(process.hrtime.bigint() - start) / 1e9

const {stdout} = spawnSync(process.execPath, [...calicoctl, 'profile', 'shared', 'tag', 'show', '-o', 'name'], {env, encoding: 'utf8'})
const tags = new Set(stdout.trim().split('\n'))
const lost = Array.from({length: edits}, (_, i) => `tag${i}`).filter((tag) => !tags.has(tag))
console.log(`${edits} edits of one profile by ${processes} processes at a time: ${seconds.toFixed(1)} s, ${(edits / seconds).toFixed(1)} edits a second`)
console.log(`${failures.length} failed, ${lost.length - failures.length} lost`)
for (const failure of failures) console.log(failure)
process.exit(failures.length > 0 || lost.length > 0 ? 1 : 0)

/** Makes edits, one command after another, as long as there are some to make. @returns {Promise<string[]>} what went wrong */
async function editor() {
  const wrong = []
  while (next < edits) {
    const tag = `tag${next++}`
    const child = spawn(process.execPath, [...calicoctl, 'profile', 'shared', 'tag', 'add', tag], {env, stdio: ['ignore', 'ignore', 'pipe']})
    let errors = ''
    child.stderr.on('data', (data) => (errors += data))
    const code = await new Promise((settle) => child.on('close', settle))
    if (code !== 0) wrong.push(`${tag}: ${code}: ${errors.trim()}`)
  }
  return wrong
}
