"""The file systems and servers that other live tests use do work."""

import os

from tests.live import filesystems, nfs, support

CONTENT = b"prime" * 10007


class Mounts(support.LiveTest):
    def check(self, directory):
        path = os.path.join(directory, "file")
        with open(path, "wb") as file:
            file.write(CONTENT)
            os.fsync(file.fileno())
        with open(path, "rb") as file:
            self.assertEqual(file.read(), CONTENT)
        os.unlink(path)

    def mount_type(self, directory):
        with open("/proc/mounts") as mounts:
            types = {line.split()[1]: line.split()[2] for line in mounts}
        return types.get(directory)

    def test_each_type_of_file_system(self):
        for kind in filesystems.available():
            with self.subTest(kind=kind):
                with filesystems.mounted(kind) as directory:
                    self.assertEqual(self.mount_type(directory), kind)
                    self.check(directory)
                self.assertFalse(os.path.exists(directory))

    @support.only_on("5.10", "7.2")
    def test_each_version_of_nfs(self):
        directory = self.enter(filesystems.mount_point("tmpfs", "tmpfs"))
        self.enter(nfs.server(directory))
        for version in nfs.VERSIONS:
            with self.subTest(version=version):
                with nfs.client(directory, version) as mount:
                    kind = "nfs" if version == "3" else "nfs4"
                    self.assertEqual(self.mount_type(mount), kind)
                    self.check(mount)
                self.assertFalse(os.path.exists(mount))

    def enter(self, manager):
        """Enters a context until the test ends."""
        result = manager.__enter__()
        self.addCleanup(manager.__exit__, None, None, None)
        return result
