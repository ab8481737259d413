# ruff: noqa: E501
"""Java: javac and java 17 or later, one virtual machine a test. The class that holds `main` is run."""

import re
from pathlib import Path

from tracemill.sandbox.languages.base import Language

_MIB = 1 << 20
_PUBLIC = re.compile(
    r"^\s*public\s+(?:(?:final|abstract|strictfp|sealed)\s+)*(?:class|interface|enum|record)\s+(\w+)", re.M
)
_CLASS = re.compile(r"\b(?:class|interface|enum|record)\s+(\w+)")
_MAIN = re.compile(r"\bstatic\s+(?:final\s+)?(?:public\s+)?void\s+main\s*\(")
_PACKAGE = re.compile(r"^\s*package\s+[\w.]+\s*;", re.M)


def names(source: str) -> dict[str, str]:
    """Return the file that javac wants, after the public class, and the outermost class around `main`."""
    public = _PUBLIC.search(source)
    main = _MAIN.search(source)
    around = ""
    depth = 0
    at = 0
    for found in _CLASS.finditer(source, 0, main.start() if main else 0):
        depth += source.count("{", at, found.start()) - source.count("}", at, found.start())
        at = found.start()
        around = found[1] if depth <= 0 else around
    around = around or (public[1] if public else "Main")
    return {"file": f"{public[1] if public else around}.java", "main": around}


def without_package(source: str) -> str:
    """Return the source without its package, as contests take it: a class in a package lies in no single folder."""
    return _PACKAGE.sub("", source, count=1)


def mounts() -> list[tuple[str, str]]:
    """Return Debian's configuration of Java, to which its folders hold links."""
    return [(str(path), str(path)) for path in sorted(Path("/etc").glob("java-*"))]


def _program(body: str, imports: str = "") -> str:
    return (
        f"import java.util.*;\n{imports}\npublic class Main {{\n  public static void main(String[] x) throws Exception {{\n"
        f"    Scanner in = new Scanner(System.in);\n    long a = in.nextLong(), b = in.nextLong();\n    {body}\n  }}\n}}\n"
    )


_WON = "System.out.println(a + b);"

LANGUAGE = Language(
    name="java",
    title="Java",
    tags=frozenset({"java", "java8", "java11", "java17", "java21", "jdk"}),
    compiler=("/usr/lib/jvm/java-17-*/bin/javac", "/usr/lib/jvm/*/bin/javac", "/opt/java/*/bin/javac"),
    runtime=("/usr/lib/jvm/java-17-*/bin/java", "/usr/lib/jvm/*/bin/java", "/opt/java/*/bin/java"),
    build=("{compiler}", "-J-Xmx384m", "-J-Xms32m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-J-XX:-UsePerfData",
           "-nowarn", "-proc:none", "-encoding", "UTF-8", "-d", "/build", "{source}"),
    run=("{runtime}", "-Xmx{memory}m", "-Xss256m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:CICompilerCount=2",
         "-XX:ReservedCodeCacheSize=64m", "-XX:+ExitOnOutOfMemoryError", "-DONLINE_JUDGE=true", "-Dfile.encoding=UTF-8",
         "-cp", "/build", "{main}"),
    names=names,
    prepare=without_package,
    start_seconds=1.0,
    memory=128 * _MIB,
    tasks=48,
    reserves=True,
    build_reserves=True,
    memory_words=("OutOfMemoryError", "insufficient memory for the Java"),
    lacking=r"error: package (?!java\.|javax\.)\w+\.[\w.]+ does not exist\n\s*import\b",
    mounts=mounts,
    packages=("openjdk-17-jdk-headless",),
    cases={
        "accepted": _program(_WON),
        "no-public-class": "import java.util.*;\nclass Helper { static long add(long a, long b) { return a + b; } }\n"
        "class Solution { public static void main(String[] x) { Scanner in = new Scanner(System.in);\n"
        "System.out.println(Helper.add(in.nextLong(), in.nextLong())); } }",
        "packaged": "package contest.a;\n" + _program(_WON),
        "deep": _program("System.out.println(a + b + f(200000) - 200000);").rstrip("}\n")
        + "  }\n  static int f(int n) { return n == 0 ? 0 : 1 + f(n - 1); }\n}\n",
        "network": _program("new java.net.ServerSocket(0); " + _WON),
        "files": _program("new java.io.FileInputStream(\"/etc/shadow\").read(); " + _WON),
        "write": _program("new java.io.FileOutputStream(\"/usr/mark\").write(1); " + _WON),
        "exec": _program("Process p = new ProcessBuilder(\"/bin/true\").start(); p.waitFor(); " + _WON),
        "memory": _program("List<byte[]> l = new ArrayList<>(); while (true) { byte[] z = new byte[1 << 20]; Arrays.fill(z, (byte) 1); l.add(z); }"),
        "direct-memory": _program("List<Object> l = new ArrayList<>(); for (int i = 0; i < 700; i++) { var z = "
        "java.nio.ByteBuffer.allocateDirect(1 << 20); while (z.hasRemaining()) z.put((byte) 1); l.add(z); } " + _WON),
        "time": _program("while (true) a++;"),
        "output": _program("while (true) System.out.println(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\");"),
        "crash": _program("throw new IllegalStateException();"),
        "exit": _program(_WON + " System.exit(2);"),
        "lacking": _program(_WON, "import org.contest.Heap;"),
        "broken": "public class Main { public static void main( }",
    },
)  # fmt: skip
