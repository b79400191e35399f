/** Unit or container: how the driver is to run on this host. Pure. */
import {CalicoError} from '../../errors.js'
import {defaultDriverImage, type DriverInputs, driverVariables, planDriverContainer} from './plan.js'
import type {DriverPlan} from './service.js'
import type {DriverProgram} from './unit.js'

export interface DriverWish extends DriverInputs {
  /** The value of --libnetwork-image: a container, wherever it runs. */
  readonly image: string | undefined
  /** Systemd runs this host, and this program may change it. */
  readonly systemd: boolean
  /** Containers may be run. */
  readonly engine: boolean
  readonly program: DriverProgram
}

/** A unit where systemd runs, since it is there before Docker and after it; else, or where an image is named, a container. @throws CalicoError `invalid` */
export function chooseDriver(wish: DriverWish): DriverPlan {
  const {image, systemd, engine, program} = wish
  if (image === undefined && systemd) return {form: 'unit', program, variables: driverVariables(wish)}
  if (!engine) {
    throw new CalicoError('invalid', '--libnetwork: with --runtime=none, the driver for Docker networks requires systemd, and this host does not run systemd', {
      hint: 'Omit --runtime=none, or start the driver yourself: calicoctl libnetwork serve',
    })
  }
  return {form: 'container', container: planDriverContainer({...wish, image: image ?? defaultDriverImage(program.version)})}
}
