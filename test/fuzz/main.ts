/**
 * The fuzzer as a program (scripts/fuzz.mjs bundles it): a worker feeds the targets, and this thread sees whether it goes on. What is found is printed, a line of
 * JSON each, and the exit code is 1 then. --seed S, --target T, --runs N, --from N, --milliseconds N of a core for each target. --grow: inputs that reach something new
 * are added to the corpus (test/fixtures/fuzz/corpus); --tidy: nothing is fed, and of the corpus only what reaches something is left.
 * --list: the names of the targets are printed, a line each, and nothing else is done.
 */
import {parseArgs} from 'node:util'
import {isMainThread, parentPort, Worker, workerData} from 'node:worker_threads'
import {addToCorpus, asJson, readCorpus, writeCorpus} from './corpus.js'
import {startCoverage} from './coverage.js'
import {feed, type Finding, needed} from './engine.js'
import {TARGETS} from './targets.js'

/** Room for the input that is being run, which the other thread shows if it never ends. */
const ROOM = 512 * 1024
/** An input that takes longer hangs, on however busy a machine. */
const HANG_MS = 60_000

const {values} = parseArgs({
  options: {seed: {type: 'string', default: '1'}, target: {type: 'string', default: ''}, runs: {type: 'string', default: '1000000000'}, from: {type: 'string', default: '0'}, milliseconds: {type: 'string', default: '1000'}, quiet: {type: 'boolean', default: false}, grow: {type: 'boolean', default: false}, tidy: {type: 'boolean', default: false}, list: {type: 'boolean', default: false}},
})
const targets = TARGETS.filter(({name}) => values.target === '' || values.target.split(',').includes(name))

const print = ({target, run, fault, input}: Finding): void => console.log(JSON.stringify({target, seed: values.seed, run, fault, ...asJson(input)}))

/** What both threads see: how many inputs have begun, which target, and the input. */
interface Shared {
  readonly numbers: Int32Array
  readonly bytes: Uint8Array
}

async function work({numbers, bytes}: Shared): Promise<void> {
  const coverage = values.grow || values.tidy ? startCoverage(import.meta.url) : undefined
  for (const [at, target] of targets.entries()) {
    const began = process.cpuUsage()
    const inputs = readCorpus(target.name)
    if (values.tidy && coverage) {
      const left = await needed(target, inputs, coverage)
      writeCorpus(target.name, left)
      parentPort?.postMessage(`${target.name}: ${left.length} of ${inputs.length} inputs are left`)
      continue
    }
    const show = (input: Buffer): void => {
      bytes.set(input.subarray(0, ROOM))
      Atomics.store(numbers, 1, at)
      Atomics.store(numbers, 2, Math.min(input.length, ROOM))
      Atomics.add(numbers, 0, 1)
    }
    const {ran, finding, kept} = await feed(target, {seed: values.seed, from: Number(values.from), runs: Number(values.runs), milliseconds: Number(values.milliseconds)}, show, {inputs, coverage})
    addToCorpus(target.name, kept)
    if (finding) parentPort?.postMessage(finding)
    const {user, system} = process.cpuUsage(began)
    parentPort?.postMessage(`${target.name}: ${ran} inputs, ${((user + system) / 1e6).toFixed(1)} s of a core${kept.length > 0 ? `, ${kept.length} kept` : ''}${finding ? ', a fault' : ''}`)
  }
}

if (values.list) {
  for (const {name} of TARGETS) console.log(name)
} else if (isMainThread) {
  const memory = new SharedArrayBuffer(16 + ROOM)
  const shared: Shared = {numbers: new Int32Array(memory, 0, 4), bytes: new Uint8Array(memory, 16)}
  const worker = new Worker(new URL(import.meta.url), {workerData: memory, argv: process.argv.slice(2), resourceLimits: {maxOldGenerationSizeMb: 1500}})
  const current = (fault: string): Finding => ({target: targets[shared.numbers[1] ?? 0]?.name ?? '', run: -1, fault, input: Buffer.from(shared.bytes.slice(0, shared.numbers[2]))})
  let seen = -1
  let since = Date.now()
  const timer = setInterval(() => {
    const now = Atomics.load(shared.numbers, 0)
    if (now !== seen) [seen, since] = [now, Date.now()]
    else if (Date.now() - since > HANG_MS) {
      print(current('does not end'))
      process.exit(1)
    }
  }, 500)
  worker.on('message', (finding: Finding | string) => {
    if (typeof finding === 'string') {
      if (!values.quiet) console.error(finding)
      return
    }
    print({...finding, input: Buffer.from(finding.input)})
    process.exitCode = 1
  })
  worker.on('error', (error) => {
    print(current(`ends the thread: ${error.message}`))
    process.exitCode = 1
  })
  worker.on('exit', () => clearInterval(timer))
} else {
  const memory = workerData as SharedArrayBuffer
  await work({numbers: new Int32Array(memory, 0, 4), bytes: new Uint8Array(memory, 16)})
}
