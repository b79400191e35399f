/** The tree as a package for Red Hat's systems and their kin, by rpmbuild. */
import {execFileSync} from 'node:child_process'
import {mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {DESCRIPTION, MAINTAINER, SUMMARY} from './describe.mjs'

const ARCHITECTURES = {x64: 'x86_64', arm64: 'aarch64'}
/** What stays the same wherever it is built, and nothing that changes the files. */
const MACROS = {
  _buildhost: 'localhost',
  use_source_date_epoch_as_buildtime: '1',
  clamp_mtime_to_source_date_epoch: '1',
  source_date_epoch_from_changelog: '0',
  _build_id_links: 'none',
  debug_package: '%{nil}',
  __os_install_post: '%{nil}',
  _binary_payload: 'w10.zstdio', // read by rpm 4.14 and newer, which systems with glibc 2.28 have
}

/**
 * @param {{tree: string, scratch: string, out: string, version: string, arch: 'x64' | 'arm64', epoch: number}} options
 * @returns {string} the package's file
 */
export function makeRpm({tree, scratch, out, version, arch, epoch}) {
  const top = join(scratch, `rpm-${arch}`)
  rmSync(top, {recursive: true, force: true})
  mkdirSync(top, {recursive: true})
  const paths = readdirSync(tree, {recursive: true, encoding: 'utf8'}).sort().filter((path) => !path.startsWith('usr/share/zsh/vendor-completions'))
  const target = ARCHITECTURES[arch]
  writeFileSync(join(top, 'calicoctl.spec'), spec({tree, version, epoch, target, files: paths.flatMap((path) => entry(path, statSync(join(tree, path)).isDirectory()))}))
  const defines = Object.entries({...MACROS, _topdir: top}).flatMap(([name, value]) => ['--define', `${name} ${value}`])
  execFileSync('rpmbuild', ['-bb', '--quiet', '--target', `${target}-linux`, ...defines, join(top, 'calicoctl.spec')], {stdio: ['ignore', 'ignore', 'inherit'], env: {...process.env, SOURCE_DATE_EPOCH: String(epoch)}})
  const name = `calicoctl-${version}-1.${target}.rpm`
  renameSync(join(top, 'RPMS', target, name), join(out, name))
  rmSync(top, {recursive: true})
  return join(out, name)
}

/** Folders that are the system's. */
const SHARED = /^(etc|usr(\/(bin|lib|lib\/systemd|lib\/systemd\/system|share|share\/(bash-completion|bash-completion\/completions|doc|zsh|zsh\/site-functions|fish|fish\/vendor_completions\.d|man|man\/man\d)))?)$/

/** The line of PATH in %files. @param {string} path @param {boolean} folder @returns {string[]} */
function entry(path, folder) {
  if (SHARED.test(path)) return []
  if (folder) return [`%dir "/${path}"`]
  if (path.startsWith('etc/')) return [`%config(noreplace) "/${path}"`]
  if (path.endsWith('/copyright')) return [`%license "/${path}"`]
  if (/^usr\/share\/(doc|man)\//.test(path)) return [`%doc "/${path}"`]
  return [`"/${path}"`]
}

/** @param {{tree: string, version: string, epoch: number, target: string, files: readonly string[]}} options */
function spec({tree, version, epoch, files}) {
  const date = execFileSync('date', ['-u', '-d', `@${epoch}`, '+%a %b %d %Y'], {encoding: 'utf8', env: {...process.env, LC_ALL: 'C'}}).trim()
  return `Name: calicoctl
Version: ${version}
Release: 1
Summary: ${SUMMARY[0]?.toUpperCase()}${SUMMARY.slice(1)}
License: Apache-2.0 AND MIT AND ISC AND BSD-3-Clause AND BlueOak-1.0.0
Group: System Environment/Base
Packager: ${MAINTAINER}
# The Engine and its images are not needed by who only edits policy, iproute only where containers are connected.
Recommends: iproute

%description
${DESCRIPTION.join('\n')}

%install
cp -a '${tree}/.' '%{buildroot}'
rm -r '%{buildroot}/usr/share/zsh/vendor-completions'

%post
if [ -d /run/systemd/system ]; then systemctl daemon-reload || :; fi

%preun
if [ $1 -eq 0 ] && [ -d /run/systemd/system ]; then systemctl --no-reload disable --now calico-libnetwork.service >/dev/null 2>&1 || :; fi

%postun
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || :
  if [ $1 -ge 1 ]; then systemctl try-restart calico-libnetwork.service || :; fi
fi

%files
%defattr(-,root,root,-)
${files.join('\n')}

%changelog
* ${date} ${MAINTAINER} - ${version}-1
- Built from the release ${version}; changelog.gz says what is new.
`
}
