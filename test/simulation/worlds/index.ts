/** The worlds that are simulated. */
import type {World} from '../simulation.js'
import {editors} from './editors.js'

export const WORLDS: readonly World[] = [editors]
