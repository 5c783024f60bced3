"""zfsslower shows every operation on files of OpenZFS: in a guest of its own.

ZFS is not part of the kernel. `./test --guests --zfs` builds it for a guest; on every
other machine these tests are skipped.
"""

from __future__ import annotations

from tests.live import test_fsslower as fsslower


class Zfs(fsslower.EveryOperation, fsslower.FsslowerTest):
    kind = "zfs"
    attached = ":zpl_iter_read"
