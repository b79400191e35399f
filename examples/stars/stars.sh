#!/usr/bin/env bash
# The stars: a client, a front end and a back end that all try to reach each other, and a management console that draws who succeeds, while policy is typed
# step by step. Calico's guide for Mesos has it with Marathon and four tasks; here they are four containers of an image that is built from this folder.
#   stars.sh step S0      networks and workloads
#   stars.sh step S1      shows the policy that they begin with
#   stars.sh step S2      everybody may see the console
#   stars.sh step S3      the console may ask the workloads
#   stars.sh step S4      the client may use the front end, the front end the back end
#   stars.sh step S4-as-typed   the same with the port that the guide types by mistake
#   stars.sh matrix       who reaches whom now
#   stars.sh expect STEP  the same, compared with what should be after STEP; ends with 1 if it differs (calico-node has to run)
#   stars.sh page         what the console shows, as JSON
#   stars.sh all          S0 to S4, comparing after each
#   stars.sh down         takes everything away again
# DRIVER is the Docker driver's name (calico), BASE an image with busybox (busybox). What is outside of Calico's networks is played by a container on Docker's
# own bridge, or by what OUTSIDE says, a command to put before another: OUTSIDE='ip netns exec ext'. This host would not do: its own connections to its own
# containers are not policed.
set -Eeuo pipefail
EXAMPLE=stars
HERE=$(dirname "$0")
. "$HERE/../common.sh"
BASE=${BASE:-busybox}
OUTSIDE=${OUTSIDE:-}
IMAGE=calico-stars-example
UI=192.168.255.254
PROBES='client frontend backend'
NETWORKS="management-ui $PROBES"
# Seconds that calico-node may take until a new rule or route is in force.
PATIENCE=${PATIENCE:-10}

step() {
  case $1 in
    S0) launch ;;
    S1)
      explain 'The profile of a network lets in its own members only: nobody sees the console, the console sees nobody.'
      run calicoctl profile management-ui rule show
      ;;
    S2)
      explain 'The console is for everybody, on port 9001.'
      run calicoctl profile management-ui rule remove inbound allow from tag management-ui || [ $? = 4 ] # 4: it is not there any more
      run calicoctl profile management-ui rule add inbound allow tcp to ports 9001
      ;;
    S3)
      explain 'The console may ask every workload for its status, on port 9000.'
      run calicoctl profile client rule add inbound allow tcp from tag management-ui to ports 9000
      run calicoctl profile backend rule add inbound allow tcp from tag management-ui to ports 9000
      run calicoctl profile frontend rule add inbound allow tcp from tag management-ui to ports 9000
      ;;
    S4-as-typed)
      explain 'This is what the guide types. It opens 9001, but the workloads listen on 9000: the picture does not change.'
      run calicoctl profile frontend rule add inbound allow tcp from tag client to ports 9001
      run calicoctl profile backend rule add inbound allow tcp from tag frontend to ports 9001
      ;;
    S4)
      explain 'This is what the guide means: the port on which the workloads listen.'
      run calicoctl profile frontend rule add inbound allow tcp from tag client to ports 9000
      run calicoctl profile backend rule add inbound allow tcp from tag frontend to ports 9000
      ;;
    *) fail "there is no step $1. The steps are S0, S1, S2, S3, S4-as-typed and S4." ;;
  esac
}

launch() {
  local name containers=
  need_pool 192.168.0.0/16
  for name in $NETWORKS; do containers="$containers stars-$name"; done
  need_free_names "$containers" "$NETWORKS"
  trap 'echo "It stopped half-way. To take away what was made: $0 down" >&2' ERR

  explain 'One image for all four workloads.'
  run docker build --quiet --label "$LABEL" --build-arg BASE="$BASE" --tag "$IMAGE" "$HERE"

  explain "A network for each workload. The console's is bound to a pool, so that the console may have an address that people can remember."
  run docker network create --driver "$DRIVER" --ipam-driver "$DRIVER" --subnet=192.168.0.0/16 --label "$LABEL" management-ui
  for name in $PROBES; do run docker network create --driver "$DRIVER" --ipam-driver "$DRIVER" --label "$LABEL" "$name"; done
  run docker network ls --filter "label=$LABEL"

  explain 'The console, and three workloads that try to reach each other every 5 seconds.'
  run docker run -d --net management-ui --ip "$UI" --name stars-management-ui --label "$LABEL" "$IMAGE" star-collect
  for name in $PROBES; do run docker run -d --net "$name" --name "stars-$name" --label "$LABEL" "$IMAGE" star-probe; done
  tell_targets
}

