#!/usr/bin/env bash
# Training on several processes, beyond what `make test` checks: both MPI libraries, two machines (network namespaces joined by a
# link of a given rate), faults, speed. Needs root.
#
# usage: check-cluster.sh FOLDER-OF-COMMANDS TEXT [ROUNDS]
set -euo pipefail
bin=$(realpath "$1") text=$(realpath "$2") rounds=${3:-3}
work=$(mktemp -d)
cd "$work"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
failures=0

fail() { echo "FAILED: $*"; failures=$((failures + 1)); }

# MARK: Two machines

up() { # RATE
    for host in a b; do
        ip netns add escriba-$host
        ip -n escriba-$host link set lo up
        mkdir -p /etc/netns/escriba-$host
        printf '127.0.0.1 localhost\n10.77.0.1 escriba-a\n10.77.0.2 escriba-b\n' > /etc/netns/escriba-$host/hosts
    done
    ip link add escriba-va netns escriba-a type veth peer name escriba-vb netns escriba-b
    ip -n escriba-a addr add 10.77.0.1/24 dev escriba-va
    ip -n escriba-b addr add 10.77.0.2/24 dev escriba-vb
    for host in a b; do
        ip -n escriba-$host link set escriba-v$host up
        tc -n escriba-$host qdisc add dev escriba-v$host root tbf rate "$1" burst 256kb latency 50ms
    done
}

down() {
    for host in a b; do
        ip netns del escriba-$host 2> /dev/null || true
        rm -rf /etc/netns/escriba-$host
    done
}

finish() {
    jobs -p | xargs -r kill 2> /dev/null || true
    umount disk 2> /dev/null || true
    down
    rm -rf "$work"
}
trap finish EXIT

# What mpirun calls in place of ssh: HOST COMMAND...
cat > agent.sh <<'AGENT'
#!/bin/sh
host=$1
shift
case $host in 10.77.0.2 | escriba-b) host=escriba-b ;; *) host=escriba-a ;; esac
exec ip netns exec $host unshare --uts sh -c "hostname $host; $*"
AGENT
chmod +x agent.sh

openmpi() { # RANKS COMMAND...
    local ranks=$1
    shift
    mpirun.openmpi --oversubscribe --bind-to none -np "$ranks" "$@"
}

mpich() {
    local ranks=$1
    shift
    mpirun.mpich -np "$ranks" "$@"
}

network() { # one rank on each machine
    shift
    ip netns exec escriba-a unshare --uts sh -c 'hostname escriba-a; exec "$@"' sh \
        mpirun.openmpi --host escriba-a:1,escriba-b:1 --mca plm_rsh_agent "$work/agent.sh" --mca btl tcp,self --mca pml ob1 \
        --mca oob_tcp_if_include 10.77.0.0/24 --mca btl_tcp_if_include 10.77.0.0/24 --bind-to none -np 2 "$@"
}

alone() {
    shift
    "$@"
}

# MARK: The same bits

# The tensors of a file: what follows the header, whose length is in the first eight bytes.
tensors() { tail -c +$(($(od -An -t u8 -N 8 "$1") + 9)) "$1" | sha256sum | cut -c 1-16; }

small="--steps 60 --batch 64 --hidden 64 --layers 2 --dropout 0.2 --seed 3 --evaluate-every 30 --threads 1 --quiet --overwrite"
head -c 100000 "$text" > small.txt

bits() { # NAME LAUNCHER RANKS
    "$2" "$3" "$bin/train" small.txt $small --output "$1.safetensors" > "$1.out" 2> "$1.err" || fail "$1: $(tail -1 "$1.err")"
    echo "$1: $(tensors "$1.safetensors") $(tensors "$1.last.safetensors")"
    [ "$(tensors "$1.safetensors") $(tensors "$1.last.safetensors")" = "$(tensors one.safetensors) $(tensors one.last.safetensors)" ] || fail "$1 has other tensors"
}

echo "== the same bits"
down
up 1gbit
bits one alone 1
for ranks in 2 3 4; do
    bits openmpi-$ranks openmpi $ranks
    bits mpich-$ranks mpich $ranks
done
bits network-2 network 2

# MARK: Faults

# The process of a rank of the running launch.
rank() { # RANK
    for process in $(pgrep -f "^$bin/train small.txt"); do
        tr '\0' '\n' < /proc/$process/environ 2> /dev/null | grep -qE "^(OMPI_COMM_WORLD_RANK|PMI_RANK)=$1$" && echo "$process" && return
    done
}

