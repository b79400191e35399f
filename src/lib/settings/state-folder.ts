import {homedir} from 'node:os'

/** The folder of what calicoctl keeps for a user: the embedded store and the journal. A relative XDG_STATE_HOME is none, as its specification says. */
export function stateFolder({XDG_STATE_HOME: xdg}: Readonly<Record<string, string | undefined>>, home: () => string): string {
  return `${xdg?.startsWith('/') ? xdg : `${home()}/.local/state`}/calicoctl`
}

/** The folder of the changes that wait to be confirmed; it is there only while one does. */
export const waitingFolder = (env: Readonly<Record<string, string | undefined>>, home: () => string = homedir): string => `${stateFolder(env, home)}/confirm`
