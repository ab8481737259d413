# ruff: noqa: E501
"""JavaScript: Node.js, as programs that read standard input are written for it."""

from tracemill.sandbox.languages.base import Language

_MIB = 1 << 20
_READ = "const [a, b] = require('fs').readFileSync(0, 'utf8').trim().split(/\\s+/).map(Number);\n"
_WON = "console.log(a + b);"

LANGUAGE = Language(
    name="javascript",
    title="JavaScript",
    tags=frozenset({"javascript", "js", "node", "nodejs", "mjs", "ecmascript"}),
    file="solution.js",
    runtime=("/usr/bin/node", "/usr/local/bin/node", "/usr/bin/nodejs"),
    run=("{runtime}", "--max-old-space-size={memory}", "--stack-size=65500", "{source}"),
    start_seconds=0.3,
    memory=96 * _MIB,
    tasks=24,
    reserves=True,
    memory_words=("heap out of memory", "Array buffer allocation failed"),
    lacking=r"^Error: Cannot find module '(?![./]|node:)[^']+'",
    packages=("nodejs",),
    cases={
        "accepted": _READ + _WON,
        "readline": "const r = require('readline').createInterface({input: process.stdin});\n"
        "r.on('line', l => { const [a, b] = l.split(' ').map(Number); console.log(a + b); });",
        "events": "let t = ''; process.stdin.on('data', d => t += d).on('end', () => {\n"
        "const [a, b] = t.split(' ').map(Number); console.log(a + b); });",
        "dev-stdin": "const [a, b] = require('fs').readFileSync('/dev/stdin').toString().split(' ').map(Number);\n" + _WON,
        "deep": _READ + "const f = n => n ? 1 + f(n - 1) : 0;\nconsole.log(a + b + f(100000) - 100000);",
        "network": _READ + "require('net').createServer().listen(0, '127.0.0.1', () => { console.log(a + b); process.exit(0); });",
        "files": _READ + "require('fs').readFileSync('/etc/shadow');\n" + _WON,
        "write": _READ + "require('fs').writeFileSync('/usr/mark', 'x');\n" + _WON,
        "exec": _READ + "require('child_process').execFileSync('/bin/true');\n" + _WON,
        "fork": _READ + "require('child_process').fork(__filename).on('spawn', () => { console.log(a + b); process.exit(0); });",
        "memory": "const l = []; for (;;) l.push(new Array(1 << 17).fill(l.length));",
        "buffers": _READ + "const l = []; for (let i = 0; i < 700; i++) l.push(Buffer.alloc(1 << 20, 1));\n" + _WON,
        "time": "for (;;);",
        "output": "for (;;) require('fs').writeSync(1, 'x'.repeat(4096));",
        "crash": "process.abort();",
        "exception": _READ + "throw new Error('no');",
        "lacking": "const heap = require('contest-heap');\n" + _READ + _WON,
        "broken": "const = ;",
    },
)  # fmt: skip
