/** What net-modules calls its parts (mesos-docker §2.2, §2.5), and what the generation before it did. */

export const ISOLATOR = 'com_mesosphere_mesos_NetworkIsolator'
export const HOOK = 'com_mesosphere_mesos_NetworkHook'

export const ISOLATOR_COMMAND = 'isolator_command'
export const IPAM_COMMAND = 'ipam_command'
/** The isolator's parameters, both of which it insists on. */
export const COMMANDS = [ISOLATOR_COMMAND, IPAM_COMMAND] as const

/** Of July 2015, for Mesos 0.23: another protocol. */
export const OLD_MODULES: readonly string[] = ['com_mesosphere_mesos_CalicoIsolator', 'com_mesosphere_mesos_CalicoHook']
export const OLD_PARAMETERS: readonly string[] = ['initialization_command', 'isolate_command', 'cleanup_command']

/** How the library's file is called, whatever its version. */
export const LIBRARY_NAME = 'libmesos_network_isolator'

/** The part that WORD, a wrong name, was probably meant to be. */
export function meantName(word: string): string | undefined {
  const letters = plain(word)
  return [ISOLATOR, HOOK].find((name) => {
    const own = plain(name)
    const short = plain(name.slice(name.lastIndexOf('_') + 1))
    return letters === short || (letters.length >= short.length - 2 && slips(letters, own) <= 3) || (letters.length <= short.length + 2 && slips(letters, short) <= 2)
  })
}

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')

/** Letters to add, take away or replace to make A of B. */
function slips(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return 4
  let row = Array.from({length: b.length + 1}, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) next.push(Math.min((next[j - 1] ?? 0) + 1, (row[j] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row.at(-1) ?? 0
}

/** The entries of a comma separated list, as Mesos reads --isolation and --hooks. */
export const listEntries = (list: string): string[] => list.split(',').map((entry) => entry.trim()).filter((entry) => entry !== '')

/** LIST with NAME at its end; the same text if it has it. */
export const withEntry = (list: string, name: string): string => {
  const entries = listEntries(list)
  return entries.includes(name) ? list : [...entries, name].join(',')
}
