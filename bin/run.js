#!/usr/bin/env node
'use strict'
/**
 * The entry point. CommonJS, since an ESM entry costs 5 ms (CONTRIBUTING.md, "Start-up"). The version and the pages of help, which the build
 * has rendered, are printed from their files; everything else runs in the bundle, through V8's code cache.
 */
const fs = require('node:fs')
const path = require('node:path')

/** Node has followed npm's link: this is the package's own folder. */
const DIST = path.join(path.dirname(__dirname), 'dist')

/**
 * The file that answers ARGV, relative to dist, if that is certain without knowing the grammar: the version, or help on a whole path of commands.
 * There may be no such file; then it was not certain.
 * @param {readonly string[]} argv
 */
function preparedAnswer(argv) {
  const first = argv[0]
  if (argv.length === 1 && (first === 'version' || first === '--version' || first === '-V')) return 'version.txt'
  const words = argv.filter((word) => word !== '--help' && word !== '-h')
  if (words.length !== argv.length - 1 || !words.every((word) => /^[a-z]+(-[a-z]+)*$/.test(word))) return undefined
  return `help/${['calicoctl', ...words].join('.')}.txt`
}

/** @param {string | undefined} name */
function readAnswer(name) {
  if (name === undefined) return undefined
  try {
    return fs.readFileSync(path.join(DIST, name))
  } catch {
    return undefined
  }
}

/**
 * Prints DATA at once where the reader takes it; what it does not take yet goes the slow way.
 * @param {Buffer} data
 */
function print(data) {
  let written = 0
  try {
    while (written < data.length) written += fs.writeSync(1, data, written)
  } catch (error) {
    const {code, message} = /** @type {NodeJS.ErrnoException} */ (error)
    if (code === 'EAGAIN') process.stdout.write(data.subarray(written))
    else if (code !== 'EPIPE') fail(`The output cannot be written: ${code === 'ENOSPC' ? 'no space left on the device' : message}.`)
  }
}

/** @param {string} message */
function fail(message) {
  process.stderr.write(`Error: ${message}\n`)
  process.exitCode = 1
}

const argv = process.argv.slice(2)
const answer = readAnswer(preparedAnswer(argv))
if (answer !== undefined) print(answer)
else if (Number.parseInt(process.versions.node, 10) < 20) fail(`calicoctl needs Node 20.19 or newer; this is ${process.version}`)
else if (!fs.existsSync(path.join(DIST, 'chunks.json'))) fail('calicoctl has not been built here; in its source tree: npm ci && npm run build')
else {
  const {launch} = require('./launch.js') // not above: the answers that are ready need no more code
  launch(argv, DIST)
}
