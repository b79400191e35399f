#!/bin/sh
# @PROGRAM@, run by the Node that comes with it. It works wherever the tree is unpacked, through links, and in an empty environment.
here=$0
if [ -L "$here" ]; then here=$(/bin/readlink -f "$here"); fi
case $here in */*) ;; *) here=./$here ;; esac
app=${here%/*}/../lib/calicoctl
# What is meant for another Node is not for this one, which may refuse to start with it.
unset NODE_OPTIONS
@MISSING@exec "$app/node" "$app/bin/@ENTRY@" "$@"
