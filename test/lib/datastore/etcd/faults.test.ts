import {describe} from '@jest/globals'
import {faults} from './faults.contract.js'

describe('over http2', () => faults('http2'))
