# ruff: noqa: E501
"""C: gcc, GNU dialect of C17, ONLINE_JUDGE defined."""

from tracemill.sandbox.languages.base import BINARY, Language
from tracemill.sandbox.languages.cpp import FLAGS, LACKING

_READ = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n#include <sys/socket.h>\n"
_MAIN = 'int main(void) { long a, b; if (scanf("%ld %ld", &a, &b) != 2) return 1;\n'
_WON = 'printf("%ld", a + b); return 0; }'

LANGUAGE = Language(
    name="c",
    title="C",
    tags=frozenset({"c", "c99", "c11", "c17", "c18", "gcc", "ansi-c", "gnu11", "gnu17"}),
    file="solution.c",
    compiler=("/usr/bin/gcc", "/usr/local/bin/gcc"),
    build=("{compiler}", "-std=gnu17", *FLAGS, "-lm"),
    run=(BINARY,),
    lacking=LACKING,
    packages=("gcc", "libc6-dev"),
    cases={
        "accepted": _READ + "#include <math.h>\n" + _MAIN + 'printf("%ld", a + b + (long)floor(sqrt((double)(a & 0)))); return 0; }',
        "network": _READ + _MAIN + "if (socket(2, 1, 0) < 0) return 0;\n" + _WON,
        "files": _READ + _MAIN + 'if (!fopen("/etc/shadow", "r") && !fopen("/usr/mark", "w")) return 0;\n' + _WON,
        "fork": _READ + _MAIN + "if (fork() < 0) return 0;\n" + _WON,
        "exec": _READ + _MAIN + 'char t[32]; sprintf(t, "%ld", a + b); execl("/bin/echo", "echo", t, (char *)0); return 0; }',
        "memory": _READ + _MAIN + "size_t n = 700u << 20; char *p = malloc(n); if (!p) return 1; memset(p, 1, n);\n"
        + 'printf("%ld", a + b + p[n / 2] - 1); return 0; }',
        "time": "int main(void) { for (volatile long i = 0;; ++i); }",
        "lacking": "#include <contest/heap.h>\nint main(void) { return 0; }",
        "compiler-file": '#include "/etc/shadow"\nint main(void) { return 0; }',
        "compiler-memory": '#include "/dev/zero"\nint main(void) { return 0; }',
    },
)  # fmt: skip
