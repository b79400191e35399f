/** Pieces of stdout are gathered up to this many characters: a system call per line would be slow. */
const CHUNK = 64 * 1024

/** stdout, buffered. A reader that goes away (`| head -1`) is no fault: what it does not want is dropped. */
export class Out {
  private pending = ''

  /** Writes TEXT, or keeps it for a while; waits where the reader is slower than we are. */
  async write(text: string): Promise<void> {
    this.pending += text
    if (this.pending.length >= CHUNK) await this.flush()
  }

  async flush(): Promise<void> {
    const text = this.pending
    this.pending = ''
    if (text === '') return
    await new Promise<void>((resolve) => {
      process.stdout.write(text, () => resolve())
    })
  }
}
