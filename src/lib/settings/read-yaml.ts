/** A text as YAML documents, and what is wrong with it in words that repeat nothing of it. Pure. */
import {Composer, type Document, Lexer, type LineCounter, Parser} from 'yaml'

/**
 * Lists and maps inside each other. A configuration file has three levels, Calico's objects have ten. The library goes down by recursion and takes what it throws at
 * the end of the stack for an error of the text; but where V8 compiles a regular expression there, it ends the process.
 */
const DEEPEST = 100

class TooDeep extends Error {}

/** What yaml's Composer takes, and where the beginnings of lines are noted. */
type Options = ConstructorParameters<typeof Composer>[0] & {readonly lineCounter: LineCounter; readonly single?: boolean}

/**
 * The documents of TEXT, each with its errors; as a string, why it is not read: the end of a sentence.
 * @param options.single TEXT is one document, also where it is empty
 */
export function readYaml(text: string, {lineCounter, single = false, ...options}: Options): Document.Parsed[] | string {
  try {
    return [...new Composer({...options, prettyErrors: false, logLevel: 'error'}).compose(tokens(text, lineCounter), single, text.length)] as Document.Parsed[]
  } catch (error) {
    if (error instanceof TooDeep) return `it has more than ${DEEPEST} lists or maps inside each other`
    throw error
  }
}

/** As yaml's `Parser.parse()` does it. @throws TooDeep before anything that is nested too deeply is composed */
function* tokens(text: string, lines: LineCounter): ReturnType<Parser['parse']> {
  const parser = new Parser(lines.addNewLine)
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme)
    // What has been begun and not ended; besides lists and maps, the document and a scalar.
    if (parser.stack.length > DEEPEST && parser.stack.filter((token) => 'items' in token).length > DEEPEST) throw new TooDeep()
  }
  yield* parser.end()
}

/** Characters of a message; one says what is wrong, and need not say it of a whole file. */
const LONGEST_MESSAGE = 200

/** What is wrong with a YAML text, by the parser's error: without what the text has there, which may be long, or a password. */
export function yamlSyntaxText({code, message}: {readonly code: string; readonly message: string}): string {
  if (code === 'TAB_AS_INDENT') return 'a tab at the beginning of a line; indent YAML with spaces'
  if (code === 'TAG_RESOLVE_FAILED') return 'a tag that cannot be resolved; write a string that begins with ! in quotes'
  if (code === 'BAD_DQ_ESCAPE') return 'an escape sequence that is none; write \\\\ for a backslash in double quotes'
  const [first = ''] = message.split('\n', 1)
  // What stands behind a colon is the text itself, or a word of the parser's for what it found there.
  return first.replace(/ at line \d+, column \d+:?$/, '').replace(/(?<!\s)(?:, but found)?: [^]*$/, '').slice(0, LONGEST_MESSAGE)
}
