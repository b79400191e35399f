/** The Node that the packages bring with them: that of the npm packages node-linux-*, pinned with their checksums. */
import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs'
import {join} from 'node:path'

/**
 * The newest release with long-term support that npm has for each processor. 26 calls itself `Current` (process.release.lts), and needs libatomic, which a
 * bare Debian does not have; 24 runs wherever glibc is 2.28 or newer.
 */
export const OWN_NODE = /** @type {const} */ ({
  x64: {version: '24.22.3', integrity: 'sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA=='},
  arm64: {version: '24.22.0', integrity: 'sha512-xbI0deR0+gzJizE0IdT7x3ewSqtvWW7tx6QlJIBI6IszUY41yrPmOeS+b6WkA7DmSS8VKJRcMthWVwO1LbjamQ=='},
})

/** @typedef {{version: string, integrity: string}} Pinned */

/**
 * The files of a Node: taken from the npm registry once, and kept in CACHE.
 * @param {string} cache
 * @param {'x64' | 'arm64'} arch
 * @param {Pinned} [pinned]
 * @returns {{version: string, program: string, license: string}} paths of the program and of its licences
 * @throws Error if what the registry gives is not what was pinned
 */
export function fetchNode(cache, arch, {version, integrity} = OWN_NODE[arch]) {
  const folder = join(cache, `node-${version}-linux-${arch}`)
  const files = {version, program: join(folder, 'package/bin/node'), license: join(folder, 'package/LICENSE')}
  if (existsSync(files.program)) return files
  console.log(`Fetching Node ${version} for ${arch} from npm …`)
  const scratch = `${folder}.${process.pid}`
  mkdirSync(scratch, {recursive: true})
  try {
    execFileSync('npm', ['pack', '--silent', '--pack-destination', scratch, `node-linux-${arch}@${version}`], {stdio: ['ignore', 'ignore', 'inherit']})
    const archive = join(scratch, `node-linux-${arch}-${version}.tgz`)
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
    if (found !== integrity) throw new Error(`node-linux-${arch}@${version} has the checksum ${found}, not the pinned ${integrity}`)
    execFileSync('tar', ['-xzf', archive, '-C', scratch, '--no-same-owner', 'package/bin/node', 'package/LICENSE'])
    rmSync(archive)
    rmSync(folder, {recursive: true, force: true})
    renameSync(scratch, folder)
  } finally {
    rmSync(scratch, {recursive: true, force: true})
  }
  return files
}
