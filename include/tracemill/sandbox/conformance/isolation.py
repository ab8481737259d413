# ruff: noqa: E501
"""Attempts to get out or to look around: each prints the right answer only if it succeeds."""

from tracemill.sandbox.conformance.case import ACCEPTED, SUM, Case, attack

_EXOTIC = {
    "io-uring": 425, "bpf": 321, "perf-event": 298, "userfaultfd": 323, "keyctl": 250, "kexec": 246, "setns": 308,
    "shmget": 29, "semget": 64, "mq-open": 240, "swapon": 167, "open-by-handle": 304, "ptrace": 101, "init-module": 175,
    "move-mount": 429, "pidfd-getfd": 438, "process-vm-readv": 310, "memfd-secret": 447, "landlock": 444,
}  # fmt: skip

# What must not be there: anything that is neither on the way to the interpreter and its packages nor below them.
_HOMES = """import os, sys, sysconfig
shown = [os.path.realpath(p) for p in (sys.executable, sys.base_prefix, sys.prefix, *sys.path, *sysconfig.get_paths().values()) if p]
shown += [os.path.dirname(os.path.realpath(os.__file__)), os.path.dirname(os.path.realpath(sys.executable))]
def belongs(path):
    return any(one == path or one.startswith(path + '/') or path.startswith(one + '/') for one in shown)
def others(folder, depth):
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    paths = [os.path.join(folder, name) for name in names]
    return any(not belongs(p) or (depth and any(o.startswith(p + '/') for o in shown) and others(p, depth - 1)) for p in paths)
return any(others(home, 6) for home in ('/root', '/home', '/srv') if os.path.isdir(home))
"""

