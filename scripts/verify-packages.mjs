/**
 * npm run verify:packages [-- PART …]: the packages where they are used. It takes about fifteen minutes, root, and Debian's archive and the npm registry.
 *
 * deb: a bare Debian, of the oldest release that can be had and of the one before last: dpkg -i, the main job on an etcd outside, calico_mesos without an
 *   environment, the manual and completion in their places, a configuration file that was there before, an upgrade, removal; what their scripts ask of
 *   systemctl, which is a stand-in.
 * rpm: into an empty root; its scripts in a bare Debian.
 * same: two builds of the packages are the same bytes; V8's code caches may differ, and are named.
 * arm64: the packages for arm64 have that Node, no code caches of another one, and say which machine they are for. They are not run.
 * lint: lintian and rpmlint have nothing to say that is not explained (scripts/package/files/lintian-overrides, scripts/package/rpmlint.toml).
 * node: on each Node that `engines` admits, npm's package installed by that Node's npm: the main job, the driver's answers and addresses, the plugin's, and the
 *   tests of prompts and TLS.
 */
import {execFileSync, spawn, spawnSync} from 'node:child_process'
import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {request} from 'node:http'
import {createServer} from 'node:net'
import {tmpdir} from 'node:os'
import {join, resolve} from 'node:path'
import {fetchNode, OWN_NODE} from './package/node.mjs'
import {installDebianPackages} from './packages.mjs'
import {MAIN_JOB} from './main-job.mjs'

const ROOT = resolve(import.meta.dirname, '..')
const CACHE = join(ROOT, '.cache')
const OUT = join(CACHE, 'verify-packages')
const ARCHIVE = 'http://deb.debian.org/debian'
/** bullseye is the oldest release that Debian's archive still serves. */
const RELEASES = ['bookworm', 'bullseye']
/** The Nodes that `engines` was tested with: the newest of each line that npm has. @type {Readonly<Record<string, import('./package/node.mjs').Pinned>>} */
const NODES = {
  20: {version: '20.20.2', integrity: 'sha512-PeHQM8wAdmHtZA1mBocygZxs5LiUWtsJezQTkBd0iY987KpGrD1O2tVEydvMZiuXceRanxt7rjTnDEBwOPujoQ=='},
  22: {version: '22.23.5', integrity: 'sha512-3jhC+wcoWxKZxcRqF2sUSl0c9HEXFnur/nuIPx6O6CWKV0jOUWQm7Htw5SuXqqlMCEhi0cJqybFPEb5hhcBiMw=='},
  24: OWN_NODE.x64,
  26: {version: '26.12.1', integrity: 'sha512-jk5LMAmgHlPlPMWpsUrSOqNaEZG+11UNd35hWQ+p5/XGaelWuTqJ69IcAy/5xtPPN4d5ZRBNOGB6gLMCh2kL9A=='},
}
/** What is typed on a terminal, and TLS: tests of the project, of which these are run on each Node. */
const NODE_TESTS = {files: ['test/e2e/prompt.test.ts', 'test/e2e/faults.test.ts'], names: 'on a terminal|without a terminal|refused: TLS'}
const UNIT = 'calico-libnetwork.service'
/**
 * Stands for systemctl: a unit is a file in /run/units if it is active, and /run/calls has each call. What it knows of systemd: try-restart and restart start
 * a process anew, try-restart only one that runs; stop and `disable --now` end it.
 */
const SYSTEMCTL = `#!/bin/sh
echo "$*" >>/run/calls
now=; verb=; unit=
for word; do case $word in --now) now=1 ;; -*) ;; *) if [ -z "$verb" ]; then verb=$word; else unit=$word; fi ;; esac; done
active=/run/units/$unit
case $verb in
  daemon-reload) ;;
  is-enabled) [ -e $active ] && echo enabled ;;
  is-active) [ -e $active ] ;;
  try-restart) [ ! -e $active ] || echo again >>$active ;;
  start|restart) echo again >>$active ;;
  stop) rm -f $active ;;
  disable) [ -z "$now" ] || rm -f $active ;;
  *) echo "systemctl $verb is not stood in for" >&2; exit 1 ;;
esac
`
/** A profile as v0.20 left it in etcd. */
const OLD_PROFILE = {
  tags: '["old"]',
  labels: '{}',
  rules: '{"id": "old", "inbound_rules": [{"action": "allow", "protocol": "tcp", "dst_ports": [80]}], "outbound_rules": [{"action": "allow"}]}',
}
const PARTS = {deb: debs, rpm, same, arm64, lint, node: nodes}

