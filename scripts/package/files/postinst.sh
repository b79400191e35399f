#!/bin/sh
set -e
cfg=/etc/calico/calicoctl.cfg
if [ -e "$cfg.dpkg-kept" ]; then
  mv -f "$cfg.dpkg-kept" "$cfg"
fi
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl --system daemon-reload >/dev/null || true
  # An upgrade: a driver that serves containers is started anew with the new program. They keep their networks meanwhile.
  if [ -n "$2" ]; then
    deb-systemd-invoke try-restart calico-libnetwork.service >/dev/null || true
  fi
fi
