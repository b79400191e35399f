#!/bin/sh
set -e
cfg=/etc/calico/calicoctl.cfg
if [ "$1" = abort-install ] && [ -e "$cfg.dpkg-kept" ]; then
  mv -f "$cfg.dpkg-kept" "$cfg"
fi
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
fi
