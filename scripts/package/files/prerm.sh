#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  deb-systemd-invoke stop calico-libnetwork.service >/dev/null || true
  systemctl --no-reload disable calico-libnetwork.service >/dev/null 2>&1 || true
fi
