/** Waits for an event that does not report itself, by looking again and again. */
const PAUSE_MS = 20
/** Long: it only says when a test hangs. A busy machine takes its time. */
const LIMIT_MS = 60_000

/**
 * Waits until HOLDS.
 * @throws Error naming WHAT if that takes longer than LIMIT_MS
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limitMs = LIMIT_MS): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`)
    await new Promise((resume) => setTimeout(resume, PAUSE_MS))
  }
}
