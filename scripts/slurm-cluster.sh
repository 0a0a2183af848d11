# shellcheck shell=bash
# A Slurm of two nodes on this machine, below a folder: `slurm_up FOLDER`, `slurm_node FOLDER NAME`, `slurm_kill_node FOLDER NAME`, `slurm_down FOLDER`. Debian's
# packages, installed where they are missing; nothing of the machine's own configuration is read or changed. To be sourced.

slurm_install() {
    if ! command -v slurmctld > /dev/null || ! command -v slurmd > /dev/null || ! command -v munged > /dev/null; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge > /dev/null
    fi
}

slurm_up() {
    local place=$1 node port=17818
    slurm_install
    mkdir -p "$place/state"
    (umask 077 && head -c 1024 /dev/urandom > "$place/munge.key")
    munged --force --socket "$place/munge.sock" --key-file "$place/munge.key" --pid-file "$place/munge.pid" --log-file "$place/munge.log" \
        --seed-file "$place/munge.seed"
    cat > "$place/slurm.conf" <<CONF
ClusterName=check
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmctldPort=17817
AuthType=auth/munge
# A job that comes round again waits as long as a credential is valid.
AuthInfo=socket=$place/munge.sock,cred_expire=5
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool.%n
# PMIx makes a folder of one name on each node.
TmpFS=$place/tmp.%n
SlurmdPidFile=$place/slurmd.%n.pid
SlurmdLogFile=$place/slurmd.%n.log
SlurmctldPidFile=$place/slurmctld.pid
SlurmctldLogFile=$place/slurmctld.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=12
KillWait=5
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
CONF
    for node in one two; do
        echo "NodeName=$node NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=$port CPUs=2 RealMemory=4000" >> "$place/slurm.conf"
        port=$((port + 1))
    done
    echo "PartitionName=all Nodes=one,two Default=YES MaxTime=INFINITE State=UP" >> "$place/slurm.conf"
    export SLURM_CONF=$place/slurm.conf
    slurmctld -f "$SLURM_CONF"
    slurm_node "$place" one
    slurm_node "$place" two
    for _ in $(seq 60); do
        [ "$(sinfo --noheader --Node --format=%t 2> /dev/null | grep -c idle)" = 2 ] && return 0
        sleep 0.5
    done
    echo "Slurm does not come up" >&2
    tail -n 20 "$place"/*.log >&2
    return 1
}

slurm_node() {
    mkdir -p "$1/spool.$2" "$1/tmp.$2"
    slurmd -N "$2" -f "$1/slurm.conf"
}

# As if its power were cut: the daemon, its steps and all that they have started.
slurm_kill_node() {
    local place=$1 node=$2 environ pid parent
    kill -KILL "$(cat "$place/slurmd.$node.pid")"
    for environ in /proc/[0-9]*/environ; do
        if [ "$({ tr '\0' '\n' < "$environ"; } 2> /dev/null | grep -cx -e "SLURMD_NODENAME=$node" -e "SLURM_CONF=$place/slurm.conf")" = 2 ]; then
            pid=${environ#/proc/}
            pid=${pid%/environ}
            parent=$(ps -o ppid= -p "$pid" | tr -d ' ') || continue
            # What a step has started has the step itself, which would say that it ended, as its parent.
            if [ "$(ps -o comm= -p "$parent")" = slurmstepd ]; then
                kill -KILL "$parent" 2> /dev/null || true
            fi
            kill -KILL "$pid" 2> /dev/null || true
        fi
    done
}

slurm_down() {
    local place=$1 file left
    # Some of it may not have come up, or is killed already.
    scancel --user="$(id -un)" 2> /dev/null || true
    sleep 1
    for file in "$place"/slurmd.*.pid "$place/slurmctld.pid" "$place/munge.pid"; do
        if [ -f "$file" ]; then
            kill "$(cat "$file")" 2> /dev/null || true
        fi
    done
    # The controller writes down what it knows, and each takes its file away as the last.
    for _ in $(seq 40); do
        left=$(cat "$place"/slurm*.pid 2> /dev/null) || true
        [ -n "$left" ] || return 0
        sleep 0.2
    done
    for file in $left; do
        kill -KILL "$file" 2> /dev/null || true
    done
}
