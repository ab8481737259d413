"""One file a language: what it says of itself is complete, and what it makes of a source is what its tools want."""

from pathlib import Path

import pytest

from tracemill.sandbox.conformance import cases
from tracemill.sandbox.languages import OTHERS, all_languages, by_name
from tracemill.sandbox.languages.java import names, without_package

MAIN = "static public void main(String[] x) {}"


def test_tags_name_one_language_each() -> None:
    tags = [tag for language in all_languages().values() for tag in language.tags]
    assert len(tags) == len(set(tags))
    assert not OTHERS.intersection(tags)
    assert all(tag == tag.lower() for tag in tags)


@pytest.mark.parametrize("name", [name for name, language in all_languages().items() if language.native])
def test_every_native_language_is_in_the_table_with_every_kind(name: str) -> None:
    language, kinds = all_languages()[name], all_languages()[name].cases.keys()
    assert {"accepted", "network", "files", "exec", "memory", "time"} <= kinds
    assert {f"{name}-{kind}" for kind in kinds} <= {case.name for case in cases()}
    order = language.order(language.cases["accepted"])
    open_parts = {part for part in [*order["build"], *order["run"]] if "{" in part}
    assert open_parts <= {"{compiler}", "{runtime}", "-Xmx{memory}m", "--max-old-space-size={memory}"}


def test_the_image_installs_every_tool_chain() -> None:
    dockerfile = (Path(__file__).parents[3] / "docker/sandbox/Dockerfile").read_text()
    wanted = {package for language in all_languages().values() for package in language.packages}
    (line,) = (line for line in dockerfile.splitlines() if line.startswith("ARG TOOLCHAINS="))
    assert wanted == set(line.partition("=")[2].strip('"').split())


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("c++17", "cpp"),
        ("py", "python"),
        ("golang", "go"),
        ("rs", "rust"),
        ("node", "javascript"),
        ("GNU C++17 (64)", "cpp"),
        ("Python 3", "python"),
        ("PyPy 3-64", "python"),
        ("Node.js 15.8.0", "javascript"),
        ("C++20 (GCC 13-64)", "cpp"),
        ("C", "c"),
    ],
)
def test_tags_find_their_language(tag: str, name: str) -> None:
    found = by_name(tag)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("name", ["C#", "csharp", "cobol", "Clojure", "", "Kotlin 1.9", "Go away"])
def test_other_names_find_none(name: str) -> None:
    assert by_name(name) is None


@pytest.mark.parametrize(
    ("source", "file", "main"),
    [
        (f"public class Main {{ {MAIN} }}", "Main.java", "Main"),
        (f"class A {{}}\nclass B {{ {MAIN} }}", "B.java", "B"),
        (f"class B {{ {MAIN} }}\nclass C {{}}", "B.java", "B"),
        (f"public final class Tool {{}}\nclass Run {{ {MAIN} }}", "Tool.java", "Run"),
        (f"public class Main {{ static class P {{}} {MAIN} }}", "Main.java", "Main"),
        ("nothing", "Main.java", "Main"),
    ],
    ids=["public", "the-class-with-main", "not-the-last", "public-without-main", "nested", "no-class"],
)
def test_java_files_are_named_after_their_class(source: str, file: str, main: str) -> None:
    assert names(source) == {"file": file, "main": main}


def test_a_java_package_is_left_out() -> None:
    assert without_package("package a.b;\nclass C {}") == "\nclass C {}"


def test_a_user_without_a_home_has_the_other_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trap: in a container whose user nobody knows there is no home to look into, and nothing could be judged."""
    monkeypatch.setenv("RUSTUP_HOME", "~a-user-whom-nobody-knows/.rustup")
    rust = by_name("rust")
    assert rust is not None
    assert isinstance(rust.mounts(), list)
