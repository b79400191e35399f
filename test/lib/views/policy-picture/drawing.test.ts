/** The picture says what the matrix says: no flow more, none less, none twice; and it merges what shall be merged. */
import {describe, expect, test} from '@jest/globals'
import fc from 'fast-check'
import {loadWorld} from '../../../../src/lib/policy/load.js'
import {type Cell, type Matrix, type MatrixGroup, policyMatrix} from '../../../../src/lib/policy/matrix.js'
import {type Arrow, type Drawing, drawingOf, pairsOf, partsOf} from '../../../../src/lib/views/policy-picture/drawing.js'
import {boxName, rowText} from '../../../../src/lib/views/policy-picture/words.js'
import {entries} from '../../policy/random-world.js'

const group = (id: string, more: Partial<MatrixGroup> = {}): MatrixGroup => ({id, type: 'workloads', name: id, labels: {}, profiles: [id], node: null, workloads: [], networks: [], party: () => undefined, ...more})
const several = {other: () => undefined}

const passing = (pairs: readonly (readonly string[])[]): Record<string, string> => Object.fromEntries(pairs.map(([pair = '', flows = '']) => [pair, flows]))

/** A matrix of GROUPS with what `FROM TO` passes. */
function matrix(groups: readonly MatrixGroup[], passes: Readonly<Record<string, string>>): Matrix {
  const find = (id: string): MatrixGroup => groups.find((one) => one.id === id) ?? group(id)
  const cells = Object.entries(passes).map(([pair, flows]): Cell => {
    const [from = '', to = ''] = pair.split(' ')
    return {from: find(from), to: find(to), flows: flows.split(' '), by: []}
  })
  return {groups, cells}
}

const saidBy = ({arrows}: Drawing): string[] => arrows.flatMap((arrow) => [...pairsOf(arrow)].flatMap(([from, to]) => partsOf(arrow.flows).map((part) => `${from.id} ${to.id} ${part}`))).sort()
const saidIn = ({cells}: Matrix): string[] => cells.flatMap(({from, to, flows}) => partsOf(flows).map((part) => `${from.id} ${to.id} ${part}`)).sort()
const shapes = ({arrows}: Drawing): string[] => arrows.map(({shape, senders, receivers, flows}) => `${shape}: ${senders.map(boxName).join(',')} > ${receivers.map(boxName).join(',')}: ${flows.join(' ')}`)

const FLOWS = ['all', 'tcp/80', 'tcp/80,443', 'tcp/443,9100 udp/53', 'icmp/8 47']

/** Groups of a few kinds, with exceptions: so there are twins, crowds, both directions. */
const random = fc
  .tuple(fc.integer({min: 1, max: 24}), fc.integer({min: 1, max: 5}), fc.array(fc.nat(FLOWS.length), {minLength: 25, maxLength: 25}), fc.array(fc.tuple(fc.nat(23), fc.nat(23), fc.nat(FLOWS.length)), {maxLength: 12}), fc.array(fc.boolean(), {minLength: 24, maxLength: 24}))
  .map(([size, kinds, between, exceptions, pairs]) => {
    const groups = Array.from({length: size}, (_, index) => group(`g${index + 1}`, {...(pairs[index] ? several : {}), type: index % kinds === 4 ? 'outside' : 'workloads'}))
    const odd = new Map(exceptions.map(([from, to, flows]) => [`${from} ${to}`, flows]))
    const cells = groups.flatMap((from, sender) =>
      groups.flatMap((to, receiver): Cell[] => {
        const flows = FLOWS[odd.get(`${sender} ${receiver}`) ?? between[(sender % kinds) * 5 + (receiver % kinds)] ?? FLOWS.length]
        return flows === undefined || (from === to && from.other === undefined) ? [] : [{from, to, flows: flows.split(' '), by: []}]
      }),
    )
    return {groups, cells}
  })

