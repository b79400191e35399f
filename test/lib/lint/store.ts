/** Stores for tests of lint: keys and values. */
import type {Finding} from '../../../src/lib/lint/finding.js'
import {createLint} from '../../../src/lib/lint/lint.js'
import {KINDS} from '../../../src/lib/model/kinds.js'
import type {Page} from '../../../src/lib/lint/pages.js'

export const RESOURCES = '/calico/resources/v3/projectcalico.org/'

export type Store = Readonly<Record<string, string>>

/** OBJECT, of which only what matters is given, as Calico's client would have stored it below PATH. */
export function stored(path: string, object: object): string {
  const [plural = '', ...names] = path.split('/')
  const info = Object.values(KINDS).find((kind) => kind.plural === plural)
  const [namespace, name = ''] = info?.namespaced && names.length === 2 ? names : [undefined, names.at(-1)]
  const {orchestrator} = (object as {spec?: {orchestrator?: string}}).spec ?? {}
  const labels = info?.kind === 'WorkloadEndpoint' ? {labels: {'projectcalico.org/namespace': namespace, 'projectcalico.org/orchestrator': orchestrator}} : {}
  return JSON.stringify({
    kind: info?.kind ?? 'Unknown',
    apiVersion: 'projectcalico.org/v3',
    metadata: {name, ...(namespace === undefined ? {} : {namespace}), uid: '23df7bce-00f2-4dd7-a79c-a271a36dc84f', creationTimestamp: '2026-11-21T10:04:21Z', ...labels},
    ...object,
  })
}

const INITIAL: Page['example'] = {
  'clusterinformations/default': {spec: {clusterGUID: 'ddeac547ab744b4c9f5142e02b4f4a52', datastoreReady: true}},
  'tiers/default': {spec: {order: 1_000_000, defaultAction: 'Deny'}},
  'tiers/kube-admin': {spec: {order: 1000, defaultAction: 'Pass'}},
  'tiers/kube-baseline': {spec: {order: 10_000_000, defaultAction: 'Pass'}},
}

/** An initialised store with EXAMPLE in it. */
export function exampleStore(example: Page['example']): Store {
  const objects = {...INITIAL, ...example}
  return Object.fromEntries(
    Object.entries(objects).flatMap(([path, object]) => (object === null ? [] : [[path.startsWith('/') ? path : RESOURCES + path, typeof object === 'string' ? object : stored(path, object)]])),
  )
}

/** What lint finds in STORE. */
export function lintOf(store: Store): Finding[] {
  const lint = createLint()
  for (const [key, value] of Object.entries(store)) {
    if (key.startsWith('/calico/resources/')) lint.add(key, value)
    else lint.addOld(key)
  }
  return lint.finish()
}