const {version} = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const DEB = join(OUT, `calicoctl_${version}-1_amd64.deb`)
const RPM = join(OUT, `calicoctl-${version}-1.x86_64.rpm`)
const counts = {passed: 0, failed: 0}

if (process.geteuid?.() !== 0) throw new Error('npm run verify:packages needs root: it makes root folders of other systems')
if (!installDebianPackages([['debootstrap', 'debootstrap'], ['rpmbuild', 'rpm'], ['lintian', 'lintian'], ['rpmlint', 'rpmlint'], ['etcd', 'etcd-server'], ['etcdctl', 'etcd-client']])) process.exit(1)
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in PARTS))
if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(', ')}: ${Object.keys(PARTS).join(', ')}`)
// CALICOCTL_PACKAGES=there: those of the run before, for work on these checks. The parts `node` and `arm64` do not need them.
if ((asked.length === 0 || asked.some((name) => name !== 'node' && name !== 'arm64')) && (process.env.CALICOCTL_PACKAGES !== 'there' || !existsSync(DEB))) makePackages(OUT)
for (const [name, part] of Object.entries(PARTS)) if (asked.length === 0 || asked.includes(name)) await part()
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1

/** @param {string} out @param {'x64' | 'arm64'} [arch] */
function makePackages(out, arch = 'x64') {
  rmSync(out, {recursive: true, force: true})
  execFileSync(process.execPath, [join(ROOT, 'scripts/package.mjs'), '--arch', arch, '--out', out], {stdio: 'inherit'})
}

/** Runs CHECK, and counts. @param {string} name @param {() => void | Promise<void>} check */
async function check(name, check) {
  try {
    await check()
    counts.passed++
    console.log(`✓ ${name}`)
  } catch (error) {
    counts.failed++
    console.log(`✗ ${name}\n${error instanceof Error ? error.message : String(error)}`)
  }
}

/** @param {string} what @param {unknown} found @param {unknown} expected */
function mustBe(what, found, expected) {
  if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`)
}

async function debs() {
  for (const release of RELEASES) {
    const etcd = await startEtcd()
    try {
      await debianRelease(release, etcd)
    } finally {
      etcd.stop()
    }
  }
}

