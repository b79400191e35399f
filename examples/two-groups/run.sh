#!/usr/bin/env bash
# Two groups of containers, databases and applications, each with an address of its own: applications reach the databases' port 3306, and nothing else.
#   run.sh        makes networks and containers, and types the policy
#   run.sh check  tries who reaches whom (calico-node has to run)
#   run.sh down   takes everything away again
# DRIVER is the Docker driver's name (calico), IMAGE an image with busybox (busybox).
set -Eeuo pipefail
EXAMPLE=two-groups
. "$(dirname "$0")/../common.sh"
IMAGE=${IMAGE:-busybox}
NETWORKS='databases applications'

up() {
  need_pool 192.168.0.0/16
  need_free_names 'db app' "$NETWORKS"
  trap 'echo "It stopped half-way. To take away what was made: $0 down" >&2' ERR

  explain 'A network for each group. The second is bound to a pool, so that its containers may choose their address.'
  run docker network create --driver "$DRIVER" --ipam-driver "$DRIVER" --label "$LABEL" databases
  run docker network create --driver "$DRIVER" --ipam-driver "$DRIVER" --subnet 192.168.0.0/16 --label "$LABEL" applications

  explain 'A container in each. Each network has a profile, which has the name of the network.'
  run docker run -d --net databases --name db --label "$LABEL" "$IMAGE" sleep 1d
  run docker run -d --net applications --ip 192.168.0.77 --name app --label "$LABEL" "$IMAGE" sleep 1d

  explain 'A new profile lets in its own members, and lets out everything.'
  run calicoctl profile databases rule show

  explain 'Applications may talk to the databases, on one port.'
  run calicoctl profile databases rule add inbound allow tcp from tag applications to ports 3306
  run calicoctl profile databases rule show

  explain 'Each container is an endpoint, with its address, its interface and its profile.'
  run calicoctl endpoint show --detailed
}

# greets CONTAINER PORT: a service in CONTAINER that says hello to whoever connects, until the container ends.
greets() { docker exec -d "$1" busybox nc -ll -p "$2" -e busybox echo hello; }

# tries WANTED FROM TO PORT: whether FROM reaches TO on PORT, and whether it should.
tries() {
  local got=no
  [ "$(docker exec "$2" busybox timeout 2 busybox nc "$(address_of "$3")" "$4" </dev/null 2>/dev/null || true)" != hello ] || got=yes
  if [ "$got" = "$1" ]; then echo "$2 -> $3:$4  $got"; else echo "$2 -> $3:$4  $got, where $1 was expected"; wrong=1; fi
}

check() {
  wrong=0
  warn_without_felix
  greets db 3306
  greets db 5432
  greets app 3306
  sleep 1
  tries yes app db 3306
  tries no app db 5432
  tries no db app 3306
  return "$wrong"
}

need_programs
case ${1-up} in
  up) up ;;
  check) check ;;
  down) take_down "$NETWORKS" ;;
  *) fail "usage: $0 [check|down]" ;;
esac
