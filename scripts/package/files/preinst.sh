#!/bin/sh
set -e
# dpkg asks what to do with a configuration file that was here before the package, and fails where there is no terminal. It is the host's: it is put aside
# while the package's takes its place for the first time, and put back by postinst; from then on dpkg treats it as a file that was edited.
cfg=/etc/calico/calicoctl.cfg
if [ "$1" = install ] && [ -z "$2" ] && [ -e "$cfg" ]; then
  mv -f "$cfg" "$cfg.dpkg-kept"
fi
