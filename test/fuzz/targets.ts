/** Every reader of what others wrote, and where its inputs come from. */
import type {Target} from './engine.js'
import {FILES} from './targets/files.js'
import {PROGRAMS} from './targets/programs.js'
import {SECRETS} from './targets/secrets.js'
import {STORED} from './targets/stored.js'
import {WORDS} from './targets/words.js'

export const TARGETS: readonly Target[] = [...PROGRAMS, ...WORDS, ...FILES, ...STORED, ...SECRETS]
