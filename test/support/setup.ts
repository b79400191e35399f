import {Console} from 'node:console'

// oclif prints through console.log; jest swaps `console` for its own, which @oclif/test and our helpers cannot capture.
// What a test changes is no business of the user's journal.
process.env.CALICOCTL_JOURNAL ??= 'off'

globalThis.console = new Console({stdout: process.stdout, stderr: process.stderr})