# url_of NAME [PORT]: what a workload serves there.
url_of() { echo "http://$(address_of "stars-$1"):${2:-9000}/$([ "$1" = management-ui ] && echo matrix.json || echo status)"; }

# The part of mesos-dns: each workload is told where the others are. Networks do not resolve each other's names.
tell_targets() {
  local name other all=
  for name in $PROBES; do all="$all$name $(url_of "$name")"$'\n'; done
  for name in $NETWORKS; do
    { grep -v "^$name " <<<"$all" || true; } | grep . | docker exec -i "stars-$name" busybox sh -c 'busybox mkdir -p /star && busybox cat >/star/targets.new && busybox mv /star/targets.new /star/targets'
  done
}

# reach FROM URL…: a line for each, "URL true" or "URL false".
reach() {
  local from=$1
  shift
  if [ "$from" != outside ]; then docker exec "stars-$from" star-reach "$@"
  elif [ -z "$OUTSIDE" ]; then docker run --rm --network bridge --label "$LABEL" "$IMAGE" star-reach "$@"
  else $OUTSIDE busybox sh "$HERE/star-reach" "$@"
  fi
}

# expected STEP FROM TO: "yes" or "no". TO is NAME:PORT.
expected() {
  local step=${1#S}
  case ${step%%-*}:$2:$3 in
    [01]:*) echo no ;;
    *:management-ui:9001) echo yes ;;
    [34]:management-ui:*:9000) echo yes ;;
    4:client:frontend:* | 4:frontend:backend:*) if [ "$1:${3#*:}" = S4-as-typed:9000 ]; then echo no; else echo yes; fi ;;
    *) echo no ;;
  esac
}

# matrix [STEP]: a table of who reaches whom. With STEP, fields that should be different say so, and the status is 1 if there is one.
matrix() {
  local from to got cell wrong=0 folder columns=() urls=()
  for to in $NETWORKS; do columns+=("$to:$([ "$to" = management-ui ] && echo 9001 || echo 9000)"); done
  # The guide's mistake cannot be seen unless something listens there.
  [ "${1-}" != S4-as-typed ] || columns+=(frontend:9001 backend:9001)
  for to in "${columns[@]}"; do urls+=("$(url_of "${to%:*}" "${to#*:}")"); done
  folder=$(mktemp -d)
  for from in outside $NETWORKS; do reach "$from" "${urls[@]}" >"$folder/$from" & done
  wait
  printf '%-20s' 'from \ to'
  printf '%-20s' "${columns[@]}"
  echo
  for from in outside $NETWORKS; do
    printf '%-20s' "$from"
    for i in "${!columns[@]}"; do
      to=${columns[$i]}
      case $(grep -F "${urls[$i]} " "$folder/$from" || true) in *' true') got=yes ;; *' false') got=no ;; *) got='?' ;; esac
      cell=$got
      if [ "${to%:*}" = "$from" ]; then cell=-
      elif [ -n "${1-}" ] && [ "$got" != "$(expected "$1" "$from" "$to")" ]; then cell="$got (wrong)" wrong=1
      fi
      printf '%-20s' "$cell"
    done
    echo
  done
  rm -r "$folder"
  return "$wrong"
}

expect() {
  local end=$((SECONDS + PATIENCE)) table name
  case $1 in S[0-4] | S4-as-typed) ;; *) fail "there is no step $1." ;; esac
  warn_without_felix
  if [ "$1" = S4-as-typed ]; then
    for name in frontend backend; do docker exec -d "stars-$name" busybox timeout 60 busybox httpd -f -p 9001 -h /star/www; done
  fi
  until table=$(matrix "$1"); do
    if [ "$SECONDS" -ge "$end" ]; then
      echo "$table"
      echo "This is not what should be after $1." >&2
      return 1
    fi
    sleep 1
  done
  echo "$table"
}

all() {
  local name
  for name in S0 S1 S2 S3 S4-as-typed S4; do
    step "$name"
    expect "$name"
  done
}

need_programs
case ${1-} in
  step | expect) [ $# = 2 ] || fail "usage: $0 $1 STEP"; "$1" "$2" ;;
  matrix)
    warn_without_felix
    matrix
    ;;
  all) all ;;
  page) docker exec stars-management-ui busybox wget -Y off -q -O - http://127.0.0.1:9001/matrix.json ;;
  down)
    take_down "$NETWORKS"
    [ -z "$(docker images -q "$IMAGE")" ] || docker image rm "$IMAGE" >/dev/null
    ;;
  *) fail "usage: $0 step STEP | matrix | expect STEP | page | all | down" ;;
esac
