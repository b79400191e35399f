/** `policy picture` as its readers have it: files that other programs parse, and a page in a real browser. */
import {spawnSync} from 'node:child_process'
import {existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, test} from '@jest/globals'
import type {MatrixGroup} from '../../src/lib/policy/matrix.js'
import {pictureOf} from '../../src/lib/views/policy-picture/picture.js'
import type {Result} from '../support/cli.js'
import {type Browser, type Page, startChromium} from '../support/chromium.js'
import {calicoctl} from '../support/warm.js'

const STARS = `profile add client frontend backend management-ui
profile management-ui rule add inbound allow tcp to ports 9001
profile client rule add inbound allow tcp from tag management-ui to ports 9000
profile frontend rule add inbound allow tcp from tag management-ui to ports 9000
profile backend rule add inbound allow tcp from tag management-ui to ports 9000
profile frontend rule add inbound allow tcp from tag client to ports 9000
profile backend rule add inbound allow tcp from tag frontend to ports 9000
`.replace('profile add client frontend backend management-ui', ['client', 'frontend', 'backend', 'management-ui'].map((name) => `profile add ${name}`).join('\n'))

const object = (kind: string, name: string, spec: object, metadata: object = {}): object => ({apiVersion: 'projectcalico.org/v3', kind, metadata: {name, ...metadata}, spec})
const workload = (name: string, ip: string, profile: string): object => object('WorkloadEndpoint', `h1-docker-${name}-eth0`, {node: 'h1', orchestrator: 'docker', workload: name, endpoint: 'eth0', interfaceName: `cali${name}`, ipNetworks: [`${ip}/32`], profiles: [profile]}, {namespace: 'default'})
const OBJECTS = [object('Node', 'h1', {bgp: {ipv4Address: '10.98.0.1/24'}}), workload('c1', '192.168.1.1', 'client'), workload('c2', '192.168.2.1', 'client'), workload('f1', '192.168.1.2', 'frontend'), workload('b1', '192.168.2.2', 'backend'), workload('ui', '192.168.1.3', 'management-ui')]

let folder: string
const env = (store = 'store.json'): Record<string, string> => ({CALICO_DATASTORE: `embedded:${join(folder, store)}`, HOSTNAME: 'h1', CALICOCTL_JOURNAL: 'off'})
const picture = (args: readonly string[], own: Record<string, string> = env()): Promise<Result> => calicoctl(['policy', 'picture', ...args], {env: own, cwd: folder})
const at = (name: string): string => join(folder, name)

