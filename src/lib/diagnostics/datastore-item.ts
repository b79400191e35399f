/** Everything of Calico's in the datastore, as YAML by kind and as v0.20's table, without secrets (cli-v0.20 §4.10). */
import type {KeyValue, Revision} from '../datastore/datastore.js'
import {stringifyJson, stringifyYaml, tryParseJson} from '../json/index.js'
import {IPAM_PREFIX, RESOURCES_PREFIX} from '../model/keys.js'
import {CALICO_PREFIX} from '../client/cluster.js'
import type {Session} from '../client/session.js'
import {type Collected, type Content, failureText, type Item} from './item.js'
import {redactText, redactValue, type Secrets} from '../redact.js'

/** The table's file, as v0.20 called it. */
const TABLE = 'etcd_calico'

export function datastoreItem(open: () => Promise<Session>, secrets: Secrets): Item {
  return {name: 'datastore', progress: {line: 'Dumping datastore'}, timeLimitMs: 60_000, collect: () => dump(open, secrets)}
}

async function dump(open: () => Promise<Session>, secrets: Secrets): Promise<Collected> {
  const table = ['dir?, key, value']
  const documents = new Map<string, unknown[]>()
  try {
    const session = await open()
    let revision: Revision | undefined
    for await (const page of session.store.list(CALICO_PREFIX)) {
      revision = page.revision
      for (const kv of page.entries) {
        const value = storedValue(kv, secrets)
        table.push(`FILE, ${oneLine(redactText(kv.key, secrets))}, ${oneLine(typeof value === 'string' ? value : stringifyJson(value))}`)
        const path = fileOf(kv.key)
        const list = documents.get(path) ?? []
        documents.set(path, list)
        list.push(documentOf({...kv, key: redactText(kv.key, secrets)}, value))
      }
    }
    const files: Content[] = []
    for (const [path, list] of documents) files.push({path, text: (await Promise.all(list.map(yamlText))).join(''), redacted: true})
    return {files: [{path: TABLE, text: `${table.join('\n')}\n`, redacted: true}, ...files, {path: 'datastore/revision', text: `${revision ?? 'unknown'}\n`}]}
  } catch (error) {
    const why = failureText(error)
    return {missing: why, files: [{path: TABLE, text: `${[...table, redactText(why, secrets)].join('\n')}\n`, redacted: true}]}
  }
}

/** DOCUMENT as YAML, or, where it is nested too deeply for that, as JSON, which is YAML too. */
const yamlText = async (document: unknown): Promise<string> => `---\n${await stringifyYaml(document).catch(() => `${stringifyJson(document)}\n`)}`

function storedValue({value}: KeyValue, secrets: Secrets): unknown {
  const parsed = tryParseJson(value)
  return 'value' in parsed ? redactValue(parsed.value, secrets) : redactText(value, secrets)
}

/** Keys and texts come from anybody: one line each. */
const oneLine = (text: string): string => text.replaceAll('\n', '\\n')

/** The file for what lies at KEY: one for each kind. */
function fileOf(key: string): string {
  const [folder, rest] = key.startsWith(RESOURCES_PREFIX)
    ? ['datastore', key.slice(RESOURCES_PREFIX.length)]
    : key.startsWith(IPAM_PREFIX)
      ? ['datastore/ipam', key.slice(IPAM_PREFIX.length)]
      : ['datastore', '']
  const kind = rest.split('/', 1)[0] ?? ''
  return `${folder}/${/^[a-z0-9]{1,64}$/.test(kind) ? kind : 'other'}.yaml`
}

/** A resource as other tools show it; anything else with its key. */
function documentOf({key, modRevision}: KeyValue, value: unknown): unknown {
  const {metadata} = (typeof value === 'object' && value !== null ? value : {}) as {metadata?: object}
  if (!key.startsWith(RESOURCES_PREFIX) || typeof metadata !== 'object') return {key, revision: modRevision, value}
  return {...(value as object), metadata: {...metadata, resourceVersion: modRevision.toString()}}
}
