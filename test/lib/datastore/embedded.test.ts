import {execFileSync, spawn} from 'node:child_process'
import {existsSync, readFileSync, readlinkSync} from 'node:fs'
import {chmod, chown, lstat, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, test} from '@jest/globals'
import type {Datastore} from '../../../src/lib/datastore/datastore.js'
import {withLock} from '../../../src/lib/datastore/embedded/lock.js'
import {createBudget} from '../../../src/lib/datastore/budget.js'
import {openDatastore} from '../../../src/lib/datastore/open.js'

let directory: string
let path: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calicoctl-embedded-'))
  path = join(directory, 'store.json')
})
afterEach(() => rm(directory, {recursive: true}))

const open = (file = path, budgetMs = 5_000): Promise<Datastore> =>
  openDatastore({datastore: {type: 'embedded', path: {value: file, origin: '--datastore'}}}, {budgetMs})
const put = async (store: Datastore, key: string, value: string): Promise<unknown> => store.transact({then: [{put: key, value}]})

describe('the file', () => {
  test('reading creates nothing', async () => {
    const store = await open(join(directory, 'sub', 'store.json'))
    expect((await store.get('/a')).kv).toBeUndefined()
    expect(await readdir(directory)).toEqual([])
  })

  test('is readable by its owner only, in a folder made for it, and holds what decisions.md 16 says', async () => {
    const file = join(directory, 'state', 'calicoctl', 'store.json')
    await put(await open(file), '/a', '1')
    expect((await lstat(file)).mode & 0o777).toBe(0o600)
    expect((await lstat(join(directory, 'state', 'calicoctl'))).mode & 0o777).toBe(0o700)
    expect(Object.keys(JSON.parse(await readFile(file, 'utf8')) as object)).toEqual(['format', 'revision', 'compacted', 'keys', 'log'])
    expect(await readdir(join(directory, 'state', 'calicoctl'))).toEqual(['store.json'])
  })

  test('is there for the next process', async () => {
    await put(await open(), '/a', '1')
    const again = await open()
    expect((await again.get('/a')).kv).toMatchObject({value: '1', modRevision: 2n})
    expect(await again.history('/a', 1n)).toHaveLength(1)
  })

  test.each(['', '{', '[]', 'null', '{"format":"calicoctl-store/9"}', '{"format":"calicoctl-store/1","revision":1}', '{"format":"calicoctl-store/1","revision":"1","compacted":"0","keys":[["a"]],"log":[]}'])(
    'a damaged one (%j) is reported and left as it is',
    async (text) => {
      await writeFile(path, text)
      const store = await open()
      await expect(store.get('/a')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining(path), hint: expect.stringContaining('It was not changed')})
      await expect(put(store, '/a', '1')).rejects.toMatchObject({kind: 'failed'})
      expect(await readFile(path, 'utf8')).toBe(text)
      expect(await readdir(directory)).toEqual(['store.json'])
    },
  )

  test('a symbolic link is refused, as file and as folder', async () => {
    await put(await open(join(directory, 'real.json')), '/a', '1')
    await symlink(join(directory, 'real.json'), path)
    await expect((await open()).get('/a')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('symbolic link')})
    await expect(put(await open(), '/a', '2')).rejects.toMatchObject({message: expect.stringContaining('symbolic link')})
    await mkdir(join(directory, 'folder'))
    await symlink(join(directory, 'folder'), join(directory, 'link'))
    await expect(put(await open(join(directory, 'link', 'store.json')), '/a', '1')).rejects.toMatchObject({message: expect.stringContaining('symbolic link')})
    expect(await readdir(join(directory, 'folder'))).toEqual([])
  })

  const isRoot = process.geteuid?.() === 0
  test("another owner's folder or file is refused", async () => {
    if (!isRoot) {
      // Only root can give a folder away; for anybody else root's own folder serves.
      await expect(put(await open('/store.json'), '/a', '1')).rejects.toMatchObject({kind: 'failed'})
      return
    }
    const folder = join(directory, 'theirs')
    await mkdir(folder)
    await chown(folder, 65_534, 65_534)
    await expect(put(await open(join(folder, 'store.json')), '/a', '1')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('belongs to another user (uid 65534)')})
    expect(await readdir(folder)).toEqual([])
    await put(await open(), '/a', '1')
    await chown(path, 65_534, 65_534)
    await expect((await open()).get('/a')).rejects.toMatchObject({message: expect.stringContaining('another user')})
  })

  test.each([0o777, 0o1777, 0o770, 0o702])('a folder that others may write (%o) is refused, for reading too, and nothing of it is changed', async (mode) => {
    const folder = join(directory, 'shared')
    await mkdir(folder)
    await writeFile(join(folder, 'store.json.lock'), 'x')
    await chmod(folder, mode)
    if (!isRoot && mode === 0o770) return // it may be the user's own group
    const message = expect.stringMatching(/is writable by (every user|its group)/)
    await expect(put(await open(join(folder, 'store.json')), '/a', '1')).rejects.toMatchObject({kind: 'failed', message, hint: expect.stringContaining('only you can write')})
    await expect((await open(join(folder, 'store.json'))).get('/a')).rejects.toMatchObject({kind: 'failed', message})
    expect(await readdir(folder)).toEqual(['store.json.lock'])
  })

  test('a pipe in its place is refused at once', async () => {
    execFileSync('mkfifo', [path])
    await expect((await open()).get('/a')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('is not a file')})
  })

  test('loose permissions of an old file are tightened by the next write', async () => {
    await put(await open(), '/a', '1')
    await chmod(path, 0o644)
    await put(await open(), '/a', '2')
    expect((await lstat(path)).mode & 0o777).toBe(0o600)
  })
})

