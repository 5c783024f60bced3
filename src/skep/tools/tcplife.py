"""Trace TCP connections, a row for each when it ends.

Shows who was connected to whom, how much was sent and received, and how long the
connection lasted.  Attempts to connect that fail are shown, too.

Examples:
    tcplife -D 80,443       only connections to these ports of other hosts
    tcplife -wT             room for IPv6 addresses, and the time of day
    tcplife -stL 22 -p 181  comma-separated values, one process and port
"""

from skep import Map, Record, Stream, TaskOptions, bpf, column, on, option
from skep.errors import UsageError
from skep.fields import (
    U32,
    U64,
    CgroupId,
    Comm,
    IpAddress,
    IpVersion,
    KiloBytes,
    LatencyMs,
    Pid,
    Port,
    Time,
    Uid,
    WallClock,
)
from skep.kernel import sock
from skep.toolkit import choose_csv


class Options(TaskOptions):
    letters = {"pid": "-p", "timestamp": "-t"}

    time: bool = option("-T", "--time", help="show the time of day")
    wide: bool = option("-w", "--wide", help="wide columns, for IPv6 addresses")
    csv: bool = option("-s", "--csv", help="comma-separated values")
    local_ports: Port = option(
        "-L", "--localport", metavar="A,B", listed=True, help="only these local ports"
    )
    remote_ports: Port = option(
        "-D", "--remoteport", metavar="A,B", listed=True, help="only these remote ports"
    )
    ipv4: bool = option("-4", "--ipv4", help="only IPv4 sockets")
    ipv6: bool = option("-6", "--ipv6", help="only IPv6 sockets")

    def finish(self):
        if self.ipv4 and self.ipv6:
            raise UsageError("-4 and -6 exclude each other")
        choose_csv(self, "-s")


def narrow(options):
    return options.format == "table" and not options.wide


SHOWN = ("wide", "csv")


class Connection(Record):
    time: WallClock = column(when=Options.time)
    timestamp: Time = column(width=9, format=".6f", when=Options.timestamp)
    uid: Uid = column(when=Options.show_uid)
    pid: Pid = column(width=5)
    comm: Comm = column(
        width=lambda o: 10 if narrow(o) else 16,
        format=lambda o: ".10" if narrow(o) else "",
    )
    ip: IpVersion = column(when=lambda options: not narrow(options))
    laddr: IpAddress = column(width=lambda o: 15 if narrow(o) else 39)
    lport: Port
    raddr: IpAddress = column(width=lambda o: 15 if narrow(o) else 39)
    rport: Port
    tx_bytes: KiloBytes = column(title="TX_KB", width=lambda o: 5 if narrow(o) else 6)
    rx_bytes: KiloBytes = column(title="RX_KB", width=lambda o: 5 if narrow(o) else 6)
    cgroup: CgroupId = column(when=Options.show_cgroup)
    lifetime: LatencyMs = column(title="MS", width=0)


class Life(Record):
    """What is known of a socket before it closes; pid 0: not yet whose it is."""

    born_ns: U64
    cgroup: U64
    comm: Comm
    pid: U32
    connects: U32  # with a SYN of its own, which is acknowledged
    wanted: U32


connections = Stream(Connection)
lives = Map("u64", Life, size=65536)


@bpf.inline
def selected(sk, newstate):
    if not sock.is_tcp(sk) or not sock.is_of(sk, Options.ipv4, Options.ipv6):
        return False
    # The local port is chosen after the change to SYN_SENT.
    if newstate == sock.SYN_SENT:
        return True
    if Options.local_ports:
        tp = bpf.tcp_sock(sk)
        if tp is None or sock.local_port(tp) not in Options.local_ports:
            return False
    return not Options.remote_ports or sock.remote_port(sk) in Options.remote_ports


@on.raw_tracepoint("inet_sock_set_state")
def changed(sk, oldstate, newstate):
    key = bpf.address(sk)
    if not selected(sk, newstate):
        lives.delete(key)
        return
    life = lives.lookup(key)
    if newstate < sock.FIN_WAIT1 and (life is None or newstate == sock.SYN_SENT):
        connects = sock.SYN_SENT in (oldstate, newstate)
        new = Life(born_ns=0, comm="?", pid=0, cgroup=0, connects=connects, wanted=0)
        lives.update(key, new)
        life = lives.lookup(key)
    if life is None:
        return  # it listened, was connected before tracing began, or the map is full
    if newstate < sock.FIN_WAIT1:
        life.born_ns = bpf.ktime_ns()
    # Most changes are made where packets arrive, in whatever task that interrupts.
    if sock.is_owned(sk) and (life.pid == 0 or newstate == sock.LAST_ACK):
        life.pid = bpf.pid()
        life.comm = bpf.comm()
        life.cgroup = bpf.cgroup_id() if Options.show_cgroup else 0
        life.wanted = Options.selected()
    if newstate == sock.CLOSE:
        if life.wanted or not Options.filters_tasks:
            show(sk, oldstate, life)
        lives.delete(key)


@bpf.inline
def show(sk, oldstate, life):
    tp = bpf.tcp_sock(sk)
    if tp is None:
        return  # never: it is a whole socket of TCP
    connections.emit(
        uid=sk.sk_uid.val,
        pid=life.pid,
        comm=life.comm,
        ip=sock.ip_version(sk),
        laddr=sock.local_address(sk, tp),
        lport=sock.local_port(tp),
        raddr=sock.remote_address(sk),
        rport=sock.remote_port(sk),
        tx_bytes=sock.bytes_sent(tp, oldstate, life.connects),
        rx_bytes=sock.bytes_received(sk, tp),
        cgroup=life.cgroup,
        lifetime=bpf.ktime_ns() - life.born_ns,
    )
