#!/usr/bin/env bash
# A throw-away Ceph with an S3 gateway, from Debian's packages: an S3 server that nobody here
# wrote, so that the S3 tests do not only agree with themselves.
#
#   ceph.sh install     what is missing, through apt-get (root)
#   ceph.sh start DIR   prints KILN_TEST_RGW_ENDPOINT, _ACCESS_KEY and _SECRET_KEY as assignments
#   ceph.sh stop DIR    ends what `start DIR` began, finished or not; only the logs stay
#
# One monitor, one OSD, one gateway, on 127.0.0.1 at ports nobody else uses, all files in DIR,
# objects in memory. Any user may run it; several may run at once, each in a directory of its own.

set -euo pipefail
umask 077                         # DIR holds keys
unset CEPH_ARGS CEPH_CONF CEPH_KEYRING

readonly SECONDS_MAX=90           # for a whole start; 1 to 3 are usual
readonly MEMORY_BYTES_MAX=$((2 << 30))
readonly MARK=.throw-away-ceph    # in every DIR that is ours to empty
readonly PROGRAMS="ceph ceph-authtool ceph-mon ceph-osd monmaptool radosgw radosgw-admin"
readonly PACKAGES="ceph-common ceph-mon ceph-osd radosgw"

fail() {
    printf 'ceph.sh: %s\n' "$@" >&2
    exit 1
}

missing_programs() {
    local program
    for program in $PROGRAMS; do
        command -v "$program" >/dev/null || printf '%s ' "$program"
    done
}

install() {
    [[ -n $(missing_programs) ]] || return 0
    [[ $EUID == 0 ]] || fail "installing needs root" "hint: sudo apt-get install --no-install-recommends $PACKAGES"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o Acquire::Retries=3 update
    # shellcheck disable=SC2086 # a list of words
    apt-get -qq -o Acquire::Retries=3 install --no-install-recommends $PACKAGES </dev/null
}

# The first of ten numbers where nothing listens now, below the kernel's range for outgoing
# connections. Drawn at random, so that two starts at once rarely meet; where they do, the later
# daemon cannot bind and the start fails with its log.
free_ports() {
    local first port tries
    for ((tries = 0; tries < 50; tries++)); do
        first=$((20000 + RANDOM % 1200 * 10))
        for ((port = first; port < first + 10; port++)); do
            ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || continue 2
        done
        echo "$first"
        return
    done
    fail "no ten free ports found on 127.0.0.1 between 20000 and 31999"
}

random_hex() { od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'; }

write_conf() { # fsid, the monitor's port, the gateway's; the OSD has the eight that follow
    cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $1
mon_initial_members = a
mon_host = [v2:127.0.0.1:$2]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
# A socket's path may have 107 bytes, and DIR may be longer; nobody asks the daemons anything.
admin_socket =
run_dir = $dir
crash_dir = $dir/crash
log_file = $dir/log/\$name.log
log_to_stderr = false
err_to_stderr = true
# One OSD: one copy of everything, in few groups. No manager runs, so nothing may wait for one.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
# The monitor gathers changes for a second before it settles them; a start is a row of changes.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[client]
keyring = $dir/\$name.keyring
[mon]
mon_data = $dir/mon
mon_cluster_log_file = $dir/log/cluster.log
# The directory may lie on a disk that is rather full; a few MB are all that is written.
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[osd]
osd_data = $dir/osd
keyring = $dir/\$name.keyring
osd_objectstore = memstore
memstore_device_bytes = $MEMORY_BYTES_MAX
ms_bind_port_min = $(($3 + 1))
ms_bind_port_max = $(($3 + 8))
[client.rgw]
rgw_frontends = beast endpoint=127.0.0.1:$3
rgw_thread_pool_size = 32
# What a bucket does must not depend on how many keys earlier tests left in it.
rgw_dynamic_resharding = false
CONF
}

# Every step of a start ends when the start's time does, however it hangs.
bounded() {
    local left=$((SECONDS_MAX - SECONDS))
    ((left > 0)) || fail "not up after $SECONDS_MAX s"
    timeout --kill-after=2 "$left" "$@" </dev/null
}

ceph_says() { bounded ceph --conf="$dir/ceph.conf" --name client.admin --connect-timeout 20 "$@"; }

# A daemon in the background, in a session of its own: a Ctrl-C meant for the tests must not end it
# before they are done with it. Its process is then in `daemon`.
spawn() { # log's name, program, its arguments
    setsid "${@:2}" --conf="$dir/ceph.conf" --foreground </dev/null >>"$dir/log/$1.out" 2>&1 &
    daemon=$!
    disown
}

# Every process that works in DIR, known by its argument: that also finds what a start that was
# killed left behind, and a number that now is another's process does no harm.
processes() {
    grep -lzxF -f - /proc/[0-9]*/cmdline 2>/dev/null <<<"--conf=$dir/ceph.conf" | grep -o '[0-9]*' || true
}

# False once all that a process held is free, even where nobody ever waits for the dead.
lives() { # process
    local state
    state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) && [[ $state != [ZX] ]]
}