describe('drawingOf', () => {
  test('says exactly what the matrix does, whatever it merges', () => {
    const kinds = new Set<string>()
    let merged = 0
    fc.assert(
      fc.property(random, (all) => {
        const drawing = drawingOf(all)
        expect(saidBy(drawing)).toEqual(saidIn(all))
        expect(drawing.boxes.flatMap(({groups}) => groups.map(({id}) => id)).sort()).toEqual(all.groups.map(({id}) => id).sort())
        for (const {shape} of drawing.arrows) kinds.add(shape)
        merged += all.groups.length - drawing.boxes.length
      }),
      {numRuns: 120},
    )
    expect([...kinds].sort()).toEqual(['among', 'from', 'lines', 'to', 'within'])
    expect(merged).toBeGreaterThan(100)
  })

  test('says exactly what the matrix of a random store does', () => {
    fc.assert(
      fc.property(entries, (store) => {
        const all = policyMatrix(loadWorld(store))
        expect(saidBy(drawingOf(all))).toEqual(saidIn(all))
      }),
      {numRuns: 6},
    )
  })

  test('groups of one profile and any number of endpoints that pass the same share a box', () => {
    const groups = Array.from({length: 9}, (_, index) => group(`web${index}`, index % 2 === 0 ? several : {})).concat(group('db'))
    const passes = passing(groups.slice(0, 9).flatMap(({id, other}) => [[`${id} db`, 'tcp/5432'], ...(other ? [[`${id} ${id}`, 'all']] : [])]))
    expect(shapes(drawingOf(matrix(groups, passes)))).toEqual(['within: web0 and 8 more > web0 and 8 more: all', 'lines: web0 and 8 more > db: tcp/5432'])
  })

  test('few groups are drawn apart', () => {
    const drawing = drawingOf(matrix([group('a'), group('b'), group('c')], {'a c': 'all', 'b c': 'all'}))
    expect(drawing.boxes.map(boxName)).toEqual(['a', 'b', 'c'])
    expect(shapes(drawing)).toEqual(['lines: a,b > c: all'])
  })

  test('what passes both ways is one arrow, among any number of groups', () => {
    const names = ['a', 'b', 'c', 'd']
    const all = matrix([...names, 'e'].map((name) => group(name)), passing(names.flatMap((from) => names.filter((to) => to !== from).map((to) => [`${from} ${to}`, 'tcp/80']))))
    expect(shapes(drawingOf(all))).toEqual(['lines: a,b,c,d > a,b,c,d: tcp/80'])
  })

  test('what reaches everyone, and what everyone reaches, is a line in one box, whatever else passes between some', () => {
    const names = Array.from({length: 6}, (_, index) => `s${index}`)
    const groups = [...names.map((name) => group(name)), group('monitor'), group('dns'), group('outside', {type: 'outside', name: 'outside'})]
    const passes = passing([
      ...names.map((name) => [`${name} dns`, 'udp/53']), ['monitor dns', 'tcp/9100 udp/53'], ['outside dns', 'udp/53'],
      ...names.map((name) => [`monitor ${name}`, name === 's3' ? 'tcp/22,9100' : 'tcp/9100']), ['s1 s2', 'tcp/80'],
    ])
    const drawing = drawingOf(matrix(groups, passes))
    expect(saidBy(drawing)).toEqual(saidIn(matrix(groups, passes)))
    const rows = drawing.arrows.flatMap((arrow: Arrow) => (arrow.shape === 'lines' ? [] : (arrow.shape === 'from' ? arrow.receivers : arrow.senders).map((box) => `${boxName(box)} ${rowText(drawing, arrow, box)}`)))
    expect(rows.sort()).toEqual(['dns ← everyone: udp/53', 'monitor → everyone inside: tcp/9100'])
    expect(shapes(drawing).filter((text) => text.startsWith('lines'))).toEqual(['lines: s1 > s2: tcp/80', 'lines: monitor > s3: tcp/22'])
  })

  test('a crowd is called by those who are missing, by its label, or by its number', () => {
    const row = (labels: Partial<MatrixGroup>, missing: number): string => {
      const groups = Array.from({length: 14}, (_, index) => group(`s${index}`, {...(index < 14 - missing ? labels : {}), profiles: [`p${index}`]}))
      // Each reaches one of its own, so that none is like another.
      const passes = passing([...groups.slice(0, 14 - missing).map(({id}) => [`${id} db`, 'tcp/5432']), ...groups.map((one, index) => [`${one.id} x${index}`, `tcp/${index + 1}`])])
      const all = matrix([...groups, ...groups.map((_, index) => group(`x${index}`, {type: 'outside'})), group('db')], passes)
      const drawing = drawingOf(all)
      const arrow = drawing.arrows.find(({flows}) => flows[0] === 'tcp/5432')
      const [box] = arrow?.receivers ?? []
      return arrow && box ? rowText(drawing, arrow, box) : ''
    }
    expect(row({}, 0)).toBe('← everyone inside: tcp/5432')
    expect(row({}, 2)).toBe('← everyone inside but s12 and s13: tcp/5432')
    expect(row({labels: {red: ''}}, 5)).toBe('← 9 groups with red: tcp/5432')
    expect(row({labels: {}}, 5)).toBe('← 9 of 28 groups: tcp/5432')
  })

  test('where there would be more lines than anybody can follow, they are texts: nothing is left out', () => {
    let seed = 7
    const next = (below: number): number => ((seed = (seed * 1103515245 + 12345) & 0x7fffffff), (seed >> 8) % below)
    for (const [size, often] of [[40, 4], [150, 60]] as const) {
      const groups = Array.from({length: size}, (_, index) => group(`g${index}`))
      const all = matrix(groups, passing(groups.flatMap(({id}) => groups.flatMap((to) => (to.id !== id && next(often) === 0 ? [[`${id} ${to.id}`, `tcp/${next(5) + 1}`]] : [])))))
      const drawing = drawingOf(all)
      expect(saidBy(drawing)).toEqual(saidIn(all))
      expect(drawing.arrows.reduce((sum, {shape, senders, receivers}) => sum + (shape === 'lines' ? senders.length + receivers.length : 0), 0)).toBeLessThanOrEqual(Math.max(120, 2.5 * size))
    }
  })
})
