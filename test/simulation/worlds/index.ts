/** The worlds that are simulated. */
import type {World} from '../simulation.js'
import {addresses} from './addresses.js'
import {editors} from './editors.js'

export const WORLDS: readonly World[] = [editors, addresses]
