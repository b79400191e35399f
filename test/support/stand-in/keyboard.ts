/** Types the lines of a page, as they stand, on a host for tests. */
import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from '@jest/globals'
import {example} from '../pages.js'
import type {TestHost} from './host.js'

/** A line, its exit code, and what it printed on both streams. */
interface Step {
  readonly line: string
  readonly code: number
  readonly output: string
}

/** Lines that judge the machine or a stand-in, and so may find something. */
export const CHECKS = /^calicoctl (checksystem|status|mesos check)\b/

export interface Keyboard {
  /** Types LINES into one bash; what they leave running goes on. Gives what became of each. */
  readonly type: (lines: readonly string[]) => Promise<Step[]>
  /** Types EXAMPLES of the pages after LINES; each line must succeed. Gives the output of the last line that begins so. */
  readonly page: (examples: readonly string[], lines?: readonly string[]) => Promise<(beginning: string) => string>
}

/** The keyboard of HOST, whose shells have ENV and the Engine of the host. */
export function keyboard(host: TestHost, env: Readonly<Record<string, string>>): Keyboard {
  let shells = 0
  async function type(lines: readonly string[]): Promise<Step[]> {
    const name = join(host.folder, `shell-${++shells}`)
    writeFileSync(
      `${name}.sh`,
      [`exec >${name}.out 2>&1 </dev/null`, ...lines.flatMap((line, i) => [line, `printf '\\n@@ %s %s\\n' ${i} $?`]), `jobs -p >${name}.jobs`, ''].join('\n'),
    )
    const child = host.spawn(['bash', `${name}.sh`], {DOCKER_HOST: `unix://${host.socket}`, ...env})
    await new Promise((settle) => child.once('exit', settle))
    const parts = readFileSync(`${name}.out`, 'utf8').split(/\n@@ \d+ (\d+)\n/)
    return lines.map((line, i) => ({line, output: parts[2 * i] ?? '', code: Number(parts[2 * i + 1] ?? -1)}))
  }
  return {
    type,
    async page(examples, lines = []) {
      const steps = await type([...lines, ...examples.flatMap(example)])
      for (const {line, code, output} of steps) {
        if (code !== 0 && !(code === 10 && CHECKS.test(line))) throw new Error(`${line} ended with ${code}\n${output}`)
        expect({line, output}).toEqual({line, output: expect.not.stringMatching(/bug in calicoctl|Usage:|error response/i) as unknown})
      }
      return (beginning) => steps.filter(({line}) => line.startsWith(beginning)).at(-1)?.output ?? `no line begins with ${beginning}`
    },
  }
}
