/** The options by which `policy matrix` and `policy picture` are narrowed. */
import type {MatrixOptions} from '../../policy/matrix.js'
import {findParty} from '../../policy/probe.js'
import type {World} from '../../policy/world.js'

/** FLAGS with their words looked up in WORLD. @throws CalicoError as `findParty` */
export function matrixOptions(world: World, {from, to, protocol}: {readonly from?: string | undefined; readonly to?: string | undefined; readonly protocol?: number | undefined}): MatrixOptions {
  return {
    ...(from === undefined ? {} : {from: findParty(world, from)}),
    ...(to === undefined ? {} : {to: findParty(world, to)}),
    ...(protocol === undefined ? {} : {protocol}),
  }
}
