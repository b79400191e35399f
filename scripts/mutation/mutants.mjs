/** The mutants of a source file: what a slip of the hand could have made of it. */
import ts from 'typescript'

/** Operators that are easily taken for each other. */
const OTHERS = new Map([
  ['===', '!=='], ['!==', '==='], ['<', '<='], ['<=', '<'], ['>', '>='], ['>=', '>'], ['&&', '||'], ['||', '&&'], ['??', '&&'], ['+', '-'], ['-', '+'], ['*', '+'], ['/', '*'], ['%', '*'],
])

/**
 * @typedef {{from: number, to: number, text: string, line: number, what: string}} Mutant
 * @param {string} source of a TypeScript file
 * @returns {Mutant[]}
 */
export function mutantsOf(source) {
  const file = ts.createSourceFile('file.ts', source, ts.ScriptTarget.ES2023, true)
  /** @type {Mutant[]} */
  const mutants = []
  /** @param {ts.Node} node @param {string} text */
  const add = (node, text) => {
    const from = node.getStart(file)
    mutants.push({from, to: node.end, text, line: file.getLineAndCharacterOfPosition(from).line + 1, what: `${source.slice(from, node.end).replaceAll(/\s+/g, ' ').slice(0, 60)} -> ${text.slice(0, 60)}`})
  }
  /** @param {ts.Node} node */
  const look = (node) => {
    if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isImportDeclaration(node)) return
    if (ts.isBinaryExpression(node)) {
      const other = OTHERS.get(node.operatorToken.getText(file))
      // Texts that are put together are words for people.
      if (other !== undefined && !(other === '-' && /['"`]/.test(node.getText(file)))) add(node.operatorToken, other)
    }
    if (ts.isIfStatement(node) || ts.isConditionalExpression(node)) {
      const condition = ts.isIfStatement(node) ? node.expression : node.condition
      add(condition, `!(${condition.getText(file)})`)
    }
    if (node.kind === ts.SyntaxKind.TrueKeyword) add(node, 'false')
    if (node.kind === ts.SyntaxKind.FalseKeyword) add(node, 'true')
    if (ts.isNumericLiteral(node) || ts.isBigIntLiteral(node)) add(node, ts.isBigIntLiteral(node) ? `(${node.text} + 1n)` : `(${node.text} + 1)`)
    if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) add(node, ';')
    node.forEachChild(look)
  }
  look(file)
  return mutants
}
