import {currentInvocation} from './invocation.js'
import {OutputError} from './made.js'

/** Pieces of stdout are gathered up to this many characters: a system call per line would be slow. */
const CHUNK = 64 * 1024

/** stdout, buffered. A reader that goes away (`| head -1`) is no fault: what it does not want is dropped. */
export class Out {
  private readonly invocation = currentInvocation()
  private pending = ''
  private failure: OutputError | undefined

  /** Writes TEXT, or keeps it for a while; waits where the reader is slower than we are. @throws OutputError as {@link flush} */
  async write(text: string): Promise<void> {
    this.pending += text
    if (this.pending.length >= CHUNK) await this.flush()
  }

  /** The same for who does not wait: a failure is reported by the next flush. */
  add(text: string): void {
    this.write(text).catch(() => undefined)
  }

  /** @throws OutputError if what was kept, or something before it, could not be written: the disk is full, for example */
  async flush(): Promise<void> {
    const text = this.pending
    this.pending = ''
    if (this.failure) throw this.failure
    if (text === '') return
    const error = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
      this.invocation.stdout(text, resolve)
    })
    if (!error || error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') return
    this.failure = new OutputError(error)
    throw this.failure
  }
}
