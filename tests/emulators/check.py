#!/usr/bin/env python3
"""Tries what `emulators.py` offers: put, list by prefix and delimiter, ranged get, and every fault.

    python3 check.py --cache DIR

Prints a line for each thing tried; the exit status is 1 when one was not as expected.
"""

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

sys.dont_write_bytecode = True

import stores  # noqa: E402

ENDPOINT = {"s3": "AWS_ENDPOINT_URL", "gcs": "GOOGLE_BASE_URL", "azure": "AZURITE_BLOB_STORAGE_URL"}
passed, failed = 0, 0


def expect(what, found, expected):
    global passed, failed
    passed, failed = passed + (found == expected), failed + (found != expected)
    print(f"ok   {what}" if found == expected else f"FAIL {what}: {found!r}, expected {expected!r}")


def fetch(url, **headers):
    """Status and body; "reset" or "cut" when the connection ends early."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except http.client.IncompleteRead as error:
        return "cut", error.partial
    except ConnectionError:
        return "reset", b""
    except urllib.error.URLError as error:
        return "reset" if isinstance(error.reason, ConnectionError) else "error", b""


def try_store(name, store):
    def keys(page):
        return [key for key in ("a/1.log", "a/b/2.log", "top.log", "a//odd") if f">{key}<" in page]

    expect(f"{name}: all keys", keys(store.list("logs")), ["a/1.log", "a/b/2.log", "top.log", "a//odd"])
    expect(f"{name}: keys by prefix", keys(store.list("logs", "a/b/")), ["a/b/2.log"])
    page = store.list("logs", "a/", "/")
    expect(f"{name}: keys by prefix and delimiter", keys(page), ["a/1.log"])
    expect(f"{name}: common prefix", ">a/b/<" in page, True)
    status, headers, body = store.get("logs", "top.log", "2-5")
    expect(f"{name}: ranged get", (status, headers["Content-Range"], body), (206, "bytes 2-5/10", b"2345"))
    expect(f"{name}: get has an ETag", bool(headers["ETag"]), True)


def try_faults(ask, folder):
    url = ask(do="faults", root=folder, fail_every=3, fail_with="503,reset,500")["url"]
    answers = [fetch(url + "/top.log")[0] for _ in range(9)]
    expect("files: every third fails, in turns", answers, [200, 200, 503, 200, 200, "reset", 200, 200, 500])
    seen = json.loads(fetch(url + "/.faults")[1])
    expect("files: what was done is told", (seen["requests"], seen["failed"]), (9, 3))
    url = ask(do="faults", root=folder, cut_every=2)["url"]
    expect("files: whole", fetch(url + "/top.log"), (200, b"0123456789"))
    expect("files: cut half way", fetch(url + "/top.log"), ("cut", b"01234"))
    expect("files: a range", fetch(url + "/top.log", Range="bytes=7-"), (206, b"789"))
    url = ask(do="faults", root=folder, slow=20)["url"]
    begin = time.monotonic()
    expect("files: slow", fetch(url + "/top.log"), (200, b"0123456789"))
    expect("files: slow indeed", 0.4 < time.monotonic() - begin < 5, True)
    url = ask(do="faults", root=folder, no_range=True, no_etag=True)["url"]
    expect("files: no range", fetch(url + "/top.log", Range="bytes=7-"), (200, b"0123456789"))
    expect("files: a folder's page", b'<a href="a/">' in fetch(url + "/")[1], True)
    listing = urllib.request.Request(url + "/a", method="PROPFIND", headers={"Depth": "infinity"})
    expect("files: WebDAV", urllib.request.urlopen(listing).read().count(b"<D:href>"), 4)


def try_proxies(ask, names):
    for name in names:
        answer = ask(do="faults", upstream=name, only="objects", fail_every=2)
        store = stores.STORES[name](answer["env"][ENDPOINT[name]])
        expect(f"{name} behind a proxy: lists are spared", "top.log" in store.list("logs"), True)
        expect(f"{name} behind a proxy: a get", store.get("logs", "top.log", "0-1")[2], b"01")
        try:
            store.get("logs", "top.log")
            expect(f"{name} behind a proxy: the second fails", "answered", "refused")
        except stores.Refused as error:
            expect(f"{name} behind a proxy: the second fails", ": 503 " in str(error), True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", required=True)
    command = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "emulators.py"), "start"]
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/a/b")
        for name in ("a/1.log", "a/b/2.log", "top.log"):
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write("0123456789")
        command += ["--cache", parser.parse_args().cache, "--upload", folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            def ask(**words):
                child.stdin.write(json.dumps(words) + "\n")
                child.stdin.flush()
                return json.loads(child.stdout.readline())

            report = json.loads(child.stdout.readline())
            for name, env in report.items():
                expect(f"{name}: runs", env.get("error"), None)
            urls = {name: env[ENDPOINT[name]] for name, env in report.items() if "error" not in env}
            running = {name: stores.STORES[name](url) for name, url in urls.items()}
            expect("upload of odd keys", ask(do="upload", bucket="logs", objects={"a//odd": "x"}), {"objects": 1})
            for name, store in running.items():
                try_store(name, store)
            try_faults(ask, folder)
            try_proxies(ask, running)
            answer = ask(do="faults", upstream="s4")
            expect("a store that is not there", "does not run" in answer.get("error", ""), True)
            expect("a wrong command is answered", "error" in ask(do="nothing"), True)
            child.stdin.close()
            expect("it ends when its input does", child.wait(10), 0)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