# With every key in the monitor's first store, nothing needs to be asked of it afterwards.
make_keys() {
    ceph_key mon. --cap mon 'allow *'
    ceph_key client.admin --cap mon 'allow *' --cap osd 'allow *'
    ceph_key osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
    ceph_key client.rgw --cap mon 'allow rw' --cap osd 'allow rwx'
    cat "$dir"/*.keyring >"$dir/initial.keys"
}

ceph_key() { # name, capabilities
    ceph-authtool --create-keyring "$dir/$1.keyring" --gen-key --name "$1" "${@:2}" >/dev/null
}

start_monitor() { # fsid, port
    make_keys
    monmaptool --create --fsid "$1" --addv a "[v2:127.0.0.1:$2]" "$dir/monmap" >/dev/null
    bounded ceph-mon --conf="$dir/ceph.conf" --id a --mkfs --monmap "$dir/monmap" \
        --keyring "$dir/initial.keys" >>"$dir/log/mon.out" 2>&1
    spawn mon ceph-mon --id a
}

start_osd() {
    local uuid
    uuid=$(cat /proc/sys/kernel/random/uuid)
    ceph_says osd new "$uuid" 0 >>"$dir/log/osd.out" 2>&1
    mkdir "$dir/osd"
    bounded ceph-osd --conf="$dir/ceph.conf" --id 0 --mkfs --osd-uuid "$uuid" \
        >>"$dir/log/osd.out" 2>&1
    spawn osd ceph-osd --id 0
}

create_user() { # access key, secret key
    bounded radosgw-admin --conf="$dir/ceph.conf" --name client.rgw user create --uid kiln \
        --display-name kiln --access-key "$1" --secret-key "$2" 2>"$dir/log/user.out" >/dev/null
}

# Waits until an anonymous GET / is answered with 200, which the gateway does once it can serve.
wait_for_s3() { # port
    local status
    until status=$(ask "$1" 2>/dev/null) && [[ $status == *" 200 "* ]]; do
        lives "$daemon" || fail "radosgw ended before it answered at 127.0.0.1:$1"
        ((SECONDS < SECONDS_MAX)) || fail "no answer from 127.0.0.1:$1 after $SECONDS_MAX s: '${status:-}'"
        sleep 0.1
    done
}

ask() { # port; prints the status line
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3
    local line
    read -r -t 5 line <&3 && echo "$line"
}

start() {
    local missing fsid mon_port rgw_port access_key secret_key
    missing=$(missing_programs)
    [[ -z $missing ]] || fail "not found: $missing" "hint: sudo $0 install"
    [[ -z $(processes) ]] || fail "already running in $dir" "hint: $0 stop $dir"
    [[ ! -e $dir || -e $dir/$MARK || -z $(ls -A "$dir") ]] || fail "$dir holds other things; an empty or new directory is needed"
    mkdir -p "$dir"
    touch "$dir/$MARK"
    stop # also takes away what an earlier one could not
    rm -rf "$dir/log"
    mkdir "$dir/log"
    trap 'ended $?' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    fsid=$(cat /proc/sys/kernel/random/uuid)
    mon_port=$(free_ports)
    rgw_port=$((mon_port + 1))
    access_key=KILN$(random_hex 8) secret_key=$(random_hex 20)
    write_conf "$fsid" "$mon_port" "$rgw_port"
    start_monitor "$fsid" "$mon_port"
    start_osd
    create_user "$access_key" "$secret_key"
    spawn rgw radosgw --name client.rgw
    wait_for_s3 "$rgw_port"

    trap - EXIT
    cat <<ASSIGNMENTS
KILN_TEST_RGW_ENDPOINT=http://127.0.0.1:$rgw_port
KILN_TEST_RGW_ACCESS_KEY=$access_key
KILN_TEST_RGW_SECRET_KEY=$secret_key
ASSIGNMENTS
}

# A start that did not come to its end leaves nothing running, and shows why. Stopping comes first:
# whoever reads these lines may have gone away.
ended() { # exit code
    trap '' INT TERM HUP PIPE
    local log after=$SECONDS
    stop
    {
        echo "ceph.sh: start failed after $after s with exit code $1; its logs end with"
        for log in "$dir"/log/*; do
            [[ ! -s $log ]] || { printf '\n==> %s\n' "$log" && tail -n 15 "$log"; }
        done
    } >&2
    exit "$1"
}

# SIGKILL at once: an orderly end would first write the memory store to disk, for nobody.
stop() {
    local pid pids tries=0
    [[ -e $dir/$MARK ]] || return 0
    pids=$(processes)
    for pid in $pids; do
        kill -KILL "$pid" 2>/dev/null || true
    done
    for pid in $pids; do
        while lives "$pid"; do
            ((tries++ < 100)) || fail "process $pid still lives 10 s after SIGKILL"
            sleep 0.1
        done
    done
    rm -rf "$dir"/{mon,osd,crash,monmap,initial.keys,ceph.conf} "$dir"/*.keyring
}

usage="usage: ceph.sh install | start DIR | stop DIR"
case "$#:${1:-}" in
    1:install) install ;;
    2:start | 2:stop)
        [[ -n $2 ]] || fail "$usage"
        dir=$(realpath --canonicalize-missing -- "$2")
        "$1"
        ;;
    *) fail "$usage" ;;
esac
