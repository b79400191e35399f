/** Arguments that several commands take, with the checks of their values. */
import {Args} from '@oclif/core'
import {CalicoError} from '../errors.js'
import {checked} from './base-command.js'

/** v0.20's rule for the names of profiles and tags (cli-v0.20 §1.10), with v3's limit of length. */
export function readProfileName(text: string): string {
  if (text.length > 253 || !/^[A-Za-z0-9_.-]+$/.test(text)) {
    throw new CalicoError('invalid', `'${text}' is not a valid profile name: use up to 253 of the letters A-Z and a-z, digits, '_', '.' and '-'.`)
  }
  return text
}

export const profileArgument = () =>
  Args.custom({parse: checked(readProfileName)})({required: true, ignoreStdin: true, description: 'The profile\'s name.'})
