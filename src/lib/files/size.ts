const UNITS = [['MiB', 1024 * 1024], ['KiB', 1024]] as const

/** BYTES, a limit, as it is said: `4 MiB`; `10 bytes` where it is no whole number of a larger unit. */
export function sizeText(bytes: number): string {
  const unit = UNITS.find(([, size]) => bytes % size === 0 && bytes > 0)
  return unit ? `${bytes / unit[1]} ${unit[0]}` : `${bytes} bytes`
}
