/** Whether dist is what `npm run build` would make now, by the times of the files. */
import {existsSync, readdirSync, statSync} from 'node:fs'
import {join, resolve} from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
const SOURCES = ['src', 'scripts/bundle', 'package.json']

/** Why the build must be made again; undefined if it need not be. @returns {string | undefined} */
export function whyBuild() {
  const index = join(ROOT, 'dist/chunks.json')
  if (!existsSync(index)) return 'there is no build'
  const built = statSync(index).mtimeMs
  const newer = SOURCES.flatMap((path) => filesIn(join(ROOT, path))).find((file) => statSync(file).mtimeMs > built)
  return newer && `the build is older than ${newer}`
}

/** @param {string} path @returns {string[]} */
function filesIn(path) {
  if (!statSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)))
}
