"""Runs skep from its zip file, in which this is `__main__.py`.

Python keeps no bytecode of modules in zip files, and compiling them takes longer than
all else.  So it is kept here, in a directory below the user's own `.cache` that belongs
to the user and is open to nobody else; without such a directory, modules are compiled
at each start.  The source stays in the zip file: it is needed for kernel-side code.

This module itself is compiled at each start, so it is short.  Python before 3.9 must be
able to read it, to say that it is too old.
"""

import sys

if sys.version_info < (3, 9):  # noqa: UP036
    version = ".".join(map(str, sys.version_info[:2]))
    sys.exit(f"skep: needs Python 3.9 or later, and this is {version}")

import _signal as signal  # what is beneath "signal", which first imports more

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Until a tool waits for Ctrl-C, it dies of it: without a word.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import _imp
import gc
import marshal
import os
from importlib.machinery import ModuleSpec
from zipimport import ZipImportError, zipimporter

CONTENT = "@CONTENT@"
"""The hash of all files, which the build puts here."""

_OPTIMIZE = min(sys.flags.optimize, 1)
"""How modules are compiled: what tools say of themselves, which "python3 -OO" would
leave out, is their help."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def open_cache(home, name):
    """A descriptor of the directory .cache/skep/`name` in `home`, made if missing.

    None if any directory on the way belongs to somebody else, is a link, or lets others
    write; the last one must not even let them in.
    """
    directory = None
    try:
        directory = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
        for step in (".cache", "skep", name):
            if not _is_own(directory, 0o022):
                return _closed(directory)
            try:
                os.mkdir(step, 0o700, dir_fd=directory)
            except FileExistsError:
                pass
            above, directory = directory, os.open(step, _DIRECTORY, dir_fd=directory)
            os.close(above)
        return directory if _is_own(directory, 0o077) else _closed(directory)
    except OSError:
        return _closed(directory)


def _is_own(directory, forbidden):
    status = os.fstat(directory)
    return status.st_uid == os.geteuid() and not status.st_mode & forbidden


def _closed(directory):
    if directory is not None:
        os.close(directory)


class Importer:
    """Imports the package skep from a zip file, with its bytecode in `cache`."""

    def __init__(self, archive, cache):
        self.archive = archive
        self._cache = cache

    def find_spec(self, name, path=None, target=None):
        """The place of a module of skep; None for others."""
        if name.partition(".")[0] != "skep":
            return None
        found = self._cached(name) or self._compiled(name)
        if found is None:
            return None
        is_package, code = found
        path = os.path.join(self.archive, *name.split("."))
        file = os.path.join(path, "__init__.py") if is_package else path + ".py"
        spec = ModuleSpec(name, self, origin=file, is_package=is_package)
        spec.has_location = True
        spec.loader_state = code
        if is_package:
            spec.submodule_search_locations.append(path)
        return spec

    def create_module(self, spec):
        """Python makes it."""

    def exec_module(self, module):
        """Run the code of a module."""
        spec = module.__spec__
        # The archive may have had another place when the code was compiled.
        _imp._fix_co_filename(spec.loader_state, spec.origin)
        exec(spec.loader_state, module.__dict__)

    def get_source(self, name):
        """The source of a module."""
        return self._zip(name).get_source(name)

    def _zip(self, name):
        return zipimporter(os.path.join(self.archive, *name.split(".")[:-1]))

    def _cached(self, name):
        if self._cache is None:
            return None
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW
            file = os.open(name, flags, dir_fd=self._cache)
            try:
                found = marshal.loads(os.read(file, os.fstat(file).st_size))
            finally:
                os.close(file)
            return found if len(found) == 2 else None
        except (OSError, EOFError, ValueError, TypeError):
            return None

    def _compiled(self, name):
        try:
            zipped = self._zip(name)
            source, file = zipped.get_source(name), zipped.get_filename(name)
        except ZipImportError:
            return None
        code = compile(source, file, "exec", 0, True, _OPTIMIZE)
        found = zipped.is_package(name), code
        if self._cache is not None:
            self._keep(name, marshal.dumps(found))
        return found

    def _keep(self, name, data):
        """Write bytecode, under another name first: others may be reading."""
        draft = f"{name}.{os.getpid()}"
        try:
            file = os.open(draft, _NEW, 0o600, dir_fd=self._cache)
            try:
                is_whole = os.write(file, data) == len(data)
            finally:
                os.close(file)
            if is_whole:
                here = {"src_dir_fd": self._cache, "dst_dir_fd": self._cache}
                os.rename(draft, name, **here)
            else:
                os.unlink(draft, dir_fd=self._cache)
        except OSError:
            pass  # no space: the next start compiles again


def run(archive, keeps):
    """Run the skep in an archive; `keeps` says whether its bytecode may be kept.

    The exit status.
    """
    gc.disable()  # until a tool is attached: there is hardly any garbage before
    cache = None
    if keeps:
        from pwd import getpwuid

        # Not $HOME, which may be that of the user who called sudo.
        try:
            home = getpwuid(os.geteuid()).pw_dir
        except KeyError:
            home = ""
        python = f"{sys.implementation.cache_tag}-{sys.hexversion:x}"
        name = f"{CONTENT[:16]}-{python}-{_OPTIMIZE}"
        cache = open_cache(home, name)
    sys.meta_path.insert(0, Importer(archive, cache))
    from skep.cli import main

    return main()


if __name__ == "__main__":
    sys.path[0] = os.path.realpath(sys.path[0])
    os._exit(run(sys.path[0], not os.environ.get("SKEP_NO_CACHE")))
