/** Options that the commands for Mesos agents share. */
import {statSync} from 'node:fs'
import {Flags} from '@oclif/core'
import {CalicoError} from '../errors.js'
import {type HostFiles, hostFiles} from '../mesos/agent/files.js'
import {checked} from '../cli/base-command.js'

export const rootFlag = () => Flags.string({description: 'The root folder of the files, for example of an image. Default: /, the files of this host.', helpValue: 'DIR'})

/** The files below ROOT, the value of --root. @throws CalicoError `invalid` if there is no such folder */
export function hostRoot(root: string | undefined): HostFiles {
  if (root === undefined) return hostFiles('/')
  if (statSync(root, {throwIfNoEntry: false})?.isDirectory() !== true) throw new CalicoError('invalid', `--root: there is no folder ${root}`)
  return hostFiles(root)
}

/** A path of the host's own, for option NAME; with ARGUMENTS, blanks and what follows them are a program's. */
export const absolutePath = (name: string, description: string) =>
  Flags.custom({
    helpValue: 'PATH',
    description,
    parse: checked((text: string) => {
      if (!text.startsWith('/') || /[\u0000-\u001f\u007f]/.test(text)) throw new CalicoError('invalid', `--${name}: '${text}' is not an absolute path`)
      return text
    }),
  })()
