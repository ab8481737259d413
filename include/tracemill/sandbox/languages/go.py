# ruff: noqa: E501
"""Go: the gc tool-chain, one file of package main, without cgo and without modules."""

from tracemill.sandbox.languages.base import BINARY, Language

_MIB = 1 << 20


def _program(body: str, *imports: str) -> str:
    lines = "\n".join(f'\t"{name}"' for name in ("fmt", *imports))
    return f"package main\n\nimport (\n{lines}\n)\n\nfunc main() {{\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\t{body}\n}}\n"


_WON = "fmt.Println(a + b)"

LANGUAGE = Language(
    name="go",
    title="Go",
    tags=frozenset({"go", "golang"}),
    file="solution.go",
    compiler=("/usr/lib/go/bin/go", "/usr/lib/go-*/bin/go", "/usr/local/go/bin/go"),
    build=("{compiler}", "build", "-p", "1", "-o", BINARY, "{source}"),
    run=(BINARY,),
    environment=(
        ("GOCACHE", "/build/cache"), ("GOPATH", "/build/path"), ("GO111MODULE", "off"), ("GOFLAGS", ""), ("GOPROXY", "off"),
        ("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local"), ("GOTELEMETRY", "off"), ("GOMAXPROCS", "1"), ("GOENV", "off"),
    ),
    memory=48 * _MIB,
    tasks=32,
    reserves=True,
    build_seconds=60.0,
    build_reserves=True,
    memory_words=("out of memory",),
    lacking=r"cannot find package \"[\w-]+\.\w[^\"]*\"|build constraints exclude all Go files",
    packages=("golang-go",),
    cases={
        "accepted": _program(_WON),
        "buffered": "package main\n\nimport (\n\t\"bufio\"\n\t\"fmt\"\n\t\"os\"\n\t\"sort\"\n)\n\nfunc main() {\n\tr := bufio.NewReader(os.Stdin)\n"
        "\txs := make([]int, 2)\n\tfmt.Fscan(r, &xs[0], &xs[1])\n\tsort.Ints(xs)\n\tc := make(chan int)\n"
        "\tgo func() { c <- xs[0] + xs[1] }()\n\tfmt.Println(<-c)\n}\n",
        "network": _program("_, e := net.Listen(\"tcp\", \"127.0.0.1:0\")\n\tif e == nil { fmt.Println(a + b) }", "net"),
        "files": _program("_, e := os.ReadFile(\"/etc/shadow\")\n\tif e == nil { fmt.Println(a + b) }", "os"),
        "exec": _program("e := exec.Command(\"/bin/true\").Run()\n\tif e == nil { fmt.Println(a + b) }", "os/exec"),
        "memory": _program("n := 700 << 20\n\tp := make([]byte, n)\n\tfor i := range p { p[i] = 1 }\n\tfmt.Println(a + b + int(p[n/2]) - 1)"),
        "time": _program("for { a++ }"),
        "output": _program("for { fmt.Println(\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\") }"),
        "crash": _program("var p *int\n\tfmt.Println(*p)"),
        "lacking": _program(_WON, "example.com/contest/heap"),
        "broken": "package main\nfunc main() {",
    },
)  # fmt: skip
