import {Flags} from '@oclif/core'
import {clusterProblems, presentClusterStatus} from '../lib/views/cluster-status.js'
import {nodeFlag, ownNode} from '../lib/views/node-option.js'
import {ShowCommand} from '../lib/cli/show-command.js'
import {endText, NOT_RUNNING, notRunningDocument, presentStatus} from '../lib/views/status.js'
import {watchRounds} from '../lib/cli/watch.js'
import {clusterNodes} from '../lib/client/cluster-status.js'
import {driverProblems} from '../lib/calico-node/libnetwork-service/state.js'
import {CalicoError} from '../lib/errors.js'
import {nodeStatus, type NotRunning} from '../lib/node-status/status.js'
import type {Session} from '../lib/client/session.js'

const WATCH_INTERVAL_MS = 2_000

export default class Status extends ShowCommand {
  static override summary = 'Show the status of calico-node on this host: container, Felix, BIRD, BGP sessions, endpoints and the driver for Docker networks.'
  static override description = [
    'After the output of v0.20, it prints the readiness of Felix and BIRD, restarts, versions, the datastore, the endpoints that Felix has programmed, the driver for Docker networks, remarks on BGP states, and the problems found. A BGP session in state Passive waits for its peer, which is normal on one side of each pair.',
    'An endpoint is up when Felix has written its file in /var/run/calico/endpoint-status. Only root can query BIRD; other users see the rest, with exit code 2. If the datastore does not answer, the rest is shown, with exit code 10. On a host on which no Docker Engine is installed, it shows the processes that run Felix, BIRD, the datastore and the endpoints.',
    '--all shows every node of the cluster, from the datastore only; neither root nor Docker is required. Felix is shown as silent if its last report has expired. calico/node does not write these reports unless reportingInterval is set.',
  ].join('\n')
  static override examples = ['<%= config.bin %> status', '<%= config.bin %> status -o json', '<%= config.bin %> status --all', '<%= config.bin %> status --watch']
  static exitCodes = {
    0: 'calico-node is running and no problems were found.',
    1: 'The calico-node container is not running, the installed Docker Engine does not answer, or the command line is invalid.',
    2: 'Not run as root: BIRD was not queried; the rest was shown.',
    8: '--node or a variable names a node that is not this host\'s (see /var/lib/calico/nodename).',
    10: 'calico-node is running, but problems were found, for example an installed driver for Docker networks that does not answer.',
    130: 'Interrupted: the end of --watch.',
  }
  static override flags = {
    runtime: Flags.string({description: 'The container runtime. Only docker is supported.', helpValue: 'RUNTIME', default: 'docker'}),
    node: nodeFlag(),
    all: Flags.boolean({description: 'Show every node of the cluster, from the datastore.'}),
    watch: Flags.boolean({char: 'w', description: 'Show the status again every 2 s until Ctrl-C; on a terminal, the screen is cleared each time.'}),
  }

  private watching = false

  async run(): Promise<void> {
    const {flags} = await this.read(Status, (line) => this.checkRuntime(line.flags.runtime))
    const show = flags.all ? () => this.showAll() : this.showNode(flags.node)
    if (!flags.watch) return show()
    this.watching = true
    await this.session() // from now on Ctrl-C ends it with its exit code
    await watchRounds(() => this.round(show), {intervalMs: WATCH_INTERVAL_MS, terminal: process.stdout.isTTY && process.env.TERM !== 'dumb', clear: (text) => this.dataText(text)})
  }

  protected override sessionOptions(): {perRequest: boolean} {
    return {perRequest: this.watching}
  }

  private checkRuntime(runtime: string): void {
    if (runtime === 'rkt') this.problem('--runtime: rkt has been abandoned, and calico/node no longer runs in it. Run calico-node in Docker.')
    else if (runtime !== 'docker') this.problem(`--runtime: '${runtime}' is not a runtime. Give docker.`)
  }

  /** One showing of --watch: what is wrong is said and does not end it. */
  private async round(show: () => Promise<void>): Promise<void> {
    try {
      await show()
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error
      if (error.kind !== 'problems') this.note([error.message, ...error.details])
    }
    if (!process.stdout.isTTY && this.format === 'table') this.data('')
    await this.flush()
  }

  private showNode(option: string | undefined): () => Promise<void> {
    const node = ownNode(option)
    return async () => {
      const root = process.geteuid?.() === 0
      const watched = this.watched()
      const status = await nodeStatus(watched.open, node, {root})
      if (!status.running) return this.showNotRunning(node, status)
      await this.present(presentStatus(status, new Date()))
      await watched.report()
      if (!root) throw new CalicoError('not-root', 'Only root can see the BGP sessions', {hint: 'Run it with sudo; keep its settings with: sudo -E'})
      this.refuse(status.problems)
    }
  }

  private async showNotRunning(node: string, found: NotRunning): Promise<never> {
    if (this.format === 'json' || this.format === 'yaml') await this.present({rows: [], columns: [], name: () => '', document: () => notRunningDocument(node, found)})
    else this.data(NOT_RUNNING)
    throw new CalicoError('failed', 'calico-node does not run on this host', {details: [endText(found.ended), ...driverProblems(found.libnetwork)], hint: 'Start it with: calicoctl node'})
  }

  private async showAll(): Promise<void> {
    const watched = this.watched()
    const nodes = await clusterNodes(await watched.open())
    await this.present(presentClusterStatus(nodes))
    await watched.report()
    this.refuse(clusterProblems(nodes))
  }

  /** The session, and what lint says by the way of what is read through it: a number, on stderr. */
  private watched(): {open: () => Promise<Session>; report: () => Promise<void>} {
    let seen: ReadonlyMap<string, string> | undefined
    return {
      open: async () => {
        const {recording} = await import('../lib/lint/seen.js')
        const session = await this.session()
        const recorded = recording(session.store)
        seen = recorded.seen
        return {...session, store: recorded.store}
      },
      report: async () => {
        if (seen === undefined) return
        const {countErrors} = await import('../lib/lint/seen.js')
        const count = countErrors(seen)
        if (count > 0) this.note(`Warning: ${count} lint ${count === 1 ? 'error' : 'errors'} in the objects that were read. To check the whole datastore: calicoctl lint`)
      },
    }
  }

  private refuse(problems: readonly string[]): void {
    if (problems.length > 0) throw new CalicoError('problems', problems.length === 1 ? '1 problem was found:' : `${problems.length} problems were found:`, {details: problems})
  }
}
