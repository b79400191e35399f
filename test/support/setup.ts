import {Console} from 'node:console'

// oclif prints through console.log; jest swaps `console` for its own, which @oclif/test and our helpers cannot capture.
globalThis.console = new Console({stdout: process.stdout, stderr: process.stderr})
