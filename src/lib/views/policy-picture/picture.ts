/** `policy picture`: in which format it is drawn, and where it goes. */
import {CalicoError} from '../../errors.js'
import {fileReason} from '../../files/read.js'
import {replaceFile} from '../../files/replace.js'
import type {Matrix} from '../../policy/matrix.js'
import {dotText} from './dot.js'
import {drawingOf} from './drawing.js'
import {placed} from './layout.js'
import {htmlPage} from './page.js'
import {svgImage} from './svg.js'

const FORMATS = ['html', 'svg', 'dot'] as const

export interface Target {
  readonly format: (typeof FORMATS)[number]
  /** Undefined: stdout. */
  readonly file?: string
}

/** What `-o TEXT` asks for: a format, or a file by its ending. @throws CalicoError `invalid` */
export function parseTarget(text: string): Target {
  const named = FORMATS.find((format) => format === text)
  if (named) return {format: named}
  const format = FORMATS.find((ending) => text.toLowerCase().endsWith(`.${ending}`))
  if (format === undefined) throw new CalicoError('invalid', `-o ${text}: give a file whose name ends with .html, .svg or .dot, or html, svg or dot for stdout. A table or JSON is printed by calicoctl policy matrix.`)
  return {format, file: text}
}

export interface Picture {
  /** In its format, complete and escaped. */
  readonly text: string
  /** What was drawn, in numbers. */
  readonly boxes: number
  readonly arrows: number
}

/** MATRIX drawn in FORMAT: the same for the same matrix, to the byte. */
export function pictureOf(matrix: Matrix, format: Target['format']): Picture {
  const drawing = drawingOf(matrix)
  const numbers = {boxes: drawing.boxes.length, arrows: drawing.arrows.length}
  if (format === 'dot') return {text: dotText(drawing), ...numbers}
  const layout = placed(drawing)
  return {text: format === 'svg' ? svgImage(drawing, layout) : htmlPage(matrix, drawing, layout), ...numbers}
}

/** Makes TEXT be what FILE holds. @throws CalicoError `failed` */
export async function writePicture(file: string, text: string): Promise<void> {
  try {
    await replaceFile(file, text)
  } catch (error) {
    throw new CalicoError('failed', `${file} cannot be written: ${fileReason(error, {written: true})}; there is no new picture`, {cause: error})
  }
}
