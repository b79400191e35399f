/** node:timers/promises of a simulation. */
export {sleep as setTimeout} from '../virtual-time.js'
