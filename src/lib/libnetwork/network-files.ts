/** One file per Docker network with what Docker sent when it was made: `<network id>.json`, only root's. */
import {chmodSync, lstatSync, readdirSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {z} from 'zod'
import {CalicoError} from '../errors.js'
import {makeFolder, OPEN_FOLDER, PRIVATE_FOLDER} from '../files/folder.js'
import {fileReason, readTextFile} from '../files/read.js'
import {replaceFile} from '../files/replace.js'
import type {Log} from './log.js'
import {createNetwork, type CreateNetworkRequest} from './protocol.js'

/** What is known of a network. */
export interface RememberedNetwork {
  /** Undefined until Docker has reported it: it does not with the request. */
  readonly name: string | undefined
  readonly request: CreateNetworkRequest
}

export interface NetworkFiles {
  /** Undefined if there is none, or, which is reported, none that can be read. */
  read(id: string): RememberedNetwork | undefined
  /** @throws CalicoError `failed` */
  write(network: RememberedNetwork): Promise<void>
  /** There may be none. @throws CalicoError `failed` */
  remove(id: string): void
  ids(): string[]
}

/** Where they are. */
export const NETWORKS_FOLDER = '/var/lib/calico/calicoctl/networks'

const VERSION = 1
const FILE = z.object({version: z.literal(VERSION), name: z.string().optional(), request: createNetwork})
const FILE_NAME = /^([0-9a-z]{25,64})\.json$/

export function networkFiles(folder: string, log: Log): NetworkFiles {
  const pathOf = (id: string): string => join(folder, `${id}.json`)
  return {
    read(id) {
      const path = pathOf(id)
      try {
        const {name, request} = FILE.parse(JSON.parse(readTextFile(path, {noLinks: true})))
        if (request.NetworkID !== id) throw new Error(`it belongs to the network ${request.NetworkID}`)
        return {name, request}
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        log.warn(`${path} cannot be used; Docker is queried instead: ${error instanceof z.ZodError ? z.prettifyError(error) : fileReason(error)}`)
        return undefined
      }
    },
    async write({name, request}) {
      const path = pathOf(request.NetworkID)
      try {
        prepareFolder(folder)
        await replaceFile(path, `${JSON.stringify({version: VERSION, ...(name === undefined ? {} : {name}), request})}\n`, {mode: 0o600})
      } catch (error) {
        throw failed(path, 'written', error)
      }
    },
    remove(id) {
      try {
        rmSync(pathOf(id), {force: true})
      } catch (error) {
        throw failed(pathOf(id), 'removed', error)
      }
    },
    ids() {
      try {
        return readdirSync(folder).flatMap((name) => FILE_NAME.exec(name)?.[1] ?? [])
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.warn(`${folder} cannot be read: ${(error as Error).message}`)
        return []
      }
    },
  }
}

/** Makes FOLDER, and makes sure that it is one, only for its owner. The folders above it are calico-node's and stay open to others. */
function prepareFolder(folder: string): void {
  makeFolder(folder, {mode: PRIVATE_FOLDER, parents: OPEN_FOLDER})
  if (!lstatSync(folder).isDirectory()) throw new Error(`${folder} is not a folder`)
  chmodSync(folder, PRIVATE_FOLDER)
}

const failed = (path: string, what: string, error: unknown): CalicoError =>
  new CalicoError('failed', `${path}, which stores Docker's settings of the network, cannot be ${what}: ${fileReason(error)}`, {cause: error})
