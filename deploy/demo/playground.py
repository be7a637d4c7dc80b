"""A temporary directory, the processes that live in it, and a throw-away CA.

Owns everything it makes: close() ends the processes it started (and no others) and removes the
directory. It does so on a normal end, on exceptions, Ctrl-C and SIGTERM (see end_on_signals); a
parent that is killed outright takes its processes along through PR_SET_PDEATHSIG.
Only loopback addresses are ever used.
"""

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

HOST = "127.0.0.1"

# Below the range from which Linux takes the ports of outgoing connections, so that a port found
# free does not become somebody's source port before the server binds it.
PORTS = range(12000, 32000)


def free_port():
    """A TCP port of the loopback address on which nobody listens."""
    for _ in range(200):
        port = random.choice(PORTS)
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port found")


def wait_until(condition, what, timeout=10.0):
    """Polls until condition() is true and returns its value; raises TimeoutError naming `what`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout:g} s")
        time.sleep(0.02)


def listening(port):
    """True when something accepts connections on the loopback port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def end_on_signals():
    """Makes SIGTERM and SIGHUP unwind the program as Ctrl-C does, so that clean-up runs."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.default_int_handler)


class Child:
    """One started process, leader of its own process group. `patience` is how many seconds it has
    to end when asked to, before its whole group is ended by force."""

    def __init__(self, argv, output, patience=5.0, **options):
        self._patience = patience
        # The death signal belongs to the thread that forks.
        assert threading.current_thread() is threading.main_thread()
        if shutil.which("setpriv"):
            argv = ["setpriv", "--pdeathsig", "TERM", "--", *argv]
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, **options)

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def signal_all(self, number):
        """Signals its whole process group, which may be gone already."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self):
        """Ends its whole group by force."""
        self.signal_all(signal.SIGKILL)
        self.process.wait()

    def wait(self, timeout=10.0):
        """Waits for the end; the exit status, negative for a signal."""
        return self.process.wait(timeout)

    def stop(self):
        """Asks it to end, then ends what is left of its group."""
        if self.running():
            self.signal(signal.SIGTERM)
            try:
                self.process.wait(self._patience)
            except subprocess.TimeoutExpired:
                pass
        self.kill()


class Playground:
    """A directory with its processes. Use it in a `with`, or call close()."""

    def __init__(self, name="waypost"):
        self.root = tempfile.mkdtemp(prefix=f"{name}-")
        os.chmod(self.root, 0o755)  # servers that drop privileges must get through
        self._children = []
        self._authority = None
        atexit.register(self.close)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def authority(self):
        """The certificate authority of this playground, made on first use."""
        if self._authority is None:
            self._authority = Authority(self.directory("ca"))
        return self._authority

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def directory(self, *parts):
        path = self.path(*parts)
        os.makedirs(path, exist_ok=True)
        return path

    def write(self, text, *parts, mode=0o644):
        """Puts a file there, whole: who reads it meanwhile gets the old one."""
        path = self.path(*parts)
        with open(path + ".new", "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        os.replace(path + ".new", path)
        return path

    def start(self, argv, output, **options):
        """Starts a process; `output` takes its stdout and stderr. It ends with the playground."""
        child = Child(argv, output, **options)
        self._children.append(child)
        return child

    def close(self):
        atexit.unregister(self.close)
        for child in self._children:
            if child.running():
                child.signal(signal.SIGTERM)
        while self._children:
            self._children.pop().stop()
        shutil.rmtree(self.root, ignore_errors=True)


class Certificate:
    """A PEM chain and its key, as paths."""

    def __init__(self, chain, key):
        self.chain = chain
        self.key = key


class Authority:
    """A throw-away certificate authority. Keys never leave the directory they are made in."""

    def __init__(self, directory, name="Waypost playground CA"):
        self.directory = directory
        self.chain = os.path.join(directory, "ca.pem")
        self._key = os.path.join(directory, "ca.key")
        openssl("req", "-x509", *new_key("ecdsa"), "-keyout", self._key, "-out", self.chain,
                "-days", "7", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, file, names, *, kind="ecdsa", days=7):
        """A certificate for DNS names, IP and mail addresses; `kind` is "ecdsa" or "rsa"."""
        chain = os.path.join(self.directory, f"{file}.pem")
        key = os.path.join(self.directory, f"{file}.key")
        san = ",".join(name_type(name) + name for name in names)
        openssl("req", "-x509", "-CA", self.chain, "-CAkey", self._key, *new_key(kind),
                "-keyout", key, "-out", chain, "-days", str(days), "-subj", f"/CN={file}",
                "-addext", f"subjectAltName={san}",
                "-addext", "basicConstraints=critical,CA:FALSE",
                "-addext", "extendedKeyUsage=serverAuth,clientAuth")
        return Certificate(chain, key)


def new_key(kind):
    if kind == "rsa":
        return ["-newkey", "rsa:2048", "-nodes"]
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def name_type(name):
    """How OpenSSL calls this kind of subject alternative name."""
    if "@" in name:
        return "email:"
    return "IP:" if ":" in name or name.replace(".", "").isdigit() else "DNS:"


def openssl(*arguments):
    """Runs the openssl command; raises with its own words when it fails."""
    done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {arguments[0]}: {done.stderr.strip()}")
    return done.stdout
