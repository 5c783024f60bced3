"""What addresses in real processes are called, however these were built and ended."""

from __future__ import annotations

import ctypes
import mmap
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from skep.symbols.kernel import KernelSymbols
from skep.symbols.resolver import Symbols
from skep.symbols.symbol import Symbol
from tests.live import support, workload

SOURCE = Path(__file__).parent / "workloads" / "frames.c"
FUNCTIONS = ["frames_inner", "frames_outer"]
FORMS = {
    "PIE": ("-fPIE", "-pie"),
    "fixed": ("-fno-pie", "-no-pie"),
    "static": ("-static",),
    "static PIE": ("-static-pie", "-fPIE"),
    "old hash": ("-Wl,--hash-style=sysv", "-fPIE", "-pie"),
    "huge pages": ("-fPIE", "-pie", "-Wl,-z,max-page-size=0x200000"),
    "one segment": ("-fPIE", "-pie", "-Wl,-z,noseparate-code"),
}


class Running(NamedTuple):
    """A process that runs "frames", and where it says that its functions are."""

    process: subprocess.Popen[bytes]
    places: dict[str, int]

    @property
    def pid(self) -> int:
        return self.process.pid

    def end(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


@contextmanager
def running(*command: str) -> Iterator[Running]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, close_fds=False)
    assert process.stdout
    places = {}
    try:
        for line in process.stdout:
            name, _, address = line.decode().rstrip().rpartition(" ")
            places[name] = int(address, 16)
            if name == "vdso":
                break
        run = Running(process, places)
        yield run
        run.end()
    finally:
        process.kill()
        process.wait()


def tool(name: str) -> str:
    """A compiler or the like; where it is missing its tests say so."""
    found = shutil.which(name)
    if found is None:
        raise unittest.SkipTest(f"there is no {name} here")
    return found


