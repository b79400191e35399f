/** The worlds that are simulated. */
import type {World} from '../simulation.js'
import {addresses} from './addresses.js'
import {batches} from './batches.js'
import {confirm} from './confirm.js'
import {containers} from './containers.js'
import {docker} from './docker.js'
import {editors} from './editors.js'

export const WORLDS: readonly World[] = [editors, addresses, batches, confirm, containers, docker]
