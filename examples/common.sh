# What the examples do alike. EXAMPLE is the example's name: all its containers and networks carry it as a label, by which they are found again.
LABEL=org.projectcalico.example=$EXAMPLE
DRIVER=${DRIVER:-calico}

explain() { echo "# $*"; }

# Shows a command and runs it.
run() {
  echo "\$ $*"
  "$@"
}

fail() {
  echo "Error: $*" >&2
  exit 1
}

need_programs() {
  local program
  for program in docker calicoctl; do command -v "$program" >/dev/null || fail "$program is not in the PATH."; done
}

# need_pool CIDR: pools are the operator's, so none is made here.
need_pool() {
  local pools
  pools=$(calicoctl pool show -o name)
  grep -qxF "$1" <<<"$pools" || fail "there is no pool $1, where this example takes addresses from. To make it: calicoctl pool add $1"
}

# need_free_names CONTAINERS NETWORKS, two lists of words: what already exists is not ours to use, nor to take down. A network's profile has its name.
need_free_names() {
  local name profiles hint="If it is left of an earlier run: $0 down"
  for name in $1; do
    [ -z "$(docker ps -aq --filter "name=^$name\$")" ] || fail "there is a container $name already. $hint"
  done
  profiles=$(calicoctl profile show -o name)
  for name in $2; do
    [ -z "$(docker network ls -q --filter "name=^$name\$")" ] || fail "there is a Docker network $name already. $hint"
    ! grep -qxF "$name" <<<"$profiles" || fail "there is a profile $name already, whose rules this example would change. If nothing needs it: calicoctl profile remove $name"
  done
}

# take_down NETWORKS: the example's containers, then each of its networks with its profile. What it did not make stays.
take_down() {
  local containers network
  containers=$(docker ps -aq --filter "label=$LABEL")
  # shellcheck disable=SC2086 # a list of ids
  [ -z "$containers" ] || docker rm --force $containers >/dev/null
  for network in $1; do
    [ -n "$(docker network ls -q --filter "label=$LABEL" --filter "name=^$network\$")" ] || continue
    # The driver never deletes a profile: it may hold rules that somebody typed, and networks of the same name on other hosts use it, too.
    calicoctl profile remove "$network" || echo "The profile $network stays." >&2
    docker network rm "$network" >/dev/null
  done
  echo "Nothing of the example $EXAMPLE is left."
}

# Without Felix nobody makes routes and nobody enforces rules. It may run without a container, too.
warn_without_felix() {
  local pid
  [ -z "$(docker ps -q --filter 'name=^calico-node$')" ] || return 0
  for pid in $(pgrep -x calico-felix || true); do
    [ ! "/proc/$pid/ns/net" -ef /proc/self/ns/net ] || return 0
  done
  echo "Note: calico-node does not run on this host: without it there are no routes to containers, and no policy. To start it: calicoctl node" >&2
}

address_of() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }
