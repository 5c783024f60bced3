"""skep.pyz runs every tool, and what they write is what `skep describe` says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from unittest import mock

from tests.live import every_tool, preemption, support
from tests.live.every_tool import Case
from tests.live.support import TREE, Tool

_TYPES: Mapping[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def is_of(value: Any, type_: Mapping[str, Any]) -> bool:
    """Whether a value has a type in the words of JSON Schema, as far as skep says."""
    names = type_["type"] if isinstance(type_["type"], list) else [type_["type"]]
    if isinstance(value, bool) and "boolean" not in names:
        return False
    if not any(isinstance(value, _TYPES[name]) for name in names):
        return False
    if isinstance(value, list) and "items" in type_:
        return all(is_of(item, type_["items"]) for item in value)
    if isinstance(value, dict) and "properties" in type_:
        properties = type_["properties"]
        return set(value) == set(properties) and all(
            is_of(value[key], properties[key]) for key in properties
        )
    return True


def problems(line: dict[str, Any], description: dict[str, Any]) -> list[str]:
    """What is wrong with a line of output by the description of its tool."""
    (tool,) = description["tools"]
    known = [*description["common_lines"], *tool["outputs"]]
    kinds = [each for each in known if each["schema"] == line["schema"]]
    if not kinds or kinds[0]["type"] != line["type"]:
        return [f"no such line: {line}"]
    common = description["common_keys"]
    # Of several lines with one schema, one must fit.
    return min((differences(line, [*common, *k["fields"]]) for k in kinds), key=len)


def differences(line: dict[str, Any], described: Sequence[dict[str, Any]]) -> list[str]:
    """What is wrong with a line by the description of its fields."""
    fields = {field["key"]: field for field in described}
    found = [
        f"{key} is missing"
        for key, field in fields.items()
        if key not in line
        and not field["optional"]
        and field.get("shown_by_default", True)
    ]
    for key, value in line.items():
        name = key[: -len("_base64")] if key.endswith("_base64") else key
        if key in fields:
            if not is_of(value, fields[key]):
                found.append(f"{key} is {value!r}, not {fields[key]['type']}")
        elif name == key or name not in fields:
            found.append(f"{key} is not described")
    return found


class Zipped(support.LiveTest):
    """Everything from a zip file that is built here."""

    pyz: ClassVar[str]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        directory = tempfile.TemporaryDirectory(prefix="skep-pyz-")
        cls.addClassCleanup(directory.cleanup)
        cls.pyz = os.path.join(directory.name, "skep.pyz")
        build = (sys.executable, str(TREE / "build"), cls.pyz)
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        cls.enterClass(mock.patch.object(support, "SKEP", cls.pyz))

    @classmethod
    def enterClass(cls, manager: Any) -> None:
        """As unittest's enterClassContext, which is of Python 3.11."""
        manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)

    def run_skep(self, *arguments: str, program: str = "", **settings: Any) -> str:
        done: subprocess.CompletedProcess[bytes] = subprocess.run(
            [program or self.pyz, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=support.START_SECONDS,
            **settings,
        )
        preemption.note(done.stderr)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout.decode()

    def describe(self, *tools: str) -> dict[str, Any]:
        description: dict[str, Any] = json.loads(self.run_skep("describe", *tools))
        self.assertEqual(description["schema"], "skep.describe/1")
        self.assertEqual(description["kernel"], os.uname().release)
        return description


@support.only_on("6.12")
class EveryTool(Zipped):
    def check(self, name: str, case: Case, *more: str) -> None:
        """A tool writes what is known of the case, and nothing undescribed."""
        child = support.Paused(case.work)
        pid = ("-p", str(child.pid)) if case.by_pid else ()
        options = ("--json", "-v", *pid, *more, *case.arguments)
        description = self.describe(name, "--", *options)
        with Tool(name, *options) as running:
            child.proceed()
            outcome = running.stop()
        lines = [json.loads(text) for text in outcome.stdout.splitlines()]
        self.assertEqual(outcome.status, 0, outcome.stderr)
        wanted = case.line.items()
        found = [line for line in lines if all(line.get(k) == v for k, v in wanted)]
        self.assertTrue(found, lines)
        self.assertIn("loss", {line["type"] for line in lines})
        for line in lines:
            self.assertEqual(problems(line, description), [], line)

    def check_with(self, name: str, *more: str) -> None:
        with every_tool.case_of(name) as case:
            self.check(name, case, *more)

    @support.only_on("6.12")
    def test_lines_with_more_fields(self) -> None:
        options = {
            "opensnoop": ("-eTU", "--container"),
            "execsnoop": ("-xTU", "--container"),
            "tcplife": ("-tT", "--container"),
            "trace": ("-KU", "-t"),
            "stackcount": ("-P",),
            "funcslower": ("-KU", "-a", "3", "-t"),
        }
        for name, more in options.items():
            with self.subTest(tool=name):
                self.check_with(name, *more)

    def test_a_listing_is_as_described(self) -> None:
        options = ("--json", "sched:sched_process_*")
        description = self.describe("tplist", "--", *options)
        lines = self.run_skep("tplist", *options).splitlines()
        self.assertTrue(lines)
        for text in lines:
            self.assertEqual(problems(json.loads(text), description), [], text)

    def test_there_is_work_for_every_tool(self) -> None:
        described = {tool["name"] for tool in self.describe()["tools"]}
        self.assertEqual(described - {"fsslower", "tplist"}, set(every_tool.TOOLS))


def _add_tests() -> None:
    """A test for each tool: in emulated guests, all of them take minutes."""
    for tool in every_tool.TOOLS:

        def test(self: EveryTool, name: str = tool) -> None:
            self.check_with(name)

        setattr(EveryTool, f"test_{tool}", test)


_add_tests()


class OneFile(Zipped):
    def test_links_are_tools(self) -> None:
        link = os.path.join(os.path.dirname(self.pyz), "opensnoop")
        os.symlink("skep.pyz", link)
        rows = self.run_skep("--exec", "cat", "/etc/hostname", program=link)
        self.assertIn(" /etc/hostname\n", rows)

    def test_it_runs_without_a_cache(self) -> None:
        environment = {**os.environ, "SKEP_NO_CACHE": "1"}
        rows = self.run_skep("opensnoop", "--exec", "true", env=environment)
        self.assertIn("ld.so.cache", rows)

    def test_nothing_is_taken_from_the_directory(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            for name in ("skep", "json", "socket"):
                with open(f"{directory}/{name}.py", "w") as file:
                    file.write("raise SystemExit('taken')")
            environment = {**os.environ, "PYTHONPATH": directory}
            shown = self.run_skep("list", cwd=directory, env=environment)
            self.assertIn("opensnoop", shown)

    def test_other_users_may_run_it(self) -> None:
        directory = os.path.dirname(self.pyz)
        os.chmod(directory, 0o755)
        self.assertIn("opensnoop", self.run_skep("list", user=65534))
