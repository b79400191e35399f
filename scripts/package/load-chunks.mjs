/**
 * Makes a code cache for each chunk that the warm-up did not load, of what runs when it is loaded: nobody can add one later to the files of a package.
 * A process of its own, in which nothing else happens: the same bytes each time. node scripts/package/load-chunks.mjs DIST
 */
import {readFileSync} from 'node:fs'
import {createRequire} from 'node:module'
import {join} from 'node:path'

const [dist = ''] = process.argv.slice(2)
const {openChunks} = /** @type {typeof import('../../bin/chunks.js')} */ (createRequire(import.meta.url)('../../bin/chunks.js'))
const chunks = openChunks(dist)
for (const name of Object.keys(JSON.parse(readFileSync(join(dist, 'chunks.json'), 'utf8')))) chunks.load(name)
chunks.saveCaches()
process.exit(0)
