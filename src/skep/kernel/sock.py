"""Sockets of the internet protocols, TCP above all.

At a typed tracepoint a `struct sock *` is trusted, and so is the `struct tcp_sock` that
`bpf.tcp_sock` makes of it, whose beginning it is: their members are loaded directly.
"""

from skep.authoring.bpf import bpf
from skep.authoring.records import Record
from skep.fields.integers import U32
from skep.fields.internet import IPV4, IPV6

IPPROTO_TCP = 6
"""include/uapi/linux/in.h"""

AF_INET = 2
AF_INET6 = 10
"""include/linux/socket.h"""

ESTABLISHED = 1
SYN_SENT = 2
SYN_RECV = 3
FIN_WAIT1 = 4
CLOSE = 7
CLOSE_WAIT = 8
LAST_ACK = 9
"""States of TCP (include/net/tcp_states.h).  Those before FIN_WAIT1 are a connection's
youth; LISTEN, of sockets that are none, is behind it."""

SOCK_DONE = 1
"""The bit of sk_flags that says that a FIN has come (enum sock_flags, net/sock.h)."""


class Address(Record):
    """An `IpAddress`: the version of IP, then the address in network byte order."""

    version: U32
    word0: U32
    word1: U32
    word2: U32
    word3: U32


@bpf.inline
def is_ipv6(sk):
    """Whether a socket is of AF_INET6, also one that talks to an IPv4 host."""
    return sk.__sk_common.skc_family == AF_INET6


@bpf.inline
def ip_version(sk):
    """The version of IP that a socket was made for, for a field `IpVersion`."""
    return IPV6 if is_ipv6(sk) else IPV4


@bpf.inline
def is_of(sk, ipv4, ipv6):
    """Whether a socket is of the version that is asked for; without one, of any."""
    if ipv4 and is_ipv6(sk):
        return False
    return not ipv6 or is_ipv6(sk)


@bpf.inline
def is_tcp(sk):
    """Whether a socket of the internet families is one of TCP."""
    return sk.sk_protocol == IPPROTO_TCP


@bpf.inline
def local_address(sk, tp):
    """The address of this side, for a field `IpAddress`."""
    address = _ipv4(tp.inet_conn.icsk_inet.inet_saddr)
    # Kernels without CONFIG_IPV6 lack the member.
    if bpf.has_field("struct sock_common", "skc_v6_rcv_saddr"):
        if is_ipv6(sk):
            _set_ipv6(address, sk.__sk_common.skc_v6_rcv_saddr)
    return address


@bpf.inline
def remote_address(sk):
    """The address of the other side, for a field `IpAddress`."""
    address = _ipv4(sk.__sk_common.skc_daddr)
    if bpf.has_field("struct sock_common", "skc_v6_daddr"):
        if is_ipv6(sk):
            _set_ipv6(address, sk.__sk_common.skc_v6_daddr)
    return address


@bpf.inline
def _ipv4(word):
    return Address(version=IPV4, word0=word, word1=0, word2=0, word3=0)


@bpf.inline
def _set_ipv6(address, in6_addr):
    address.version = IPV6
    address.word0 = in6_addr.in6_u.u6_addr32[0]
    address.word1 = in6_addr.in6_u.u6_addr32[1]
    address.word2 = in6_addr.in6_u.u6_addr32[2]
    address.word3 = in6_addr.in6_u.u6_addr32[3]


@bpf.inline
def local_port(tp):
    """The port of this side.

    `inet_sport` and not `skc_num`: that is zero already when a socket that was not
    bound to its port becomes CLOSE (tcp_set_state, inet_put_port).
    """
    return bpf.ntohs(tp.inet_conn.icsk_inet.inet_sport)


@bpf.inline
def remote_port(sk):
    """The port of the other side."""
    return bpf.ntohs(sk.__sk_common.skc_dport)


@bpf.inline
def is_owned(sk):
    """Whether a task works on the socket, which then is the current one.

    The kernel's softirqs leave a socket that a task has locked alone: what comes in
    meanwhile waits for that task (`sock_owned_by_user`, include/net/sock.h).
    """
    return sk.sk_lock.owned != 0


@bpf.inline
def bytes_sent(tp, oldstate, connects):
    """The bytes of data that the other side has acknowledged, when a socket closes.

    `bytes_acked` also has one for the SYN, on the side that connects (the other's
    starts behind its SYN, tcp_create_openreq_child), and one for the FIN.
    """
    acked = tp.bytes_acked
    if connects and acked:
        acked -= 1
    # States with a FIN of our own, CLOSING (11) among them; it is the last byte.
    if oldstate >= FIN_WAIT1 and oldstate != CLOSE_WAIT and tp.snd_una == tp.write_seq:
        acked -= 1
    return acked


@bpf.inline
def bytes_received(sk, tp):
    """The bytes of data received in order; `bytes_received` has one for the FIN."""
    received = tp.bytes_received
    if sk.__sk_common.skc_flags >> SOCK_DONE & 1:
        received -= 1
    return received
