import {describe} from '@jest/globals'
import {access} from './access.contract.js'

describe('over http2', () => access('http2'))
describe('by etcd3', () => access('etcd3'))
