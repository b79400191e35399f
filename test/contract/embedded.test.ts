import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe} from '@jest/globals'
import {LOG_LENGTH} from '../../src/lib/datastore/embedded/state.js'
import {openDatastore} from '../../src/lib/datastore/open.js'
import {datastoreContract} from './datastore.contract.js'
import {fill} from './datastore/contract.js'

describe('embedded', () => {
  datastoreContract(async () => {
    const directory = await mkdtemp(join(tmpdir(), 'calicoctl-embedded-'))
    return {
      open: () => openDatastore({datastore: {type: 'embedded', path: {value: join(directory, 'store.json'), origin: 'the test'}}}, {perRequest: true}),
      // It forgets by itself what is older than the changes it keeps.
      compact: (store) => fill(store, '/elsewhere/', LOG_LENGTH),
      stop: () => rm(directory, {recursive: true}),
    }
  })
})
