/** The Mesos plugin, a chunk of its own: it needs neither oclif nor most of the commands' code, and the agent waits for it. Loaded by bin/mesos-plugin.js. */
import {pjson} from 'bundle:manifest'
import {answer, type Answer} from '../../../src/mesos.js'

/** Answers REQUEST, all of stdin. */
export const answerMesos = (request: string): Promise<Answer> => answer(request, pjson.version)