/** @param {string} release @param {{endpoint: string}} etcd */
async function debianRelease(release, {endpoint}) {
  const root = mkdtempSync(join(tmpdir(), `calicoctl-${release}-`))
  try {
    execFileSync('cp', ['-a', `${bareDebian(release)}/.`, root]) // with its devices
    const inside = insideOf(root)
    const before = inside('find / -xdev -type f -o -xdev -type l | grep -vE "^/(proc|sys|dev|tmp|var/lib/dpkg|var/log|var/cache)/" | sort').stdout
    cpSync(DEB, join(root, 'calicoctl.deb'))
    const own = '# mine\napiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\n'
    await check(`${release}: dpkg -i, without Node and without a terminal`, () => {
      mustBe('node', inside('command -v node').status, 127)
      mustBe('dpkg', inside('dpkg -i /calicoctl.deb').status, 0)
    })
    await check(`${release}: the main job on an etcd outside`, () => {
      for (const line of MAIN_JOB) {
        const {status, stdout, stderr} = inside(`calicoctl ${line}`, {ETCD_ENDPOINTS: endpoint})
        if (status !== 0 || (line !== MAIN_JOB[0] && stderr.includes('Warning'))) throw new Error(`calicoctl ${line}: ${status}\n${stdout}${stderr}`)
      }
      mustBe('rules', inside('calicoctl profile backend rule show', {ETCD_ENDPOINTS: endpoint}).stdout, 'Inbound rules:\n   1 allow from tag backend\n   2 allow tcp from tag frontend to ports 9000\nOutbound rules:\n   1 allow\n')
      mustBe('embedded', inside('calicoctl --datastore embedded profile add web').status, 0)
    })
    await check(`${release}: the rights, and the way over from v0.20, asked on a terminal`, async () => {
      mustBe('grants', inside('calicoctl config grants --role operator', {ETCD_ENDPOINTS: endpoint}).stdout.split('\n')[0], 'etcdctl role add calico-operator')
      for (const [name, value] of Object.entries(OLD_PROFILE)) await fetch(`${endpoint}/v2/keys/calico/v1/policy/profile/old/${name}`, {method: 'PUT', body: new URLSearchParams({value})})
      const line = `calicoctl import --etcd-v2 ${endpoint}`
      const dry = inside(`${line} --dry-run`, {ETCD_ENDPOINTS: endpoint})
      mustBe('plan', [dry.status, /\| Profile +\| old +\| created/.test(dry.stdout)], [0, true])
      mustBe('before', inside('calicoctl profile old rule show', {ETCD_ENDPOINTS: endpoint}).status, 4)
      const {status, screen} = await answered(root, line, {ETCD_ENDPOINTS: endpoint})
      if (status !== 0) throw new Error(`${line}: ${status}\n${screen}`)
      mustBe('after', inside('calicoctl profile old rule show', {ETCD_ENDPOINTS: endpoint}).stdout, 'Inbound rules:\n   1 allow tcp to ports 80\nOutbound rules:\n   1 allow\n')
    })
    await check(`${release}: calico_mesos without an environment`, () => {
      mustBe('answer', inside('echo "{}" | env -i /usr/bin/calico_mesos').stdout, '{"error":"Missing command"}')
      // What is in the agent's environment is nothing: the configuration file names the datastore.
      writeFileSync(join(root, 'etc/calico/calicoctl.cfg'), `apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdEndpoints: ${endpoint}\n`)
      const request = '{"command":"allocate","args":{"hostname":"agent1","num_ipv4":0,"num_ipv6":0,"uid":"u1","netgroups":["g1"]}}'
      mustBe('allocate', inside(`echo '${request}' | env -i CALICO_MESOS_LOG_FILE=/dev/null CALICO_NODENAME=agent1 /usr/bin/calico_mesos`).stdout, '{"error":null,"ipv4":[],"ipv6":[]}')
    })
    await check(`${release}: the manual, completion and the unit are in their places; the unit is not enabled`, () => {
      for (const path of ['usr/share/man/man1/calicoctl-profile.1.gz', 'usr/share/man/man5/calicoctl.cfg.5.gz', 'usr/share/bash-completion/completions/calicoctl', 'usr/share/zsh/vendor-completions/_calicoctl', 'usr/share/fish/vendor_completions.d/calicoctl.fish', 'usr/lib/systemd/system/calico-libnetwork.service']) {
        if (!existsSync(join(root, path))) throw new Error(`${path} is missing`)
      }
      mustBe('enabled', inside('find /etc/systemd -name "calico-libnetwork*"').stdout, '')
    })
    await check(`${release}: an upgrade keeps an edited configuration file, a reinstallation adds no file`, () => {
      writeFileSync(join(root, 'etc/calico/calicoctl.cfg'), own)
      mustBe('dpkg', inside('dpkg -i /calicoctl.deb').status, 0)
      mustBe('file', readFileSync(join(root, 'etc/calico/calicoctl.cfg'), 'utf8'), own)
      mustBe('others', inside('ls /etc/calico').stdout, 'calicoctl.cfg\n')
    })
    await check(`${release}: an upgrade starts a driver that runs anew, and no other; removal ends it`, () => {
      const systemd = standInSystemd(root)
      try {
        mustBe('an upgrade while it does not run', [inside('dpkg -i /calicoctl.deb').status, systemd.starts()], [0, undefined])
        mustBe('its calls', systemd.calls(), ['--system daemon-reload', `try-restart ${UNIT}`])
        systemd.run()
        mustBe('an upgrade while it runs', [inside('dpkg -i /calicoctl.deb').status, systemd.starts()], [0, 2])
        systemd.calls()
        mustBe('removal', [inside('dpkg -r calicoctl').status, systemd.starts()], [0, undefined])
        mustBe('its calls', systemd.calls(), [`stop ${UNIT}`, `--no-reload disable ${UNIT}`, '--system daemon-reload'])
        mustBe('an installation', [inside('dpkg -i /calicoctl.deb').status, systemd.starts()], [0, undefined])
      } finally {
        systemd.remove()
      }
    })
    await check(`${release}: removal leaves nothing but configuration, purging nothing`, () => {
      mustBe('dpkg -r', inside('dpkg -r calicoctl').status, 0)
      mustBe('left', inside('find / -xdev -path "*calico*" -not -path "/proc/*" | grep -vE "^/(var/lib/dpkg|var/log|root/.local|calicoctl.deb)" | sort').stdout, '/etc/calico\n/etc/calico/calicoctl.cfg\n')
      mustBe('dpkg -P', inside('dpkg -P calicoctl').status, 0)
      const after = inside('find / -xdev -type f -o -xdev -type l | grep -vE "^/(proc|sys|dev|tmp|root/.local|calicoctl.deb|var/lib/dpkg|var/log|var/cache)" | sort').stdout
      const left = after.split('\n').filter((path) => !before.split('\n').includes(path))
      mustBe('files', left, [])
    })
    await check(`${release}: a configuration file that was there before is kept, without a terminal`, () => {
      mkdirSync(join(root, 'etc/calico'), {recursive: true})
      writeFileSync(join(root, 'etc/calico/calicoctl.cfg'), own)
      mustBe('dpkg', inside('dpkg -i /calicoctl.deb').status, 0)
      mustBe('file', readFileSync(join(root, 'etc/calico/calicoctl.cfg'), 'utf8'), own)
      mustBe('again', inside('dpkg -i /calicoctl.deb').status, 0)
      mustBe('others', inside('ls /etc/calico').stdout, 'calicoctl.cfg\n')
    })
  } finally {
    rmSync(root, {recursive: true, force: true})
  }
}

