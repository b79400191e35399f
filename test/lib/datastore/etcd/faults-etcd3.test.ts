import {describe} from '@jest/globals'
import {faults} from './faults.contract.js'

describe('by etcd3', () => faults('etcd3'))
