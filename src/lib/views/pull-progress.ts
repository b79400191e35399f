import type {PullProgress} from '../docker/images.js'

const WIDTH = 30

/** PROGRESS as one line: a bar by bytes, the layers, the bytes. */
export function progressLine({layers, layersDone, bytes, totalBytes}: PullProgress): string {
  const share = totalBytes === 0 ? 0 : Math.min(1, bytes / totalBytes)
  const filled = Math.round(share * WIDTH)
  return `[${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${layersDone}/${layers} layers, ${megabytes(bytes)} of ${megabytes(totalBytes)} MB`
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1)

/** Shows how far a pull is, on stderr: one line that changes on a terminal, else a line whenever another layer is complete. */
export function pullDisplay(write: (text: string) => void, {terminal}: {terminal: boolean}): {show: (progress: PullProgress) => void; end: () => void} {
  let shown = ''
  let layersDone = 0
  return {
    show(progress) {
      if (terminal) {
        const line = progressLine(progress)
        if (line === shown) return
        shown = line
        write(`\r${line}\x1b[K`)
      } else if (progress.layersDone > layersDone) {
        layersDone = progress.layersDone
        write(`${layersDone} of ${progress.layers} layers, ${megabytes(progress.bytes)} MB\n`)
      }
    },
    end() {
      if (terminal && shown !== '') write('\n')
    },
  }
}
