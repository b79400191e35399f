import {CalicoError} from '../../errors.js'

/** A text is no selector. `message` names the place as people count, from 1; `position` is the offset into the text, from 0. */
export class SelectorError extends CalicoError {
  constructor(
    readonly problem: string,
    readonly position: number,
  ) {
    super('invalid', `invalid selector: ${problem} at character ${position + 1}`)
  }
}
