/** Work that concerns the same thing, one after another. */
export interface KeyedQueue {
  /** Does WORK when all that was given under KEY before has ended, well or not; at once without a key. */
  run<T>(key: string | undefined, work: () => Promise<T>): Promise<T>
}

export function keyedQueue(): KeyedQueue {
  const last = new Map<string, Promise<unknown>>()
  return {
    run(key, work) {
      if (key === undefined) return work()
      const before = last.get(key)
      const own = before === undefined ? work() : before.then(work)
      const ended = own.catch(() => undefined).then(() => {
        if (last.get(key) === ended) last.delete(key)
      })
      last.set(key, ended)
      return own
    },
  }
}
