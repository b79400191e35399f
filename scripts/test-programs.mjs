/**
 * The programs that tests, benchmarks and examples start and that Debian's essential packages do not hold, with the package that has each.
 * `npm run verify` installs them; a test finds a program that is started and stands in neither list.
 */
export const TEST_PROGRAMS = /** @type {const} */ ([
  ['etcd', 'etcd-server'], ['etcdctl', 'etcd-client'], ['openssl', 'openssl'],
  ['dockerd', 'docker.io'], ['docker', 'docker.io'], ['containerd', 'containerd'], ['containerd-shim-runc-v2', 'containerd'], ['runc', 'runc'], ['busybox', 'busybox-static'],
  ['ip', 'iproute2'], ['iptables', 'iptables'], ['nft', 'nftables'], ['ipset', 'ipset'], ['mount', 'mount'], ['umount', 'mount'],
  ['sysctl', 'procps'], ['ps', 'procps'], ['pgrep', 'procps'], ['bird', 'bird'],
  ['curl', 'curl'], ['zsh', 'zsh'], ['fish', 'fish'], ['python3', 'python3'], ['mandoc', 'mandoc'],
  ['chromium', 'chromium'], ['dot', 'graphviz'], ['xmllint', 'libxml2-utils'],
])

/** What tests start of Debian's essential packages (bash, bsdutils, coreutils, debianutils, libc-bin, tar, util-linux) and of Node itself. */
export const BASE_PROGRAMS = /** @type {const} */ (['bash', 'chmod', 'grep', 'ldd', 'mkdir', 'mkfifo', 'mknod', 'nsenter', 'npm', 'script', 'setpriv', 'sh', 'sleep', 'stty', 'tar', 'unshare', 'which'])
