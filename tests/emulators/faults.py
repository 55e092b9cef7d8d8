"""An HTTP server that misbehaves on purpose: files of a folder, or another server behind it.

In: a folder or the URL of an emulator, and which faults to make. Out: a URL. It answers `GET /.faults` with
what it has done so far, so that a test can tell that a fault really came. Files are served with `Range`,
`If-Match` and an `ETag`; folders as a page of links, or by WebDAV's PROPFIND as `object_store` asks for them.
Not here: the emulators themselves (`emulators.py`).
"""

import argparse
import dataclasses
import email.utils
import html
import http.client
import http.server
import itertools
import json
import os
import re
import socket
import struct
import threading
import time
import urllib.parse

HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


@dataclasses.dataclass
class Faults:
    """What goes wrong; nothing by default. Only requests that `only` names are counted and spoilt."""

    only: str = "all"  # "objects" or "lists" or "all"
    fail_first: int = 0  # the first so many requests fail
    fail_every: int = 0  # every n-th request fails
    fail_with: str = "503"  # a status, "reset" or "stall"; several, separated by commas, take turns
    cut_every: int = 0  # every n-th answer promises its whole length and ends half way
    slow: int = 0  # bytes in a second; 0: as fast as it goes
    latency: float = 0.0  # seconds before the first byte
    stall: float = 60.0  # seconds that "stall" says nothing, before the connection is closed
    no_range: bool = False  # `Range` is ignored: 200 and the whole file
    no_etag: bool = False
    no_webdav: bool = False  # PROPFIND is refused, as by most web servers

    def __post_init__(self):
        self.lock = threading.Lock()
        self.kinds = itertools.cycle(self.fail_with.split(","))
        self.seen = {"requests": 0, "failed": 0, "cut": 0, "bytes": 0}

    def next(self, is_list):
        """Counts a request and says what shall happen to it: None, "cut", or what to fail it with."""
        if self.only != "all" and is_list != (self.only == "lists"):
            return None
        with self.lock:
            self.seen["requests"] += 1
            number = self.seen["requests"]
            if number <= self.fail_first or (self.fail_every and number % self.fail_every == 0):
                self.seen["failed"] += 1
                return next(self.kinds)
            if self.cut_every and number % self.cut_every == 0:
                self.seen["cut"] += 1
                return "cut"
            return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one(self):
        faults = self.server.faults
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/.faults":
            return self.answer(200, {}, json.dumps(faults.seen).encode(), None)
        is_list = "list-type=2" in self.path or "comp=list" in self.path or self.command == "PROPFIND"
        fault = faults.next(is_list)
        time.sleep(faults.latency)
        if fault == "stall":
            time.sleep(faults.stall)
            self.close_connection = True
        elif fault == "reset":
            # Lingering for no time makes the kernel send RST instead of FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
            self.close_connection = True
        elif fault not in (None, "cut"):
            code = "SlowDown" if fault == "503" else "InternalError"
            error = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>a fault on purpose</Message></Error>"
            self.answer(int(fault), {"Content-Type": "application/xml"}, error.encode(), None)
        else:
            self.answer(*self.server.origin(self, body), fault)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PROPFIND = handle_one

    def answer(self, status, headers, body, fault):
        """`body` may also be a number: that of the bytes that a HEAD speaks of."""
        length = body if isinstance(body, int) else len(body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if isinstance(body, int) or self.command == "HEAD":
            return
        if fault == "cut" and length > 1:
            body = body[: length // 2]
            self.close_connection = True
        rate = self.server.faults.slow
        step = max(rate // 20, 1) if rate else 1 << 16
        for start in range(0, len(body), step):
            self.wfile.write(body[start : start + step])
            with self.server.faults.lock:
                self.server.faults.seen["bytes"] += len(body[start : start + step])
            if rate:
                time.sleep(step / rate)

    def log_message(self, *_):
        pass


class Folder:
    """The origin that serves files."""

    def __init__(self, root, faults):
        self.root, self.faults = os.path.realpath(root), faults

    def __call__(self, request, _body):
        path = urllib.parse.unquote(urllib.parse.urlsplit(request.path).path)
        full = os.path.realpath(os.path.join(self.root, path.lstrip("/")))
        if os.path.commonpath([full, self.root]) != self.root or not os.path.exists(full):
            return 404, {}, b"not found"
        if request.command == "PROPFIND":
            return (405, {}, b"no WebDAV here") if self.faults.no_webdav else self.properties(full, request)
        if request.command not in ("GET", "HEAD"):
            return 405, {}, b"read only"
        if os.path.isdir(full):
            names = [name + "/" * os.path.isdir(os.path.join(full, name)) for name in sorted(os.listdir(full))]
            page = "".join(f'<a href="{urllib.parse.quote(name)}">{html.escape(name)}</a>\n' for name in names)
            return 200, {"Content-Type": "text/html; charset=utf-8"}, page.encode()
        return self.file(full, request)

    def file(self, full, request):
        about = os.stat(full)
        tag = f'"{about.st_size:x}-{about.st_mtime_ns:x}"'
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        headers["Last-Modified"] = email.utils.formatdate(about.st_mtime, usegmt=True)
        if not self.faults.no_etag:
            headers["ETag"] = tag
        if request.headers.get("If-Match", tag) not in (tag, "*"):
            return 412, headers, b""
        span = None if self.faults.no_range else request.headers.get("Range")
        first, last = 0, about.st_size - 1
        if span and (found := re.fullmatch(r"bytes=(\d*)-(\d*)", span)) and found.group(1) + found.group(2):
            start, end = found.groups()
            first = int(start) if start else max(about.st_size - int(end), 0)
            last = min(int(end), last) if start and end else last
            if first > last:
                return 416, headers | {"Content-Range": f"bytes */{about.st_size}"}, b""
            headers["Content-Range"] = f"bytes {first}-{last}/{about.st_size}"
        status = 206 if "Content-Range" in headers else 200
        if request.command == "HEAD":
            return status, headers, last + 1 - first
        with open(full, "rb") as file:
            file.seek(first)
            return status, headers, file.read(last + 1 - first)

    def properties(self, full, request):
        """A PROPFIND of depth 0, 1 or infinity."""
        depth = request.headers.get("Depth", "infinity")
        found = [full]
        if depth != "0" and os.path.isdir(full):
            for root, folders, files in os.walk(full):
                found += [os.path.join(root, name) for name in sorted(folders) + sorted(files)]
                if depth == "1":
                    break
        answer = "".join(self.property(path) for path in found)
        page = f'<?xml version="1.0" encoding="utf-8"?><D:multistatus xmlns:D="DAV:">{answer}</D:multistatus>'
        return 207, {"Content-Type": "application/xml; charset=utf-8"}, page.encode()

    def property(self, path):
        about, is_dir = os.stat(path), os.path.isdir(path)
        href = "/" + os.path.relpath(path, self.root).replace(os.sep, "/").removeprefix(".") + "/" * is_dir
        href = html.escape(urllib.parse.quote(href.replace("//", "/")))
        kind = "<D:resourcetype><D:collection/></D:resourcetype>" if is_dir else "<D:resourcetype/>"
        return (
            f"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{kind}"
            f"<D:getlastmodified>{email.utils.formatdate(about.st_mtime, usegmt=True)}</D:getlastmodified>"
            f"<D:getcontentlength>{about.st_size}</D:getcontentlength></D:prop>"
            "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        )


class Upstream:
    """The origin that passes requests on, unchanged: the signatures that the emulators look at stay whole."""

    def __init__(self, url):
        self.host = urllib.parse.urlsplit(url).netloc

    def __call__(self, request, body):
        # The date of a request is signed; that of an answer is the proxy's own.
        dropped = HOP_BY_HOP - {"date"}
        headers = {name: value for name, value in request.headers.items() if name.lower() not in dropped}
        headers["Host"] = self.host  # fake-gcs-server tells its APIs apart by it
        if body or request.command in ("PUT", "POST"):
            headers["Content-Length"] = str(len(body))
        connection = http.client.HTTPConnection(self.host, timeout=60)
        # `request.path` lacks the second of two slashes at its start, and what is signed has it.
        target = request.requestline.split(" ")[1]
        connection.request(request.command, target, body or None, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        kept = {name: value for name, value in response.getheaders() if name.lower() not in HOP_BY_HOP}
        if request.command == "HEAD":
            content = int(response.headers.get("Content-Length") or 0)
        return response.status, kept, content


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, faults, root=None, upstream=None, port=0):
        super().__init__(("127.0.0.1", port), Handler)
        self.faults = faults
        self.origin = Upstream(upstream) if upstream else Folder(root, faults)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        pass  # clients that give up are part of the game


def start(root=None, upstream=None, port=0, **faults):
    """Starts a server on a thread of its own."""
    server = Server(Faults(**faults), root, upstream, port)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def add_arguments(parser):
    origin = parser.add_mutually_exclusive_group(required=True)
    origin.add_argument("--root", help="a folder to serve")
    origin.add_argument("--upstream", help="a server to stand in front of, as http://127.0.0.1:PORT")
    parser.add_argument("--port", type=int, default=0)
    for field in dataclasses.fields(Faults):
        name = "--" + field.name.replace("_", "-")
        if field.type in (bool, "bool"):
            parser.add_argument(name, action="store_true")
        else:
            parser.add_argument(name, type=type(field.default), default=field.default)


if __name__ == "__main__":
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(words)
    running = start(**vars(words.parse_args()))
    print(running.url, flush=True)
    threading.Event().wait()
