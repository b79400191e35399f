/** What oclif knows of our commands without loading them: flags, arguments, texts. Made by oclif itself from the command classes. */
import {readFileSync, writeFileSync} from 'node:fs'
import {readdir} from 'node:fs/promises'
import {join} from 'node:path'
import {Plugin} from '@oclif/core'
import {build} from 'esbuild'

/** @typedef {import('@oclif/core').Interfaces.PJSON} PJSON */
/** @typedef {import('@oclif/core').Command.Cached} CachedCommand */

/**
 * The commands of SOURCE (the folder src), by id in alphabetical order.
 * @param {{root: string, source: string, scratch: string}} folders SCRATCH takes the modules in a form that Node can load; it must lie below ROOT, where their dependencies are
 * @returns {Promise<Record<string, CachedCommand>>}
 */
export async function makeManifest({root, source, scratch}) {
  const entryPoints = (await readdir(source, {recursive: true})).filter((path) => path.endsWith('.ts')).map((path) => join(source, path))
  await build({entryPoints, outbase: source, outdir: scratch, format: 'esm', target: 'node20', logLevel: 'error'})
  writeFileSync(join(scratch, 'package.json'), '{"type": "module"}')
  const plugin = new Plugin({
    root: scratch,
    pjson: {...readPackage(root), type: 'module', oclif: {commands: './commands'}},
    isRoot: true,
    ignoreManifest: true,
    errorOnManifestCreate: true,
    respectNoCacheDefault: true,
  })
  await plugin.load()
  const commands = Object.entries(plugin.manifest.commands).sort(([a], [b]) => (a < b ? -1 : 1))
  if (commands.length === 0) throw new Error(`oclif finds no commands in ${source}/commands`)
  return Object.fromEntries(commands.map(([id, command]) => [id, withoutOrigin(command)]))
}

/** Where a command was found at build means nothing in the bundle. @param {CachedCommand} command @returns {CachedCommand} */
function withoutOrigin({isESM, relativePath, pluginName, pluginType, pluginAlias, ...command}) {
  return command
}

/** @param {string} root @returns {PJSON} */
export const readPackage = (root) => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
