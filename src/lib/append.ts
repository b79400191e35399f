/**
 * Puts ITEMS at the end of LIST. Instead of a push of `...items`, which puts every item on the stack and fails at some 120,000 of them:
 * how many there are is the data's affair.
 */
export function append<T>(list: T[], items: Iterable<T>): void {
  for (const item of items) list.push(item)
}
