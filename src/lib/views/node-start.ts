/** What `node` says and asks while it starts calico-node (cli-v0.20 §4.3.1). */
import {existsSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {Flags} from '@oclif/core'
import {chooseDriver} from '../calico-node/libnetwork-service/choose.js'
import {driverUnitText, type DriverPlan, refuseOthersDriver, requireNetworkPlugins, startDriver} from '../calico-node/libnetwork-service/service.js'
import {driverStatus} from '../calico-node/libnetwork-service/state.js'
import {systemdRuns} from '../calico-node/libnetwork-service/systemd.js'
import {checkAndPlan, type NodeRequest, planNode, prepareThisHost, writeObjects} from '../calico-node/prepare.js'
import {CONTAINER_NAME, type ContainerPlan, dockerRunLine, ENVIRONMENT_FILE, environmentFile, quoteForShell, systemdUnit, UNIT_FILE} from '../calico-node/container.js'
import type {Candidate} from '../calico-node/autodetect.js'
import {nodeChangeText} from '../calico-node/node-object.js'
import {type NodeOptions, type RawOptions, readNodeOptions} from '../calico-node/options.js'
import {comparePlanned, listed} from '../calico-node/same-container.js'
import {keepNode, runNode} from '../calico-node/start.js'
import {nodeNameInputs} from '../client/node-name.js'
import type {Session} from '../client/session.js'
import {hasImage, pullImage} from '../docker/images.js'
import {containerLifecycle, type Lifecycle} from '../docker/lifecycle.js'
import {CalicoError} from '../errors.js'
import type {PreparationStep} from '../host/preparation.js'
import {requireNetworkAdministrator} from '../host/privileges.js'
import {formatAddress} from '../net/index.js'
import {checked} from '../cli/base-command.js'
import {readDuration} from '../cli/duration.js'
import {HostEditCommand} from '../cli/edit-command.js'
import {noteMade} from '../cli/made.js'
import {chosenNode} from './node-option.js'
import {escapeText} from '../printable.js'
import {paragraph} from '../cli/paragraph.js'
import {pullDisplay} from './pull-progress.js'
import {currentInvocation} from '../cli/invocation.js'

/** calico-node is ready 2 to 4 s after its start; a slow machine takes longer. */
const DEFAULT_WAIT_MS = 60_000

export const waitTimeoutFlag = () => Flags.custom<number>({parse: checked(readDuration('--wait-timeout'))})({description: 'How long --wait waits (2s, 500ms, 1m). Default: 60s.', helpValue: 'TIME'})

/** The options and variables of `node`, checked; what is wrong goes to PROBLEM. */
export const checkedOptions = (flags: RawOptions, problem: (text: string) => void): NodeOptions => readNodeOptions(flags, process.env, problem)

/** The flags that are not options of the node itself. */
export interface StartFlags {
  readonly node?: string | undefined
  readonly replace: boolean
  readonly 'no-pull': boolean
  readonly wait: string
  readonly 'wait-timeout'?: number | undefined
}

const hasIpv6 = (): boolean => existsSync('/proc/sys/net/ipv6')

/** v0.20's lines go to stdout at once: a program may be waiting for one of them. */
const say = (lines: string | readonly string[]): void => currentInvocation().stdout((typeof lines === 'string' ? [lines] : lines).map((line) => `${escapeText(line)}\n`).join(''), () => undefined)

export abstract class NodeCommand extends HostEditCommand {
  /** Prints the unit of the same node. */
  protected async printUnit(options: NodeOptions, flags: StartFlags): Promise<void> {
    const request = await this.request(options, flags)
    const {plan} = await planNode(request, undefined, this.asking())
    const driver = this.driverPlan(request, {systemd: true})
    say([`# ${UNIT_FILE}`, ...systemdUnit(plan).split('\n'), `# ${ENVIRONMENT_FILE}`, ...environmentFile(plan).split('\n')])
    if (driver) say(driverText(driver, options).split('\n'))
    this.note('Nothing was changed. Before its first start, prepare host and datastore with the same options and --runtime=none.')
  }

  /** Starts the node, or, with runtime none, prepares everything for it. */
  protected async start(options: NodeOptions, flags: StartFlags): Promise<void> {
    if (!this.dryRun) requireNetworkAdministrator('calicoctl node')
    const request = await this.request(options, flags)
    const engine = options.runtime === 'docker' ? containerLifecycle() : undefined
    const session = await this.session()
    await engine?.ping()
    if (engine && options.libnetwork) await requireNetworkPlugins()
    const {plan, wanted} = await checkAndPlan(session, request, this.asking())
    const driver = this.driverPlan(request, {systemd: systemdRuns()})
    if (driver) refuseOthersDriver(await driverStatus({engine: engine !== undefined}))
    for (const step of await prepareThisHost(request, {dryRun: this.dryRun})) this.note(stepText(step, this.dryRun))
    const {node, pools} = await writeObjects(session, request, wanted)
    await this.report([node], {detail: nodeChangeText(node)})
    await this.report(pools)
    if (this.dryRun) {
      if (engine) await this.showContainer(plan, options)
      if (driver) this.data(driverText(driver, options).split('\n'))
      return
    }
    await withWrites(session, async () => {
      if (driver?.form === 'container' && engine) await this.ensureDriverImage(session, driver.container.image, options, flags)
      const startDriver = driver && (() => this.runDriver(session, engine, driver))
      // In the foreground the container's run ends with the container.
      const foreground = engine !== undefined && !options.detach
      if (engine) await this.runContainer(session, engine, plan, options, flags, foreground ? startDriver : undefined)
      if (!foreground) await startDriver?.()
    })
  }

  /** What a real run would do with the container. */
  private async showContainer(plan: ContainerPlan, options: NodeOptions): Promise<void> {
    const {keep, found, differences} = await comparePlanned(plan)
    if (keep) {
      this.note(`The container ${CONTAINER_NAME} is already running and would not be changed.`)
      return
    }
    if (found) this.note([`The container ${CONTAINER_NAME} would be replaced.`, ...listed('Differences:', differences)])
    this.data(dockerRunLine(plan, options).split('\n'))
  }

  /** The driver for Docker networks that REQUEST asks for. */
  private driverPlan({node, options, settings, inContainer}: NodeRequest, {systemd}: {systemd: boolean}): DriverPlan | undefined {
    if (!options.libnetwork || settings.datastore.type !== 'etcd') return undefined
    return chooseDriver({
      node,
      etcd: settings.datastore,
      expectCluster: settings.expectCluster?.value,
      env: process.env,
      image: options.libnetwork.image,
      systemd: systemd && !inContainer,
      engine: options.runtime === 'docker',
      program: {node: process.execPath, entry: join(this.packageFolder, 'bin/run.js'), version: this.config.version},
    })
  }

  /** The program's root is its folder dist. */
  private get packageFolder(): string {
    return dirname(this.config.root)
  }

  /**
   * Has the driver's image before anything is stopped. Only one that the user named is pulled: no one publishes the default one, so that whatever a registry
   * has under its name is another owner's.
   */
  private async ensureDriverImage(session: Session, image: string, options: NodeOptions, flags: StartFlags): Promise<void> {
    const named = options.libnetwork?.image !== undefined
    try {
      if (named && !flags['no-pull']) await this.ensureImage(session, image)
      if (await hasImage(image)) return
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error
      throw this.noDriverImage(image, [error.message, ...error.details])
    }
    throw this.noDriverImage(image, [])
  }

  private noDriverImage(image: string, details: readonly string[]): CalicoError {
    return new CalicoError('not-found', `The image of the driver for Docker networks, ${image}, is not on this host; no container was changed`, {
      details,
      hint: `Build it with: docker build -t ${image} ${quoteForShell(this.packageFolder)}`,
    })
  }

  private async runDriver(session: Session, engine: Lifecycle | undefined, driver: DriverPlan): Promise<void> {
    const before = session.writes.undo
    session.writes.undo = async () => [...(before ? [await before()] : []), 'The start of the driver for Docker networks was interrupted. To complete it, run the same command again.'].join(' ')
    try {
      const {id, notes} = await startDriver(engine, driver)
      for (const text of notes) this.note(text)
      noteMade('the driver for Docker networks')
      say(`Calico libnetwork driver is running with id: ${id}`)
    } finally {
      session.writes.undo = before
    }
  }

  private async request(options: NodeOptions, {node, replace}: StartFlags): Promise<NodeRequest> {
    const name = chosenNode(node, (text) => this.note(text))
    const ownName = replace || nodeNameInputs().file?.toLowerCase() === name
    return {node: name, options, settings: await this.settings(), ownName, inContainer: Boolean(process.env.CALICO_CTL_CONTAINER), hasIpv6: hasIpv6()}
  }

  private asking() {
    const terminal = this.asks
    const ask = async (question: string, candidates: readonly Candidate[]): Promise<Candidate> => {
      const {askOne} = await import('../cli/ask-one.js')
      return this.offTheClock(() => askOne(question, candidates.map((value) => ({name: `${formatAddress(value.address)} on ${value.interfaceName}`, value}))))
    }
    return {note: (text: string) => this.note(text), ask: terminal ? ask : undefined}
  }

  /** Makes the container run. THEN is done once it is ready; in the foreground, that is long before this returns. */
  private async runContainer(session: Session, engine: Lifecycle, plan: ContainerPlan, options: NodeOptions, flags: StartFlags, then?: () => Promise<void>): Promise<void> {
    if (!flags['no-pull']) await this.ensureImage(session, plan.image)
    const before = await comparePlanned(plan)
    const common = {
      detach: options.detach,
      want: flags.wait === 'started' ? ('started' as const) : ('ready' as const),
      timeoutMs: flags['wait-timeout'] ?? DEFAULT_WAIT_MS,
      networking: options.networking,
      onLine: say,
      onReady: async () => {
        this.note(flags.wait === 'started' ? 'calico-node has started.' : options.networking ? 'Felix and BIRD are ready.' : 'Felix is ready; without networking there is no BIRD.')
        await then?.()
      },
      note: (text: string) => this.note(text),
    }
    if (before.keep && before.found) return keepNode(session, engine, before.found, {...common, onStarted: (id) => say(`Calico node is running with id: ${id}`)})
    say(['Running Docker container with the following command:', '', ...dockerRunLine(plan, options).split('\n'), ''])
    const onStarted = (id: string): void => {
      noteMade('the container calico-node')
      say([`Calico node is running with id: ${id}`, 'Waiting for successful startup'])
    }
    await runNode(session, engine, plan, before, {...common, onStarted})
  }

  private async ensureImage(session: Session, image: string): Promise<void> {
    if (await hasImage(image)) return
    say(paragraph(`Pulling Docker image ${image}`))
    const display = pullDisplay((text) => this.stderrText(text), {terminal: this.invocation.line === undefined && process.stderr.isTTY && process.env.TERM !== 'dumb'})
    session.writes.undo = () => Promise.resolve('The pull of the image was cancelled; no container was changed.')
    try {
      await pullImage(image, display.show)
    } finally {
      session.writes.undo = undefined
      display.end()
    }
  }
}

const driverText = (driver: DriverPlan, options: NodeOptions): string => (driver.form === 'unit' ? driverUnitText(driver) : dockerRunLine(driver.container, options))

function stepText({what, result, why = ''}: PreparationStep, dryRun: boolean): string {
  switch (result) {
    case 'done':
      return `${what}: ${dryRun ? 'would be done' : 'done'}`
    case 'already':
      return `${what}: already done`
    case 'failed':
      return `Warning: ${what}: not possible (${why.trim()}); continuing without it`
  }
}

/** Does WORK; an error of it says what had been written before. */
async function withWrites(session: Session, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof CalicoError) || session.writes.done.length === 0) throw error
    const {kind, message, details, hint} = error
    throw new CalicoError(kind, message, {details: [...details, `Already written, and kept: ${session.writes.done.join(', ')}.`], ...(hint === undefined ? {} : {hint}), cause: error})
  }
}
