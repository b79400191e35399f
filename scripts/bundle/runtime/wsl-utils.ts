/**
 * Takes the place of wsl-utils, with which oclif asks whether it runs in the Windows Subsystem for Linux, starting a process at load. Nothing here
 * depends on the answer.
 */
export const isWsl = false
