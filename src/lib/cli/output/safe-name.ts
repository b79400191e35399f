/**
 * Whether a shell takes NAME as one word that is neither an option nor code, whatever is done with it: decisions.md 7, and what Calico's own names have besides
 * (`@`, `+`, `%`, `,` and `=`, but not at the beginning).
 */
export const isSafeName = (name: string): boolean => /^[A-Za-z0-9_.:/][A-Za-z0-9_.:/@%+,=-]*$/.test(name)