class SymbolsTest(support.LiveTest):
    def setUp(self) -> None:
        self.symbols = Symbols()
        self.addCleanup(self.symbols.close)
        directory = tempfile.TemporaryDirectory(prefix="skep-symbols-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def compiled(self, *options: str) -> str:
        """The program "frames", compiled with these options."""
        program = str(self.directory / "frames")
        command = [tool("gcc"), "-O2", *options, "-o", program, str(SOURCE)]
        subprocess.run(command, check=True)
        return program

    def assert_known(
        self, run: Running, program: str, names: list[str] = FUNCTIONS
    ) -> None:
        """Functions, places in them and returns to them have their names."""
        look = self.symbols.user
        for name in names:
            start = run.places[name]
            self.assertEqual(look(run.pid, start), Symbol(name, 0, program))
            self.assertEqual(look(run.pid, start + 3), Symbol(name, 3, program))
        returned = self.symbols.caller(run.pid, run.places["call frames_outer"])
        self.assertEqual(returned.name, "frames_outer")
        last = self.symbols.caller(run.pid, run.places["call frames_last"])
        self.assertEqual((last.name, last.module), ("frames_last", program))

    def assert_unknown(self, run: Running, name: str, program: str) -> None:
        """Of a function nothing but the file is known."""
        found = self.symbols.user(run.pid, run.places[name])
        self.assertEqual((found.name, found.module), (None, program))


@support.only_on("5.10", "7.2")
class StaticPrograms(SymbolsTest):
    """What the guests can run."""

    def setUp(self) -> None:
        super().setUp()
        self.program = workload.program("frames")

    def test_functions(self) -> None:
        with running(self.program) as run:
            self.assert_known(run, self.program)
            self.assertEqual(self.symbols.user(run.pid, 16), Symbol(None, 16))
            self.assertEqual(self.symbols.problems(), [])

    def test_remembered_after_the_end(self) -> None:
        with running(self.program) as run:
            self.symbols.remember(run.pid)
            run.end()
            self.symbols.refresh()
            self.assert_known(run, self.program)

    def test_not_seen_in_time(self) -> None:
        with running(self.program) as run:
            run.end()
            place = run.places["frames_outer"]
            self.assertEqual(self.symbols.user(run.pid, place), Symbol(None, place))
            (problem,) = self.symbols.problems()
            self.assertIn(f"process {run.pid}: it ended before", problem)

    def test_deleted_program_after_the_end(self) -> None:
        copy = str(self.directory / "copy")
        shutil.copy(self.program, copy)
        with running(copy) as run:
            os.unlink(copy)
            self.symbols.remember(run.pid)
            run.end()
            self.symbols.refresh()
            self.assert_known(run, copy)

    def test_replaced_program_is_not_taken_for_it(self) -> None:
        copy = str(self.directory / "copy")
        shutil.copy(self.program, copy)
        with running(copy) as run:
            self.symbols.remember(run.pid)
            run.end()
            os.rename(copy, f"{copy}.old")
            shutil.copy(self.program, copy)
            self.symbols.refresh()
            self.assert_unknown(run, "frames_outer", copy)
            (problem,) = self.symbols.problems()
            self.assertIn("is another file now", problem)

    def test_other_mount_namespace(self) -> None:
        hidden = self.directory / "hidden"
        seen = self.directory / "seen"
        for directory in (hidden, seen):
            directory.mkdir()
        shutil.copy(self.program, hidden / "program")
        shutil.copy("/bin/true", seen / "program")
        program = str(seen / "program")
        script = f'mount --bind "{hidden}" "{seen}" && exec "{program}"'
        for ends in (False, True):
            symbols = self.symbols = Symbols()
            self.addCleanup(symbols.close)
            with (
                self.subTest(ends=ends),
                running("unshare", "--mount", "sh", "-c", script) as run,
            ):
                symbols.remember(run.pid)
                if ends:
                    run.end()
                    symbols.refresh()
                self.assert_known(run, program)

    def test_exec_is_seen(self) -> None:
        script = f'echo vdso 0; read go; exec "{self.program}"'
        with running("sh", "-c", script) as run:
            self.symbols.remember(run.pid)
            assert run.process.stdin and run.process.stdout
            run.process.stdin.write(b"go\n")
            run.process.stdin.flush()
            for line in run.process.stdout:
                name, _, address = line.decode().rstrip().rpartition(" ")
                run.places[name] = int(address, 16)
                if name == "vdso":
                    break
            self.symbols.refresh()
            self.assert_known(run, self.program)

    def test_vdso(self) -> None:
        with running(self.program) as run:
            self.assert_vdso(run)
            self.symbols.remember(run.pid)
            run.end()
            self.symbols = Symbols()
            self.symbols.mapped(run.pid, self.vdso_line(run))
            self.assert_vdso(run)

    def vdso_line(self, run: Running) -> bytes:
        """As the kernel would have told of it; it has the size of our own."""
        lines = Path("/proc/self/maps").read_text().splitlines()
        own = next(line for line in lines if line.endswith("[vdso]"))
        start, end = (int(part, 16) for part in own.split()[0].split("-"))
        place = run.places["vdso"]
        return b"%x-%x r-xp 0 00:00 0 [vdso]\n" % (place, place + end - start)

    def assert_vdso(self, run: Running) -> None:
        place = run.places["vdso"]
        prefix = "__vdso_" if os.uname().machine == "x86_64" else "__kernel_"
        found = {
            self.symbols.user(run.pid, place + offset).name
            for offset in range(0, 0x3000, 4)
        }
        names = {f"{prefix}clock_gettime", f"{prefix}clock_getres"}
        self.assertEqual(names - found, set())
        self.assertEqual(self.symbols.user(run.pid, place).module, "[vdso]")


@support.only_on("5.10", "7.2")
class Told(SymbolsTest):
    """Processes that nobody looked at while they were there."""

    def line(self, run: Running) -> bytes:
        maps = Path(f"/proc/{run.pid}/maps").read_bytes().splitlines(True)
        return b"".join(line for line in maps if b"r-xp" in line and b"/" in line)

    def test_mapped_forked_executed(self) -> None:
        program = workload.program("frames")
        with running(program) as run:
            lines = self.line(run)
            run.end()
        self.symbols.mapped(run.pid, lines)
        child = 1 << 22  # more than there can be
        self.symbols.forked(child, run.pid)
        self.symbols.executed(child)
        self.assert_known(run, program)
        place = run.places["frames_outer"]
        found = self.symbols.user(child, place)
        self.assertEqual(found.name, "frames_outer")


class Compiled(SymbolsTest):
    """Programs as compilers and packagers make them."""

    def test_forms(self) -> None:
        for form, options in FORMS.items():
            with self.subTest(form=form):
                program = self.compiled(*options)
                with running(program) as run:
                    self.assert_known(run, program)

    def test_stripped(self) -> None:
        program = self.compiled("-s", "-rdynamic")
        with running(program) as run:
            self.assert_unknown(run, "frames_inner", program)
            found = self.symbols.user(run.pid, run.places["frames_outer"])
            self.assertEqual(found.name, "frames_outer")

    def test_debug_link(self) -> None:
        program = self.compiled("-g")
        debug = f"{program}.debug"
        copy = tool("objcopy")
        subprocess.run([copy, "--only-keep-debug", program, debug], check=True)
        link = f"--add-gnu-debuglink={debug}"
        subprocess.run([copy, "--strip-all", link, program], check=True)
        for where in (".", ".debug"):
            with self.subTest(where=where), running(program) as run:
                self.assert_known(run, program)
            (self.directory / ".debug").mkdir(exist_ok=True)
            if where == ".":
                debug = shutil.move(debug, str(self.directory / ".debug"))
            self.symbols = Symbols()
        with open(debug, "ab") as file:
            file.write(b"of another build")
        with running(program) as run:
            self.assert_unknown(run, "frames_inner", program)

    def test_compressed_symbols(self) -> None:
        import lzma

        program = self.compiled("-rdynamic")
        copy, mini = tool("objcopy"), self.directory / "mini"
        command = [copy, "-S", "--remove-section", ".comment", "--keep-symbol"]
        subprocess.run([*command, "frames_inner", program, str(mini)], check=True)
        packed = self.directory / "mini.xz"
        packed.write_bytes(lzma.compress(mini.read_bytes()))
        section = f".gnu_debugdata={packed}"
        strip = [copy, "--strip-all", "--add-section", section, program]
        subprocess.run(strip, check=True)
        with running(program) as run:
            self.assert_known(run, program)

    def test_library_that_is_loaded_later(self) -> None:
        library = str(self.directory / "late.so")
        source = self.directory / "late.c"
        source.write_text("int late_function(int a) { return a * 1009; }\n")
        options = ("-shared", "-fPIC", "-O1", "-o", library)
        subprocess.run([tool("gcc"), *options, str(source)], check=True)
        pid = os.getpid()
        self.symbols.remember(pid)
        function = ctypes.CDLL(library).late_function
        address = ctypes.cast(function, ctypes.c_void_p).value
        assert address
        found = self.symbols.user(pid, address)
        self.assertEqual(found, Symbol("late_function", 0, library))

    def test_cpp(self) -> None:
        source = self.directory / "names.cc"
        source.write_text(
            "#include <cstdio>\n#include <unistd.h>\n"
            "namespace outer { template <class T> struct Box {\n"
            "  __attribute__((noinline)) void open(T, const char *) {\n"
            '    std::printf("open %lx\\n", (long)__builtin_return_address(0)); }\n'
            "  __attribute__((noinline)) int hold(T t) { open(t, 0); return 3; } }; }\n"
            "int main() { outer::Box<long> b; int n = b.hold(5);\n"
            '  std::puts("vdso 0"); std::fflush(stdout);\n'
            "  char c; while (read(0, &c, 1) > 0) {} return n - 3; }\n"
        )
        program = str(self.directory / "names")
        subprocess.run([tool("g++"), "-O1", "-o", program, str(source)], check=True)
        with running(program) as run:
            found = self.symbols.caller(run.pid, run.places["open"])
            self.assertEqual(found.name, "outer::Box<long>::hold(long)")

    def test_rust(self) -> None:
        source = self.directory / "names.rs"
        source.write_text(
            "mod inner { pub struct Held<T>(pub T);\n"
            "  impl<T: Copy + Into<u64>> Held<T> {\n"
            "    #[inline(never)] pub fn get(&self) -> u64 { self.0.into() } } }\n"
            "fn main() { let held = inner::Held(7u32);\n"
            '  println!("get {:x}", inner::Held::<u32>::get as usize);\n'
            '  println!("vdso 0"); let mut text = String::new();\n'
            "  std::io::stdin().read_line(&mut text).unwrap();\n"
            "  assert_eq!(held.get(), 7); }\n"
        )
        program = str(self.directory / "names")
        for version in ("legacy", "v0"):
            option = f"symbol-mangling-version={version}"
            command = [tool("rustc"), "-O", "-C", option, "-o", program, str(source)]
            if subprocess.run(command, capture_output=True).returncode:
                continue  # this compiler knows no such option
            with self.subTest(version=version), running(program) as run:
                name = self.symbols.user(run.pid, run.places["get"]).name
                # Older names lack the parameters.
                self.assertIn(name, ("<names::inner::Held<u32>>::get", LEGACY))


LEGACY = "names::inner::Held<T>::get"


@support.only_on("5.10", "7.2")
class PerfMaps(SymbolsTest):
    """Functions that were compiled at run time."""

    def setUp(self) -> None:
        super().setUp()
        code = mmap.PROT_READ | mmap.PROT_EXEC
        self.memory = mmap.mmap(-1, mmap.PAGESIZE, prot=code | mmap.PROT_WRITE)
        self.address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        self.path = Path(f"/tmp/perf-{os.getpid()}.map")
        self.addCleanup(self.remove)

    def remove(self) -> None:
        if self.path.exists():
            self.path.unlink()

    def write(self, *names: str) -> None:
        """Functions of 64 bytes each, the first one first."""
        lines = [
            f"{self.address + 64 * number:x} 40 {name}\n"
            for number, name in enumerate(names)
        ]
        self.path.write_text("".join(lines))

    def names(self) -> list[str | None]:
        self.symbols.refresh()
        pid = os.getpid()
        places = (self.address, self.address + 63, self.address + 64)
        return [self.symbols.user(pid, place).name for place in places]

    def test_functions_come_and_change(self) -> None:
        self.assertEqual(self.names(), [None, None, None])
        self.write("py::first function:/tmp/a b.py")
        name = "py::first function:/tmp/a b.py"
        self.assertEqual(self.names(), [name, name, None])
        self.write("first", "second")
        self.assertEqual(self.names(), ["first", "first", "second"])
        found = self.symbols.user(os.getpid(), self.address + 5)
        self.assertEqual(found, Symbol("first", 5, str(self.path)))

    def test_files_of_others_are_not_believed(self) -> None:
        self.write("forged")
        os.chown(self.path, 65534, 65534)
        self.assertEqual(self.names(), [None, None, None])
        (problem,) = self.symbols.problems()
        self.assertIn("belongs to user 65534", problem)

    def test_links_are_not_followed(self) -> None:
        other = self.directory / "map"
        other.write_text(f"{self.address:x} 40 linked\n")
        self.path.symlink_to(other)
        self.assertEqual(self.names(), [None, None, None])

    def test_python_says_what_it_compiles(self) -> None:
        if sys.version_info < (3, 12) or not getattr(sys, "_is_gil_enabled", bool):
            self.skipTest("this Python writes no perf map")
        script = (
            "import sys, time\n"
            "def told(): print('vdso 0', flush=True); sys.stdin.read()\ntold()\n"
        )
        with running(sys.executable, "-X", "perf", "-c", script) as run:
            path = Path(f"/tmp/perf-{run.pid}.map")
            self.addCleanup(path.unlink)
            lines = path.read_text().splitlines()
            line = next(line for line in lines if line.endswith("py::told:<string>"))
            address = int(line.split()[0], 16)
            name = self.symbols.user(run.pid, address + 1).name
            self.assertEqual(name, "py::told:<string>")


ENDS = {"_etext", "_einittext", "__exittext_end"}
"""Symbols where code of the kernel ends, which is in no function."""


class Kernel(SymbolsTest):
    def test_names_are_those_of_kallsyms(self) -> None:
        def read() -> list[str]:
            with open("/proc/kallsyms") as file:
                return file.readlines()

        before = read()
        self.assertEqual(self.symbols.kernel(5), Symbol(None, 5))
        # Programs that tools before have loaded may just now be going.
        stayed = set(read())
        lines = [line.split() for line in before if line in stayed]
        # In modules of arm64, "$x" is no function but the start of code.
        code = [line for line in lines if line[1] in "tT" and line[2][0] != "$"]
        if not any(int(line[0], 16) for line in code):
            self.skipTest("the kernel hides its addresses")
        names: dict[int, set[str]] = {}
        for address, _, name, *_ in lines:
            names.setdefault(int(address, 16), set()).add(name)
        for address, _, _, *module in code[:: len(code) // 997]:
            place = int(address, 16)
            found = self.symbols.kernel(place)
            if found.name is None:
                self.assertTrue(names[place] & ENDS, (hex(place), names[place]))
                continue
            self.assertIn(found.name, names[place])
            self.assertEqual(found.offset, 0)
            self.assertEqual(found.module, module[0][1:-1] if module else "kernel")

    def test_hidden_addresses_have_a_reason(self) -> None:
        said = self.directory / "said"
        said.touch()
        said.chmod(0o666)

        def look() -> None:
            with said.open("w") as file:
                os.setresuid(65534, 65534, 65534)
                kernel = KernelSymbols()
                file.write(f"{kernel.lookup(1 << 63).name} {kernel.problem}")

        support.fork(look)
        if said.read_text() == "None ":
            self.skipTest("the kernel shows its addresses to everybody here")
        self.assertIn("None the kernel hides", said.read_text())
