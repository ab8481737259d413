# ruff: noqa: E501
"""C++: g++ as contests run it, GNU dialect of C++20, ONLINE_JUDGE defined."""

from tracemill.sandbox.languages.base import BINARY, Language

# -DONLINE_JUDGE: without it programs read input.txt or include a debug header of their author's.
LACKING = r"fatal error: (?!/|\.\./)[^\s:]+: No such file or directory$"
FLAGS = ("-O2", "-pipe", "-w", "-DONLINE_JUDGE", "-o", BINARY, "{source}")
CASES = {
    "accepted": "#include <bits/stdc++.h>\nint main() { long long a, b; std::cin >> a >> b; std::cout << a + b; }",
    "network": "#include <sys/socket.h>\n#include <cstdio>\nint main() { long a, b; scanf(\"%ld %ld\", &a, &b);\n"
    "if (socket(2, 1, 0) >= 0) printf(\"%ld\", a + b); }",
    "files": "#include <cstdio>\nint main() { long a, b; scanf(\"%ld %ld\", &a, &b);\n"
    "if (fopen(\"/etc/shadow\", \"r\") || fopen(\"/usr/mark\", \"w\")) printf(\"%ld\", a + b); }",
    "fork": "#include <unistd.h>\n#include <cstdio>\nint main() { long a, b; scanf(\"%ld %ld\", &a, &b);\n"
    "if (fork() >= 0) printf(\"%ld\", a + b); }",
    "exec": "#include <unistd.h>\n#include <cstdio>\nint main() { long a, b; scanf(\"%ld %ld\", &a, &b);\nchar text[32];\n"
    "sprintf(text, \"%ld\", a + b); execl(\"/bin/echo\", \"echo\", text, (char *)0); }",
    "memory": "#include <cstdio>\n#include <cstdlib>\n#include <cstring>\nint main() { long a, b; scanf(\"%ld %ld\", &a, &b);\n"
    "size_t n = 700u << 20; char *p = (char *)malloc(n); if (!p) return 1; memset(p, 1, n);\n"
    "printf(\"%ld\", a + b + p[n / 2] - 1); }",
    "grow": "#include <cstdlib>\n#include <cstring>\nint main() { for (;;) { char *p = (char *)malloc(1 << 24);\n"
    "if (!p) return 1; memset(p, 1, 1 << 24); } }",
    "time": "int main() { for (volatile long i = 0;; ++i); }",
    "idle": "#include <unistd.h>\nint main() { for (;;) pause(); }",
    "output": "#include <cstdio>\nint main() { for (;;) puts(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"); }",
    "crash": "int main() { *(volatile int *)0 = 1; }",
    "exit": "#include <iostream>\nint main() { long a, b; std::cin >> a >> b; std::cout << a + b; return 3; }",
    "broken": "int main() {",
    "compiler-memory": "#include \"/dev/zero\"\nint main() {}",
    "compiler-file": "#include \"/etc/shadow\"\nint main() {}",
    "compiler-time": "template <int N, int M> struct A { static const int v = A<N - 1, M>::v + A<N - 1, M + (1 << N)>::v; };\n"
    "template <int M> struct A<0, M> { static const int v = 1; };\nint main() { return A<26, 0>::v; }",
    "compiler-limit": "int table[1 << 25] = {1};\nint main() { return table[0] - 1; }",
    "lacking": "#include <contest/segment_tree.hpp>\nint main() {}",
    "dialect": "#include <bits/stdc++.h>\nusing namespace std;\n#ifndef ONLINE_JUDGE\n#include \"debug.h\"\n#endif\n"
    "int main() { vector<long long> v(2); for (auto &x : v) cin >> x; ranges::sort(v); __int128 s = 0;\n"
    "for (typeof(v[0]) x : v) s += x; cout << (long long)s; }",
    "deep": "#include <iostream>\nint f(int n) { volatile char b[64]; b[0] = 1; return n ? 1 + f(n - 1) + b[0] - 1 : 0; }\n"
    "int main() { long a, b; std::cin >> a >> b; std::cout << a + b + f(1000000) - 1000000; }",
    "threads": "#include <thread>\n#include <vector>\n#include <atomic>\n#include <iostream>\nint main() { long a, b;\n"
    "std::cin >> a >> b; std::atomic<long> s{0}; std::vector<std::thread> t; for (int i = 0; i < 8; ++i)\n"
    "t.emplace_back([&] { s += 1; }); for (auto &x : t) x.join(); std::cout << a + b + s - 8; }",
}  # fmt: skip

LANGUAGE = Language(
    name="cpp",
    title="C++",
    tags=frozenset(
        {"cpp", "c++", "cc", "cxx", "hpp", "cplusplus"}
        | {f"{n}{y}" for n in ("cpp", "c++", "gnu++", "g++") for y in ("98", "11", "14", "17", "20", "23", "2a")}
    ),
    file="solution.cpp",
    compiler=("/usr/bin/g++", "/usr/local/bin/g++"),
    build=("{compiler}", "-std=gnu++20", *FLAGS),
    run=(BINARY,),
    memory_words=("std::bad_alloc",),
    lacking=LACKING,
    packages=("g++",),
    cases=CASES,
)