fault() { # NAME LAUNCHER RANKS SECONDS ACTION...: all must have ended after so many seconds, what was saved goes on
    local name=$1 launcher=$2 ranks=$3 limit=$4
    shift 4
    rm -f fault.*
    # shellcheck disable=SC2086
    "$launcher" "$ranks" "$bin/train" small.txt $small --steps 10000000 --checkpoint-every 1 --output fault.safetensors \
        > fault.out 2> fault.err &
    local job=$! began code=0
    while [ ! -e fault.last.safetensors ]; do
        kill -0 $job 2> /dev/null || { fail "$name: it did not begin: $(tail -2 fault.err)"; return; }
        sleep 0.2
    done
    sleep 1
    began=$(date +%s)
    "$@"
    while [ -n "$(pgrep -f "^$bin/train small.txt")" ]; do
        [ $(($(date +%s) - began)) -le "$limit" ] || { fail "$name: ranks are left"; pkill -9 -f "^$bin/train small.txt"; }
        sleep 1
    done
    local seconds=$(($(date +%s) - began))
    # Open MPI's launcher waits for a machine that it does not reach any more.
    if [ "$launcher" = network ]; then sleep 2; kill $job; ip netns pids escriba-b | xargs -r kill || true; fi
    wait $job || code=$?
    echo "$name: code $code, all ranks ended after $seconds s: $(grep -hE '^(error|stopp|another)' fault.err | tr '\n' ' ')"
    [ $code != 0 ] && [ "$(grep -c '^error' fault.err)" -le 1 ] || fail "$name: code $code"
    "$bin/train" --resume fault.last.safetensors --steps 1 --quiet > /dev/null 2> resume.err || fail "$name: $(cat resume.err)"
}

stop() { kill -STOP "$(rank "$1")"; }
end() { kill -"$1" "$(rank "$2")"; }
silence() { ip -n escriba-a link set escriba-va down; }

echo "== faults"
for launcher in openmpi mpich; do
    fault "$launcher: kill -9 of rank 1" $launcher 3 60 end KILL 1
    fault "$launcher: SIGTERM to rank 2" $launcher 3 60 end TERM 2
    fault "$launcher: rank 1 stopped" $launcher 3 60 stop 1
    fault "$launcher: rank 0 stopped" $launcher 3 60 stop 0
done
fault "openmpi: Ctrl-C to mpirun" openmpi 3 60 pkill -INT -f "^mpirun.openmpi.*small.txt"
fault "the network goes silent" network 2 60 silence
down

disk() { # a full disk on rank 0
    mkdir -p disk
    mount -t tmpfs -o size=1200k none disk
    local code=0
    # shellcheck disable=SC2086
    openmpi 2 "$bin/train" small.txt $small --hidden 128 --output disk/m.safetensors > disk.out 2> disk.err || code=$?
    echo "a full disk: code $code: $(grep -h '^error' disk.err | tr '\n' ' ')"
    [ $code != 0 ] && [ "$(grep -c '^error' disk.err)" = 1 ] || fail "a full disk: code $code"
    umount disk
}
disk

# MARK: Speed

# Symbols a second, the median of the lines of metrics but the first.
speed() { # LAUNCHER RANKS THREADS
    rm -f speed.jsonl
    "$1" "$2" "$bin/train" "$text" --cell lstm --layers 2 --hidden 512 --embedding 64 --dropout 0.2 --batch 64 --window 64 --steps 30 \
        --threads "$3" --seed 1 --log-every 5 --metrics speed.jsonl --overwrite --output speed.safetensors --validation-fraction 0 \
        > /dev/null 2> speed.err || { fail "speed: $(tail -3 speed.err)"; echo 1; return; }
    sed -n 's/.*"tokens_per_second":\([0-9]*\).*/\1/p' speed.jsonl | tail -n +2 | sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'
}

median() { sort -n | awk '{v[NR]=$1} END {printf "%.3f", v[int((NR+1)/2)]}'; }

echo "== speed: LSTM 2 x 512, batch 64, window 64; symbols a second, one beside the other, then the median of the ratios"
for round in $(seq "$rounds"); do
    threads=$(speed alone 1 2) one=$(speed alone 1 1)
    line="round $round: 1 rank of 2 threads $threads, 1 of 1 $one"
    for launcher in openmpi mpich; do
        two=$(speed $launcher 2 1)
        line="$line, 2 by $launcher $two"
        awk "BEGIN {print $two / $threads}" >> ratio-$launcher
    done
    for rate in 10gbit 1gbit 100mbit; do
        up $rate
        two=$(speed network 2 1)
        line="$line, 2 over $rate $two"
        awk "BEGIN {print $two / $one}" >> ratio-$rate
        down
    done
    echo "$line"
done
for launcher in openmpi mpich; do
    echo "2 ranks of 1 thread by $launcher beside 1 rank of 2 threads: $(median < ratio-$launcher)"
done
for rate in 10gbit 1gbit 100mbit; do echo "2 ranks of 1 thread over $rate beside 1 rank of 1 thread: $(median < ratio-$rate)"; done

[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
echo "all of it is as it should be"