CASES = [
    attack("tcp-out", "import socket\nsocket.create_connection(('1.1.1.1', 53), 1)\nreturn True"),
    attack("tcp-localhost", "import socket\ns = socket.socket()\ns.bind(('127.0.0.1', 0))\nreturn True"),
    attack("udp", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))\nreturn True"),
    attack("dns", "import socket\nreturn socket.gethostbyname('example.com')"),
    attack("unix-socket", "import socket\nsocket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')\nreturn True"),
    attack("netlink", "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)\nreturn True"),
    attack("shadow", "return open('/etc/shadow').read()"),
    attack("passwd-of-the-machine", "return any(line.startswith('root:') for line in open('/etc/passwd')) and len(open('/etc/passwd').readlines()) > 25"),
    attack("homes", _HOMES),
    attack("environment", "import os\nreturn any(k for k in os.environ if 'KEY' in k or 'TOKEN' in k or 'SECRET' in k or 'AIRFLOW' in k)"),
    attack("proc-1-environ", "return open('/proc/1/environ').read()"),
    attack("proc-parent-mem", "import os\nreturn open(f'/proc/{os.getppid()}/mem', 'rb')"),
    attack("proc-1-mem", "return open('/proc/1/mem', 'rb')"),
    attack("proc-1-fd", "import os\nreturn os.listdir('/proc/1/fd')"),
    attack("proc-1-root", "import os\nreturn os.listdir('/proc/1/root')"),
    attack("kcore", "return open('/proc/kcore', 'rb').read(1)"),
    attack("write-root", "open('/escaped', 'w').write('x')\nreturn True"),
    attack("write-usr", "open('/usr/escaped', 'w').write('x')\nreturn True"),
    attack("write-library", "import json\nopen(json.__file__, 'a').write('#')\nreturn True"),
    attack("symlink-out", "import os\nos.symlink('/etc/shadow', '/tmp/l')\nreturn open('/tmp/l').read()"),
    attack("dot-dot", "return open('/tmp/../../../../etc/shadow').read()"),
    attack("chroot", "import os\nos.mkdir('/tmp/c')\nos.chroot('/tmp/c')\nreturn True"),
    attack("setuid-0", "import os\nbefore = os.getuid()\nos.setuid(0)\nreturn before != 0"),
    attack("raise-limits", "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (-1, -1))\nreturn True"),
    attack("raise-nproc", "import resource\nresource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))\nreturn True"),
    attack("kill-parent", "import os, signal\nos.kill(os.getppid() or 1, signal.SIGKILL)\nreturn os.getppid() not in (0, 1) and False"),
    attack("kill-all", "import os, signal\nos.kill(-1, signal.SIGKILL)\nreturn False"),
    attack("kill-init", "import os, signal\nos.kill(1, signal.SIGKILL)\nreturn False"),
    attack("unshare", "import ctypes\nreturn ctypes.CDLL(None).unshare(0x10000000) == 0"),
    attack("mount", "import ctypes\nreturn ctypes.CDLL(None).mount(b't', b'/tmp', b'tmpfs', 0, None) == 0"),
    attack("remount", "import ctypes\nreturn ctypes.CDLL(None).mount(None, b'/', None, 32, None) == 0"),
    attack("umount", "import ctypes\nreturn ctypes.CDLL(None).umount2(b'/proc', 2) == 0"),
    attack("mknod", "import os, stat\nos.mknod('/tmp/d', 0o600 | stat.S_IFBLK, os.makedev(254, 0))\nreturn True"),
    attack("exec", "import subprocess\nreturn subprocess.run(['/bin/true']).returncode == 0"),
    attack("fork", "import os\nreturn os.fork() >= 0"),
    attack("set-clock", "import time\ntime.clock_settime(time.CLOCK_REALTIME, 0)\nreturn True"),
    attack("set-hostname", "import socket\nsocket.sethostname('mine')\nreturn True"),
    attack("chown", "import os\nopen('/tmp/f', 'w').close()\nos.chown('/tmp/f', 0, 0)\nreturn os.getuid() != 0"),
    attack("inherited-descriptors", "import os\ndef is_open(fd):\n    try: return bool(os.fstat(fd))\n    except OSError: return False\nreturn any(map(is_open, range(3, 2048)))"),
    attack("control-channel", "import os\nfor fd in (900, 901):\n    os.write(fd, b'x')\nreturn True"),
    *(
        attack(f"syscall-{name}", f"import ctypes\nreturn ctypes.CDLL(None).syscall({number}, 0, 0, 0, 0, 0) != -1")
        for name, number in _EXOTIC.items()
    ),
    Case("state-in-tmp", "state", "import os\nn = sum(map(int, input().split()))\nprint(n if not os.path.exists('/tmp/mark') else 'seen')\n"
         "open('/tmp/mark', 'w').close()", ACCEPTED, SUM),
    Case("state-in-any-directory", "state", "import os\nn = sum(map(int, input().split()))\nseen = False\n"
         "for d in ('/build', '/dev', '/dev/shm', '/dev/mqueue', '/var/tmp', '/run', '/run/lock', '/etc', '/proc', '/sandbox', '/usr/tmp'):\n"
         "    seen = seen or os.path.exists(d + '/mark')\n    try: open(d + '/mark', 'w').close()\n    except OSError: pass\n"
         "print('seen' if seen else n)", ACCEPTED, SUM),
    Case("state-in-modules", "state", "import json\nn = sum(map(int, input().split()))\nprint(n if not hasattr(json, 'mark') else 'seen')\n"
         "json.mark = 1", ACCEPTED, SUM),
    Case("state-in-environment", "state", "import os\nn = sum(map(int, input().split()))\nprint(n if 'MARK' not in os.environ else 'seen')\n"
         "os.environ['MARK'] = '1'", ACCEPTED, SUM),
    Case("daemon-thread-left", "state", "import threading, time\nn = sum(map(int, input().split()))\n"
         "threading.Thread(target=lambda: (time.sleep(0.2), print('late')), daemon=True).start()\nprint(n)", ACCEPTED, SUM),
]  # fmt: skip