/**
 * A systemd in ROOT that is {@link SYSTEMCTL}.
 * @param {string} root
 */
function standInSystemd(root) {
  const systemctl = join(root, 'usr/bin/systemctl')
  const units = join(root, 'run/units')
  const log = join(root, 'run/calls')
  const booted = join(root, 'run/systemd')
  mkdirSync(join(booted, 'system'), {recursive: true})
  mkdirSync(units)
  writeFileSync(systemctl, SYSTEMCTL, {mode: 0o755})
  const active = join(units, UNIT)
  return {
    /** The driver runs. */
    run: () => writeFileSync(active, 'first\n'),
    /** How often it has been started; undefined if it does not run. */
    starts: () => (existsSync(active) ? readFileSync(active, 'utf8').trim().split('\n').length : undefined),
    /** The calls since this was asked last. */
    calls: () => {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []
      rmSync(log, {force: true})
      return lines
    },
    remove: () => {
      for (const path of [systemctl, units, log, booted]) rmSync(path, {recursive: true, force: true})
    },
  }
}

/** The scripts of the rpm, by rpm in a bare Debian, which has the shell that an empty root has not. */
async function rpmScripts() {
  const root = mkdtempSync(join(tmpdir(), 'calicoctl-rpm-'))
  try {
    execFileSync('cp', ['-a', `${bareDebian('bookworm')}/.`, root])
    const systemd = standInSystemd(root)
    const command = (/** @type {readonly string[]} */ args) => execFileSync('rpm', ['--root', root, '--dbpath', '/var/lib/rpm', ...args], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
    /** What the old package's script does after the files of the new one are in their places; rpm gives it 1, one version that is left. */
    const afterUpgrade = () => execFileSync('chroot', [root, '/bin/sh', '-e', '-c', command(['-q', '--qf', '%{POSTUN}', 'calicoctl']), 'postun', '1'], {stdio: ['ignore', 'pipe', 'pipe']})
    await check('rpm: an upgrade starts a driver that runs anew, and no other; removal ends it', () => {
      command(['-i', '--nodeps', RPM])
      mustBe('installation', [systemd.calls(), systemd.starts()], [['daemon-reload'], undefined])
      afterUpgrade()
      mustBe('an upgrade while it does not run', [systemd.calls(), systemd.starts()], [['daemon-reload', `try-restart ${UNIT}`], undefined])
      systemd.run()
      afterUpgrade()
      mustBe('an upgrade while it runs', systemd.starts(), 2)
      systemd.calls()
      command(['-e', '--nodeps', 'calicoctl'])
      mustBe('removal', [systemd.calls(), systemd.starts()], [[`--no-reload disable --now ${UNIT}`, 'daemon-reload'], undefined])
    })
  } finally {
    rmSync(root, {recursive: true, force: true})
  }
}

async function rpm() {
  await rpmScripts()
  const root = mkdtempSync(join(tmpdir(), 'calicoctl-rpm-'))
  try {
    // Nothing is there, not even a shell: what the scripts want is left out.
    const command = (/** @type {readonly string[]} */ args) => execFileSync('rpm', ['--root', root, '--dbpath', '/var/lib/rpm', ...args], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
    await check('rpm: into an empty root, verified, and removed', () => {
      command(['-i', '--nodeps', '--noscripts', RPM])
      mustBe('verified', command(['-V', '--nodeps', 'calicoctl']), '')
      const {status, stdout} = spawnSync(join(root, 'usr/bin/calicoctl'), ['version'], {encoding: 'utf8', env: {}})
      mustBe('version', {status, stdout}, {status: 0, stdout: `${version}\n`})
      mustBe('configuration', command(['-qc', 'calicoctl']), '/etc/calico/calicoctl.cfg\n')
      command(['-e', '--nodeps', '--noscripts', 'calicoctl'])
      mustBe('left', readdirSync(root, {recursive: true, encoding: 'utf8'}).filter((path) => path.includes('calico')), ['etc/calico'].filter((path) => existsSync(join(root, path))))
    })
  } finally {
    rmSync(root, {recursive: true, force: true})
  }
}

async function same() {
  await check('two builds are the same bytes, but for V8\'s code caches', () => {
    const again = `${OUT}-again`
    makePackages(again)
    const differ = differentCaches(OUT, again)
    if (differ.length > 0) console.log(`Single bytes of V8's code caches differ: ${differ.join(', ')}`)
    rmSync(again, {recursive: true})
  })
}

/**
 * Compares the packages of two folders, file by file with modes and times. Of a code cache only the size must be the same: V8 keeps bits in it that depend on
 * when its threads and collections came.
 * @param {string} one @param {string} other
 * @returns {string[]} the caches that differ
 * @throws Error if anything else differs
 */
function differentCaches(one, other) {
  /** @param {string} folder @param {string} command of a shell, in which $0 is the folder */
  const lines = (folder, command) => execFileSync('sh', ['-e', '-c', command, folder], {encoding: 'utf8', maxBuffer: 64e6}).trim().split('\n').sort()
  const LISTS = [
    'tar -tvzf "$0"/*.tar.gz --numeric-owner --full-time',
    'dpkg-deb -c "$0"/*.deb; dpkg-deb -f "$0"/*.deb',
    // Path, size, time, digest, mode, owner.
    'rpm -qp --dump "$0"/*.rpm; rpm -qp --scripts "$0"/*.rpm',
    // Digest and path of each file in the package of Debian.
    'dpkg-deb --ctrl-tarfile "$0"/*.deb | tar -xO ./md5sums',
  ]
  /** @type {Set<string>} */
  const caches = new Set()
  for (const list of LISTS) {
    const [mine, theirs] = [lines(one, list), lines(other, list)]
    for (const line of [...mine.filter((each) => !theirs.includes(each)), ...theirs.filter((each) => !mine.includes(each))]) {
      const name = /([\w.-]+\.cache)\b/.exec(line)?.[1]
      // A list without digests must be the same.
      if (name === undefined || list.includes('-c ') || list.startsWith('tar')) throw new Error(`${list}: ${line}`)
      caches.add(name)
    }
  }
  return [...caches].sort()
}

async function arm64() {
  const out = `${OUT}-arm64`
  makePackages(out, 'arm64')
  const [deb, rpmFile, archive] = [`calicoctl_${version}-1_arm64.deb`, `calicoctl-${version}-1.aarch64.rpm`, `calicoctl-${version}-linux-arm64.tar.gz`].map((name) => join(out, name))
  const tree = mkdtempSync(join(tmpdir(), 'calicoctl-arm64-'))
  const text = (/** @type {string} */ program, /** @type {readonly (string | undefined)[]} */ args) => execFileSync(program, args.map(String), {encoding: 'utf8', maxBuffer: 64e6}).trim()
  try {
    await check('arm64: the packages say which machine they are for', () => {
      mustBe('deb', text('dpkg-deb', ['-f', deb, 'Package', 'Version', 'Architecture']).split('\n'), ['Package: calicoctl', `Version: ${version}-1`, 'Architecture: arm64'])
      mustBe('rpm', text('rpm', ['-qp', '--qf', '%{NAME} %{VERSION}-%{RELEASE} %{ARCH} %{OS}', rpmFile]), `calicoctl ${version}-1 aarch64 linux`)
    })
    await check('arm64: its Node is one for that machine, and no code cache of another Node is beside it', () => {
      execFileSync('tar', ['-xzf', String(archive), '--strip-components=1', '-C', tree])
      const node = readFileSync(join(tree, 'usr/lib/calicoctl/node'))
      // ELF of 64 bits, for EM_AARCH64.
      mustBe('ELF header', [node.subarray(0, 5).toString('hex'), node.readUInt16LE(18)], ['7f454c4602', 183])
      mustBe('caches', readdirSync(join(tree, 'usr/lib/calicoctl/dist')).filter((name) => name.endsWith('.cache')), [])
      mustBe('version of Node', readFileSync(join(tree, 'usr/share/doc/calicoctl/copyright'), 'utf8').includes(`Node.js ${OWN_NODE.arm64.version},`), true)
    })
    await check('arm64: the three forms have the same program', () => {
      const names = (/** @type {string} */ list) => list.split('\n').flatMap((line) => /\.?(\/usr\/lib\/calicoctl\/.*[^/])$/.exec(line)?.[1] ?? []).sort()
      const files = names(text('sh', ['-c', 'dpkg-deb --fsys-tarfile "$0" | tar -t', deb]))
      mustBe('files', files.length > 50, true)
      mustBe('rpm', names(text('sh', ['-c', 'rpm -qp --dump "$0" | awk \'$5 !~ /^04/ {print $1}\'', rpmFile])), files)
      mustBe('archive', names(text('tar', ['-tzf', archive])), files)
    })
  } finally {
    for (const path of [tree, out]) rmSync(path, {recursive: true, force: true})
  }
}

async function lint() {
  await check('lintian has nothing to say', () => mustBe('lintian', spawnSync('lintian', ['--allow-root', '-I', DEB], {encoding: 'utf8'}).stdout, ''))
  await check('rpmlint has nothing to say', () => {
    const {stdout} = spawnSync('rpmlint', ['-c', join(ROOT, 'scripts/package/rpmlint.toml'), RPM], {encoding: 'utf8'})
    if (!stdout.includes('0 errors, 0 warnings')) throw new Error(stdout)
  })
}

async function nodes() {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-nodes-'))
  const etcd = await startEtcd()
  try {
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], {cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit']})
    for (const [line, pinned] of Object.entries(NODES)) {
      const {program} = fetchNode(CACHE, 'x64', pinned)
      const path = join(CACHE, `path-node-${line}`)
      rmSync(path, {recursive: true, force: true})
      mkdirSync(path)
      symlinkSync(program, join(path, 'node'))
      const env = {...process.env, PATH: `${path}:${process.env.PATH ?? ''}:/usr/sbin:/sbin`}
      await onNode({version: pinned.version, folder: join(folder, line), archive: join(folder, `calicoctl-${version}.tgz`), env, endpoint: etcd.endpoint})
      await check(`Node ${pinned.version}: the tests of prompts and TLS`, () => {
        const command = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js', '--forceExit', '--runInBand', '--testNamePattern', NODE_TESTS.names, '--runTestsByPath', ...NODE_TESTS.files]
        const {status, stderr} = spawnSync(program, command, {cwd: ROOT, encoding: 'utf8', env: {...env, CALICOCTL_TEST_BUILD: 'any'}})
        console.log(/^Tests: .*$/m.exec(stderr)?.[0] ?? '')
        if (status !== 0) throw new Error(stderr.split('\n').filter((text) => /●|✕|Error/.test(text)).slice(0, 40).join('\n'))
        mustBe('tests that passed', Number(/^Tests:.*?(\d+) passed/m.exec(stderr)?.[1] ?? 0) >= 8, true)
      })
    }
  } finally {
    etcd.stop()
    rmSync(folder, {recursive: true, force: true})
  }
}

/**
 * npm's package, installed in FOLDER by the Node of ENV, on the etcd at ENDPOINT, which is empty afterwards.
 * @param {{version: string, folder: string, archive: string, env: NodeJS.ProcessEnv, endpoint: string}} options
 */
async function onNode({version: node, folder, archive, env, endpoint}) {
  const here = {PATH: `${join(folder, 'bin')}:${env.PATH}`, HOME: folder, HOSTNAME: 'agent1', ETCD_ENDPOINTS: endpoint, CALICO_MESOS_LOG_FILE: '/dev/null'}
  /** Runs PROGRAM to its end; its stdout. @param {string} program @param {readonly string[]} args */
  const run = (program, args, input = '') => {
    const {status, stdout, stderr} = spawnSync(join(folder, 'bin', program), args, {encoding: 'utf8', env: here, input, timeout: 60_000})
    if (status !== 0 || /Warning: (?!Initialising)|DeprecationWarning/.test(stderr)) throw new Error(`${program} ${args.join(' ')}: ${status}\n${stdout}${stderr}`)
    return stdout
  }
  await check(`Node ${node}: npm installs the package, which does the main job`, () => {
    execFileSync('npm', ['install', '--silent', '--global', '--offline', '--no-audit', '--no-fund', '--prefix', folder, '--cache', join(folder, 'cache'), archive], {env, stdio: ['ignore', 'ignore', 'inherit']})
    mustBe('node', execFileSync('node', ['--version'], {env, encoding: 'utf8'}), `v${node}\n`)
    for (const line of MAIN_JOB) run('calicoctl', line.split(' '))
    mustBe('rules', run('calicoctl', ['profile', 'backend', 'rule', 'show']), 'Inbound rules:\n   1 allow from tag backend\n   2 allow tcp from tag frontend to ports 9000\nOutbound rules:\n   1 allow\n')
  })
  await check(`Node ${node}: the driver answers Docker, and gives an address and takes it back`, async () => {
    const socket = join(folder, 'calico.sock')
    // Folders of this machine that the driver looks into are empty for it.
    const script = 'for each in /run /var/lib; do mount -t tmpfs tmpfs $each; done; exec calicoctl libnetwork serve --node agent1 --socket "$0"'
    const driver = spawn('unshare', ['--mount', 'sh', '-e', '-c', script, socket], {env: here, stdio: ['ignore', 'ignore', 'pipe']})
    let said = ''
    driver.stderr.on('data', (part) => (said += part))
    const ended = new Promise((settle) => driver.once('exit', settle))
    try {
      for (let i = 0; !existsSync(socket); i++) {
        if (i > 300 || driver.exitCode !== null) throw new Error(`the driver does not start\n${said}`)
        await new Promise((settle) => setTimeout(settle, 100))
      }
      mustBe('Plugin.Activate', await callPlugin(socket, 'Plugin.Activate'), {Implements: ['NetworkDriver', 'IpamDriver']})
      const {PoolID} = await callPlugin(socket, 'IpamDriver.RequestPool', {AddressSpace: 'CalicoLocalAddressSpace', Pool: '192.168.0.0/16', SubPool: '', Options: {}, V6: false})
      const {Address, Err} = await callPlugin(socket, 'IpamDriver.RequestAddress', {PoolID, Address: '192.168.0.77', Options: {}})
      mustBe('address', {Address, Err}, {Address: '192.168.0.77/32'})
      mustBe('release', await callPlugin(socket, 'IpamDriver.ReleaseAddress', {PoolID, Address: '192.168.0.77'}), {})
    } finally {
      driver.kill('SIGTERM')
    }
    mustBe('its end', await ended, 0)
  })
  await check(`Node ${node}: the plugin gives an address to a task and takes it back`, () => {
    const {error, ipv4} = JSON.parse(run('calico_mesos', [], JSON.stringify({command: 'allocate', args: {hostname: 'agent1', num_ipv4: 1, num_ipv6: 0, uid: 'u1', netgroups: ['g1']}})))
    mustBe('allocate', [error, ipv4.length], [null, 1])
    const isAssigned = () => !run('calicoctl', ['ipam', 'info', ipv4[0]]).includes('is not currently assigned')
    mustBe('assigned', isAssigned(), true)
    mustBe('release', [JSON.parse(run('calico_mesos', [], JSON.stringify({command: 'release', args: {ips: ipv4}}))), isAssigned()], [{error: null}, false])
  })
  execFileSync('etcdctl', ['--endpoints', endpoint, 'del', '--prefix', '/'], {stdio: 'ignore', env: {...env, ETCDCTL_API: '3'}})
}

/** Calls the driver as Docker does. @param {string} socketPath @param {string} name @param {object} [body] @returns {Promise<any>} */
function callPlugin(socketPath, name, body = {}) {
  return new Promise((settle, fail) => {
    const call = request({socketPath, path: `/${name}`, method: 'POST'}, async (response) => {
      let text = ''
      for await (const part of response) text += part
      settle(JSON.parse(text))
    })
    call.on('error', fail).end(JSON.stringify(body))
  })
}

/** The folder of a bare Debian, made once. @param {string} release */
function bareDebian(release) {
  const folder = join(CACHE, `debian-${release}`)
  if (existsSync(folder)) return folder
  console.log(`Making a bare Debian ${release} …`)
  const scratch = `${folder}.${process.pid}`
  execFileSync('debootstrap', ['--variant=minbase', release, scratch, ARCHIVE], {stdio: ['ignore', 'ignore', 'inherit']})
  renameSync(scratch, folder)
  return folder
}

/**
 * Types LINE on a terminal in ROOT, and says yes once it is asked.
 * @param {string} root @param {string} line @param {Record<string, string>} env
 * @returns {Promise<{status: number | null, screen: string}>}
 */
function answered(root, line, env) {
  // The terminal is this machine's: a bare Debian has none.
  const command = [...chrooted(root, {TERM: 'xterm', ...env}), '/bin/sh', '-c', line].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
  const child = spawn('script', ['-qec', command, '/dev/null'], {stdio: ['pipe', 'pipe', 'inherit']})
  let screen = ''
  child.stdout.on('data', (/** @type {Buffer} */ data) => {
    const asked = screen.includes('(y/N)')
    screen += data.toString()
    if (!asked && screen.includes('(y/N)')) child.stdin.write('y\r')
  })
  return new Promise((settle) => child.once('close', (status) => settle({status, screen})))
}

/** What begins a command line that runs in ROOT. @param {string} root @param {Record<string, string>} env */
function chrooted(root, env) {
  const variables = Object.entries({PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', DEBIAN_FRONTEND: 'noninteractive', ...env}).map(([name, value]) => `${name}=${value}`)
  return ['unshare', '--mount', '--pid', '--fork', `--mount-proc=${join(root, 'proc')}`, 'chroot', root, '/usr/bin/env', '-i', ...variables]
}

/** Runs shell lines in ROOT: with processes and a /proc of its own, on this machine's network, and with nothing on stdin. @param {string} root */
function insideOf(root) {
  return (/** @type {string} */ line, /** @type {Record<string, string>} */ env = {}) => {
    const [program = '', ...args] = chrooted(root, env)
    const {status, stdout, stderr} = spawnSync(program, [...args, '/bin/sh', '-c', line], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe']})
    return {status, stdout, stderr}
  }
}

async function startEtcd() {
  const folder = mkdtempSync(join(tmpdir(), 'calicoctl-etcd-'))
  const [client, peer] = [`http://127.0.0.1:${await freePort()}`, `http://127.0.0.1:${await freePort()}`]
  const server = spawn('etcd', ['--data-dir', folder, '--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`, '--log-level', 'error', '--enable-v2'], {stdio: 'ignore'})
  for (let i = 0; ; i++) {
    if (await fetch(`${client}/health`).then((answer) => answer.ok, () => false)) break
    if (i > 300) throw new Error('etcd does not start')
    await new Promise((settle) => setTimeout(settle, 100))
  }
  return {
    endpoint: client,
    stop: () => {
      server.kill()
      rmSync(folder, {recursive: true, force: true})
    },
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((settle) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const {port} = /** @type {import('node:net').AddressInfo} */ (server.address())
      server.close(() => settle(port))
    })
  })
}