/** What PROGRAM says of the file that its ARGS name. */
function parse(program: 'dot' | 'xmllint', args: readonly string[]): string {
  const {status, stdout, stderr} = program === 'dot' ? spawnSync('dot', args, {encoding: 'utf8', cwd: folder}) : spawnSync('xmllint', args, {encoding: 'utf8', cwd: folder})
  expect({args, status, stderr}).toEqual({args, status: 0, stderr: ''})
  return stdout
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'calicoctl-picture-'))
  writeFileSync(at('objects.json'), JSON.stringify(OBJECTS))
  expect(await calicoctl(['batch', '--atomic'], {env: env(), stdin: STARS})).toMatchObject({code: 0})
  expect(await calicoctl(['apply', '-f', at('objects.json')], {env: env()})).toMatchObject({code: 0})
  for (const form of ['html', 'svg', 'dot']) expect(await picture(['-o', `policy.${form}`])).toMatchObject({code: 0, stdout: '', stderr: `Wrote policy.${form}: 5 groups in 5 boxes, 6 arrows\n`})
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('what is written', () => {
  test('stdout has the same bytes as the file, each time', async () => {
    for (const form of ['html', 'svg', 'dot']) expect(await picture(['-o', form])).toEqual({code: 0, signal: null, stdout: readFileSync(at(`policy.${form}`), 'utf8'), stderr: ''})
    expect((await picture([])).stdout).toBe(readFileSync(at('policy.html'), 'utf8'))
  })

  test('SVG and DOT are read by their own parsers', () => {
    parse('xmllint', ['--noout', 'policy.svg'])
    expect(parse('xmllint', ['--xpath', "string(//*[@class='heading'])", 'policy.svg'])).toContain('The traffic of these is written in the boxes')
    const drawn = parse('dot', ['-Tsvg', 'policy.dot'])
    for (const text of ['management&#45;ui', '← everyone: tcp/9001', 'tcp/9000']) expect(drawn).toContain(text)
    expect(readFileSync(at('policy.dot'), 'utf8')).toContain('label="client\\n(2 endpoints)\\namong themselves: all"')
  })

  test('--from, --to and --protocol narrow it', async () => {
    expect((await picture(['--from', 'client', '--to', 'frontend', '-o', 'dot'])).stdout).toMatch(/b\d -> b\d \[label="tcp\/9000"\]/)
    expect((await picture(['--protocol', 'udp', '-o', 'dot'])).stdout).not.toContain('tcp')
    expect((await picture(['--from', 'nobody'])).code).toBe(4)
  })

  test('other endings, and files that cannot be written, are refused; nothing is left', async () => {
    for (const name of ['policy.png', 'policy', '-', 'json', './html']) {
      expect(await picture(['-o', name])).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining(`-o ${name}: give a file whose name ends with .html, .svg or .dot, or html, svg or dot for stdout`) as unknown})
      expect(existsSync(at(name))).toBe(false)
    }
    mkdirSync(at('folder.html'), {recursive: true})
    for (const name of ['missing/policy.html', 'folder.html', '/proc/policy.svg']) expect(await picture(['-o', name])).toMatchObject({code: 1, stdout: '', stderr: expect.stringMatching(`^Error: ${name} cannot be written: .*; there is no new picture`) as unknown})
    expect(await picture(['-o', 'new.html'], {ETCD_ENDPOINTS: 'http://127.0.0.1:1'})).toMatchObject({code: 6, stdout: ''})
    expect(existsSync(at('new.html'))).toBe(false)
  })

  test('an empty store is a picture with a sentence', async () => {
    const outcome = await picture(['-o', 'empty.html'], env('empty.json'))
    expect(outcome).toMatchObject({code: 0, stderr: expect.stringContaining('There are no endpoints in the datastore') as unknown})
    expect(readFileSync(at('empty.html'), 'utf8')).toContain('There are no endpoints in the datastore')
  })

  test('what cannot be told is warned of, and its box is dotted', async () => {
    const broken = env('broken.json')
    // A profile that Felix cannot read: what it does is open.
    writeFileSync(at('broken.json'), readFileSync(at('store.json'), 'utf8').replace(/(profiles\/frontend","[^]*?\\"ingress\\":)/, String.raw`$15,\"other\":`))
    const outcome = await picture(['-o', 'svg'], broken)
    expect(outcome.stderr).toMatch(/Warning: the traffic of .* cannot be determined: /)
    expect(outcome.stdout).toContain('class="box workloads unknown"')
  })
})

