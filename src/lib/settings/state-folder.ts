/** The folder of what calicoctl keeps for a user: the embedded store and the journal. A relative XDG_STATE_HOME is none, as its specification says. */
export function stateFolder({XDG_STATE_HOME: xdg}: Readonly<Record<string, string | undefined>>, home: () => string): string {
  return `${xdg?.startsWith('/') ? xdg : `${home()}/.local/state`}/calicoctl`
}