describe('the lock', () => {
  const namespace = /\[(\d+)\]/.exec(readlinkSync('/proc/self/ns/pid'))?.[1] ?? ''
  const GONE = `4194304000 1 ${namespace}`

  test('of a process that is gone is taken over, also by many at once', async () => {
    await writeFile(`${path}.lock`, GONE)
    const stores = await Promise.all(Array.from({length: 20}, () => open()))
    await Promise.all(stores.map((store, i) => put(store, `/k${i}`, '1')))
    const {results} = await (await open()).transact({then: [{list: '/k'}]})
    expect(results[0]).toHaveLength(20)
    expect(await readdir(directory)).toEqual(['store.json'])
  })

  test('of a process whose pid is in use again is stale, too', async () => {
    await writeFile(`${path}.lock`, `${process.pid} 1 ${namespace}`)
    await put(await open(), '/a', '1')
    expect(existsSync(`${path}.lock`)).toBe(false)
  })

  test('of whoever died while taking over a stale one is taken over in turn', async () => {
    await writeFile(`${path}.lock`, GONE)
    await writeFile(`${path}.lock.${GONE.replaceAll(' ', '-')}`, `4194304001 1 ${namespace}`)
    await put(await open(), '/a', '1')
    expect(await readdir(directory)).toEqual(['store.json'])
  })

  test('of another pid namespace is never stale: 8 when the time is up, naming the file and how to remove it', async () => {
    const foreign = `4194304000 1 ${namespace}1`
    await writeFile(`${path}.lock`, foreign)
    await expect(put(await open(path, 100), '/a', '1')).rejects.toMatchObject({kind: 'refused', message: expect.stringContaining('another pid namespace'), hint: expect.stringContaining(`rm ${path}.lock`)})
    expect(readFileSync(`${path}.lock`, 'utf8')).toBe(foreign)
    expect(existsSync(path)).toBe(false)
    await rm(`${path}.lock`)
    await put(await open(), '/a', '1')
  })

  test.each(['', 'x', '1 2', '1 2 3 4', '../../../victim 1 2', '1 1 ../../victim', '-1 1 1', '1 2 3\n4', '1'.repeat(200)])('that is none (%j) is an error, and no path', async (content) => {
    await writeFile(join(directory, 'victim'), 'mine')
    await writeFile(`${path}.lock`, content)
    await expect(put(await open(), '/a', '1')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('is not a lock of calicoctl'), hint: expect.stringContaining(`rm ${path}.lock`)})
    expect((await readdir(directory)).sort()).toEqual(['store.json.lock', 'victim'])
    expect(readFileSync(join(directory, 'victim'), 'utf8')).toBe('mine')
  })

  test.each(['link', 'pipe', 'folder'])('that is a %s is an error, at once', async (what) => {
    if (what === 'link') await symlink('/etc/passwd', `${path}.lock`)
    else if (what === 'pipe') execFileSync('mkfifo', [`${path}.lock`])
    else await mkdir(`${path}.lock`)
    await expect(put(await open(), '/a', '1')).rejects.toMatchObject({kind: 'failed', message: expect.stringContaining('is not a lock of calicoctl')})
  })

  test('of a living process is waited for, within the budget', async () => {
    await writeFile(path, '')
    await rm(path)
    let release = (): void => undefined
    const held = withLock(`${path}.lock`, createBudget(), () => new Promise<void>((resolve) => (release = resolve)))
    await expect(put(await open(path, 300), '/a', '1')).rejects.toMatchObject({kind: 'unreachable', message: expect.stringContaining(`locked by process ${process.pid}`)})
    expect((await (await open()).get('/a')).kv).toBeUndefined()
    const patient = put(await open(), '/a', '1')
    release()
    await Promise.all([held, patient])
  })
})

test('48 processes at once lose nothing', async () => {
  const script = join(directory, 'writer.cjs')
  // The writers are real processes; esbuild gives them the adapter as one file.
  const {build, stop} = await import('esbuild')
  await build({
    stdin: {
      contents: `
        import {openEmbedded} from './src/lib/datastore/embedded/embedded-datastore.ts'
        import {createBudget} from './src/lib/datastore/budget.ts'
        const store = openEmbedded({type: 'embedded', path: {value: process.argv[2], origin: 'argv'}}, createBudget({budgetMs: 60000}))
        async function write() { for (let done = 0; done < 3; ) {
          const {kv} = await store.get('/n')
          const value = String(Number(kv?.value ?? 0) + 1)
          const own = '/own/' + process.pid + '/' + done
          const {succeeded} = await store.transact({if: [{key: '/n', modRevision: kv?.modRevision ?? 0n}], then: [{put: '/n', value}, {put: own, value}]})
          if (succeeded) done++
        } }
        write()`,
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile: script,
  })
  await stop() // its service would keep jest from ending
  const exits = await Promise.all(
    Array.from({length: 48}, () => new Promise((resolve) => spawn(process.execPath, [script, path], {stdio: ['ignore', 'ignore', 'inherit']}).on('exit', resolve))),
  )
  expect(exits).toEqual(Array(48).fill(0))
  const store = await open()
  expect((await store.get('/n')).kv).toMatchObject({value: '144', version: 144n})
  expect((await store.transact({then: [{list: '/own/', keysOnly: true}]})).results[0]).toHaveLength(144)
})