describe('the page in a browser', () => {
  let browser: Browser
  let page: Page

  const text = (selector: string): Promise<string> => page.evaluate(`document.querySelector(${JSON.stringify(selector)}).innerText`)
  const active = (): Promise<string> => page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.id || document.activeElement.innerText")

  beforeAll(async () => {
    browser = startChromium()
    page = await browser.open(`file://${at('policy.html')}`)
  })
  afterAll(() => browser.stop())

  test('it is drawn without a complaint, and asks for nothing but itself', async () => {
    expect(await page.evaluate("document.querySelectorAll('svg .box').length")).toBe(5)
    expect(await page.evaluate("getComputedStyle(document.querySelector('.frame')).fill")).toBe('rgb(244, 247, 250)')
    expect(await text('#panel')).toContain('5 groups, 5 endpoints')
    expect(page.problems).toEqual([])
    expect(page.requests).toEqual([`file://${at('policy.html')}`])
    // No text of a box leaves it.
    expect(await page.evaluate("[...document.querySelectorAll('svg .box')].flatMap((box) => [...box.querySelectorAll('text')].filter((text) => text.getBoundingClientRect().right > box.querySelector('.frame').getBoundingClientRect().right - 2).map((text) => text.textContent))")).toEqual([])
    // Each thing that can be chosen has a name of its own.
    const names = await page.evaluate<string[]>("[...document.querySelectorAll('[role=button], button, input')].map((one) => one.getAttribute('aria-label') || one.textContent)")
    expect(names.filter((name) => name.trim() === '')).toEqual([])
    expect(new Set(names).size).toBe(names.length)
  })

  test('its policy refuses what is not its own', async () => {
    const refused = await page.evaluate<boolean>("new Promise((settle) => { document.addEventListener('securitypolicyviolation', () => settle(true), {once: true}); const script = document.createElement('script'); script.textContent = 'globalThis.ran = true'; document.body.append(script); setTimeout(() => settle(false), 2000) })")
    expect({refused, ran: await page.evaluate("'ran' in globalThis")}).toEqual({refused: true, ran: false})
    const html = readFileSync(at('policy.html'), 'utf8').replace(/<(script|style)[^]*?<\/\1>/g, '')
    expect(html).toContain("default-src 'none'")
    expect(html.match(/\son[a-z]+=|\sstyle=|https?:\/\/(?!www\.w3\.org\/2000\/svg")/g)).toBeNull()
  })

  test('a click on an arrow, its line or a row shows the rules that allow it, and the flows', async () => {
    await page.click('svg .arrow[aria-label="client → frontend: tcp/9000"]')
    expect(await text('#chosen h2')).toBe('client → frontend: tcp/9000')
    expect(await text('#chosen code')).toBe('tcp/9000')
    expect(await text('#chosen .rules')).toBe('sender: profile client, outbound rule 1\nreceiver: profile frontend, inbound rule 3')
    await page.click('svg .row[aria-label*="outside"]')
    expect(await text('#chosen h2')).toBe('everyone → outside (all other addresses): all')
    expect(await text('#chosen')).toMatch(/Rules that allow it, of 4 pairs of groups\s+sender: profile backend, outbound rule 1 \(1 of 4 pairs\)[^]*Each pair\s+backend → outside/)
    expect(await page.evaluate("document.querySelectorAll('.ghost').length")).toBe(4)
    await page.click('svg .face[aria-label^="client:"]')
    expect(await text('#chosen')).toMatch(/client\s+2 endpoints[\s\S]*Reached by\s+management-ui: tcp\/9000\s+It reaches\s[\s\S]*frontend: tcp\/9000\s[\s\S]*h1-docker-c1-eth0/)
    expect(await page.evaluate("[...document.querySelectorAll('.box:not(.near) .name')].map((one) => one.textContent)")).toEqual(['backend'])
    await page.press('Escape')
    expect(await text('#panel')).toContain('5 groups, 5 endpoints')
  })

  test('the search finds groups, endpoints, profiles and addresses', async () => {
    for (const [typed, found] of [['192.168.2.2', 'endpoint h1-docker-b1-eth0 b1 192.168.2.2 (in group backend)'], ['management', 'group management-ui'], ['c2', 'endpoint h1-docker-c2-eth0 c2 192.168.2.1 (in group client)']] as const) {
      await page.press('/', ...Array.from(typed))
      expect((await text('#results')).split('\n')).toContain(found)
      await page.press('Escape')
    }
    await page.press('/', ...Array.from('front'))
    expect(await text('#results')).toContain('profile frontend (in group frontend)')
    await page.press('Enter')
    expect(await text('#chosen h2')).toBe('frontend')
    expect(await active()).toBe('frontend: 1 endpoint')
    await page.press('/', ...Array.from('zzz'))
    expect(await text('#results')).toBe('No name contains this.')
    await page.press('Escape', 'Escape')
  })

  test('the keyboard reaches and does everything', async () => {
    await page.evaluate("document.getElementById('fit').focus()")
    await page.press('Tab')
    expect(await active()).toBe('backend: 1 endpoint')
    await page.press('ArrowLeft')
    expect(await active()).toBe('frontend → backend: tcp/9000')
    await page.press('Enter')
    expect(await text('#chosen h2')).toBe('frontend → backend: tcp/9000')
    await page.press('Enter')
    expect(await active()).toBe('What is chosen')
    await page.press('Tab', 'Enter')
    expect(await text('#chosen h2')).toBe('frontend')
    await page.press('Escape')
    expect(await page.evaluate("document.getElementById('chosen').hidden")).toBe(true)
    const width = (): Promise<number> => page.evaluate("document.getElementById('picture').getBoundingClientRect().width")
    const before = await width()
    await page.press('+')
    expect(await width()).toBeGreaterThan(before)
    await page.press('0')
  })

  test('dark and light differ, and both can be read', async () => {
    const dark = await browser.open(`file://${at('policy.html')}`, 'dark')
    const colours = "['body', '.frame', 'svg .name', 'svg .some text', 'svg .all text', 'svg .detail'].map((selector) => { const style = getComputedStyle(document.querySelector(selector)); return selector === 'body' ? style.backgroundColor : style.fill })"
    const [light, night] = [await page.evaluate<string[]>(colours), await dark.evaluate<string[]>(colours)]
    light.forEach((colour, index) => expect(colour).not.toBe(night[index]))
    for (const [, frame = '', ...texts] of [light, night]) for (const colour of texts) expect(contrast(frame, colour)).toBeGreaterThan(4.5)
    expect(dark.problems).toEqual([])
  })

  test('names from elsewhere are texts, whatever they hold', async () => {
    const evil = `</script><script>globalThis.evil=1</script><img src=x onerror=evil=1>"'&lt;\n\u202e\u001b[31m\\N`
    const group = (id: string, more: Partial<MatrixGroup> = {}): MatrixGroup => ({id, type: 'workloads', name: `${id}${evil}`, labels: {[evil]: evil}, profiles: [evil], node: evil, workloads: [], networks: [], party: () => undefined, ...more})
    const groups = [group('g1'), group('g2', {unknown: evil}), group('g3')]
    const [from, , to] = groups
    const by = [{kind: 'Profile', name: evil, direction: 'ingress', index: 0, action: 'Allow'} as const]
    const matrix = {groups, cells: from && to ? [{from, to, flows: ['tcp/80', evil], by}] : []}
    for (const form of ['html', 'svg', 'dot'] as const) writeFileSync(at(`evil.${form}`), pictureOf(matrix, form).text)
    parse('xmllint', ['--noout', 'evil.svg'])
    expect(parse('dot', ['-Tsvg', 'evil.dot'])).toContain('&lt;script&gt;')
    const hostile = await browser.open(`file://${at('evil.html')}`)
    await hostile.click('svg .arrow')
    expect(await hostile.evaluate("document.querySelector('#chosen .rules').innerText")).toContain('<script>globalThis.evil=1</script>')
    expect(await hostile.evaluate("document.querySelector('#chosen .rules').innerText")).not.toMatch(/[\u202e\u001b]/)
    expect(await hostile.evaluate("[document.querySelectorAll('script').length, document.querySelectorAll('img').length, 'evil' in globalThis]")).toEqual([2, 0, false])
    expect(hostile.problems).toEqual([])
    expect(hostile.requests).toHaveLength(1)
  })

  test('two hundred groups: a small page, in which what is chosen stands out', async () => {
    const group = (name: string, labels: Record<string, string> = {}): MatrixGroup => ({id: name, type: 'workloads', name, labels, profiles: [name], node: null, workloads: [], networks: [], party: () => undefined})
    const [webs, apis, dbs] = ['web', 'api', 'db'].map((kind) => Array.from({length: 66}, (_, index) => group(`${kind}${index}`, {[kind]: ''})))
    const [monitor, outside] = [group('monitor'), {...group('outside'), type: 'outside' as const}]
    const groups = [...(webs ?? []), ...(apis ?? []), ...(dbs ?? []), monitor, outside]
    const cells = groups.flatMap((from, index) => {
      const number = index % 66
      const api = apis?.[number]
      const [own, next] = [dbs?.[number], apis?.[(number * 7 + 1) % 66]]
      const targets = webs?.includes(from) ? [api, next] : apis?.includes(from) ? [own, next] : []
      return [...targets, ...(from === monitor ? groups.filter((to) => to !== monitor && to !== outside) : []), ...(from === outside ? [] : [outside])].flatMap((to) => (to && to !== from ? [{from, to, flows: [from === monitor ? 'tcp/9100' : to === outside ? 'all' : 'tcp/80'], by: []}] : []))
    })
    const {text: html} = pictureOf({groups, cells: [...new Map(cells.map((cell) => [`${cell.from.id} ${cell.to.id}`, cell])).values()]}, 'html')
    writeFileSync(at('large.html'), html)
    expect(statSync(at('large.html')).size).toBeLessThan(1_500_000)
    const large = await browser.open(`file://${at('large.html')}`)
    const opacity = (selector: string): Promise<string[]> => large.evaluate(`[...new Set([...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => getComputedStyle(one).opacity))]`)
    expect(await opacity('.wire')).toEqual(['0.45'])
    await large.evaluate("document.styleSheets[0].insertRule('svg *{transition:none!important}')")
    await large.press('/', ...Array.from('api7'), 'Enter')
    expect(await large.evaluate("document.querySelector('#chosen h2').innerText")).toBe('api7')
    expect(await opacity('.wire.near')).toEqual(['1'])
    expect(await opacity('.wire:not(.near)')).toEqual(['0.1'])
    // What was found is in view.
    const seen = await large.evaluate<boolean>("(() => { const r = document.activeElement.getBoundingClientRect(); const c = document.getElementById('canvas').getBoundingClientRect(); return r.left >= c.left && r.right <= c.right && r.top >= c.top && r.bottom <= c.bottom })()")
    expect(seen).toBe(true)
    expect(large.problems).toEqual([])
  })
})

/** The contrast of two colours, as WCAG 2 defines it. */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => Number(part) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}
