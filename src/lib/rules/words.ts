/** A rule's words, as typed after `inbound` or `outbound` (cli-v0.20 §4.4.5). */

export {judgeRuleWords, type GrammarProblem} from './grammar.js'
