# ruff: noqa: E501
"""Rust: rustc, edition 2021, one file without crates."""

import os
from pathlib import Path

from tracemill.sandbox.languages.base import BINARY, Language

_INSIDE = "/toolchains/rust"


def mounts() -> list[tuple[str, str]]:
    """Return rustup's stable tool-chain: it lies below a home, which the sandbox does not show."""
    homes = (os.environ.get("RUSTUP_HOME") or Path("~/.rustup"), "/usr/local/rustup")
    for home in homes:
        try:
            found = sorted(
                Path(home).expanduser().glob("toolchains/*/bin/rustc"),
                key=lambda path: ("stable" not in str(path), str(path)),
            )
        except (OSError, RuntimeError):  # another user's home, or a user without one, as in a container
            continue
        if found:
            return [(str(found[0].parents[1]), _INSIDE)]
    return []


_READ = (
    "use std::io::*;\nfn main() {\n    let mut t = String::new();\n    stdin().read_to_string(&mut t).unwrap();\n"
    "    let v: Vec<i64> = t.split_whitespace().map(|x| x.parse().unwrap()).collect();\n"
)
_WON = '    println!("{}", v[0] + v[1]);\n}\n'

LANGUAGE = Language(
    name="rust",
    title="Rust",
    tags=frozenset({"rust", "rs"}),
    file="solution.rs",
    compiler=("/usr/bin/rustc", f"{_INSIDE}/bin/rustc", "/usr/local/cargo/bin/rustc"),
    build=("{compiler}", "--edition", "2021", "-O", "-A", "warnings", "-C", "codegen-units=1", "-C", "linker=/usr/bin/gcc",
           "-o", BINARY, "{source}"),
    run=(BINARY,),
    build_seconds=30.0,
    build_reserves=True,
    memory_words=("memory allocation of",),
    lacking=r"might be missing a crate named `\w+`|maybe a missing crate `\w+`|use of undeclared crate or module `\w+`|^error\[E0463\]: can't find crate for `\w+`",
    mounts=mounts,
    packages=("rustc", "gcc", "libc6-dev"),
    cases={
        "accepted": _READ + _WON,
        "network": _READ + '    if std::net::TcpListener::bind("127.0.0.1:0").is_err() { return; }\n' + _WON,
        "files": _READ + '    if std::fs::read("/etc/shadow").is_err() { return; }\n' + _WON,
        "exec": _READ + '    if std::process::Command::new("/bin/true").status().is_err() { return; }\n' + _WON,
        "memory": _READ + "    let p = vec![1u8; 700 << 20];\n    let s: i64 = p.iter().map(|x| *x as i64).sum();\n"
        + '    println!("{}", v[0] + v[1] + s - (700 << 20));\n}\n',
        "time": "fn main() {\n    let mut x = 0u64;\n    loop { x = unsafe { std::ptr::read_volatile(&x) } + 1; }\n}\n",
        "output": 'fn main() {\n    loop { println!("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"); }\n}\n',
        "crash": "fn main() {\n    let v: Vec<i32> = vec![];\n    println!(\"{}\", v[std::env::args().count()]);\n}\n",
        "lacking": "use contest::Heap;\n" + _READ + _WON,
        "broken": "fn main() {",
        "compiler-file": _READ + '    print!("{}", include_str!("/etc/shadow"));\n' + _WON,
    },
)  # fmt: skip
