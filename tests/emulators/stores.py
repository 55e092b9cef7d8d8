"""The three emulated stores as clients see them: how each is addressed, and its few requests.

In: the URL on which an emulator answers. Out: the environment variables that point a program to it, buckets
made, objects put. Plain HTTP, signed with the emulators' well-known dummy credentials, so that the tests need
no SDK. Not here: installing and starting the emulators (`emulators.py`).
"""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import urllib.parse

AZURE_ACCOUNT = "devstoreaccount1"
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="  # of every Azurite
AWS_KEY, AWS_SECRET, AWS_REGION = "testing", "testing", "us-east-1"  # moto takes any


class Refused(Exception):
    """A store answered with an error."""


class Store:
    """What the three have in common: one kept connection, a folder uploaded file by file."""

    def __init__(self, url):
        self.url = url
        self.host = urllib.parse.urlsplit(url).netloc
        self.connection = None

    def request(self, method, path, query=(), headers=None, body=b"", allowed=(200, 201, 202, 204, 206)):
        """Sends one request; `path` is not yet quoted. Returns status, headers and body."""
        target = urllib.parse.quote(path, safe="/~")
        headers = self.signed(method, target, sorted(query), dict(headers or {}), body)
        if query:
            target += "?" + urllib.parse.urlencode(sorted(query), quote_via=urllib.parse.quote)
        for fresh in (False, True):
            if self.connection is None or fresh:
                self.connection = http.client.HTTPConnection(self.host, timeout=60)
            try:
                self.connection.request(method, target, body, headers)
                response = self.connection.getresponse()
                content = response.read()
                break
            except (http.client.HTTPException, ConnectionError):  # a kept connection that the server closed meanwhile
                if fresh:
                    raise
        if response.status not in allowed:
            raise Refused(f"{method} {self.url}{target}: {response.status} {content[:300].decode(errors='replace')}")
        return response.status, response.headers, content

    def upload(self, bucket, folder=None, prefix="", objects=None):
        """Puts every file of `folder` below `prefix`, and `objects` (key to text: for keys no folder can hold)."""
        self.create(bucket)
        count = 0
        for root, folders, files in os.walk(folder or os.devnull):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(root, name)
                key = prefix + os.path.relpath(path, folder).replace(os.sep, "/")
                with open(path, "rb") as file:
                    self.put(bucket, key, file.read())
                count += 1
        for key, text in (objects or {}).items():
            self.put(bucket, key, text.encode())
            count += 1
        return count


class S3(Store):
    """moto. It looks for a signature but does not check it."""

    def env(self):
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": AWS_KEY,
            "AWS_SECRET_ACCESS_KEY": AWS_SECRET,
            "AWS_REGION": AWS_REGION,
        }

    def create(self, bucket):
        self.request("PUT", f"/{bucket}", allowed=(200, 409))

    def put(self, bucket, key, content):
        self.request("PUT", f"/{bucket}/{key}", body=content)

    def list(self, bucket, prefix="", delimiter=""):
        query = [("list-type", "2"), ("prefix", prefix)] + ([("delimiter", delimiter)] if delimiter else [])
        return self.request("GET", f"/{bucket}", query)[2].decode()

    def get(self, bucket, key, span=None):
        return self.request("GET", f"/{bucket}/{key}", headers={"Range": f"bytes={span}"} if span else None)

    def signed(self, method, target, query, headers, body):
        """AWS Signature Version 4."""
        now = datetime.datetime.now(datetime.timezone.utc)
        stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
        digest = hashlib.sha256(body).hexdigest()
        headers |= {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
        lower = {name.lower(): value for name, value in headers.items()}
        names = ";".join(sorted(lower))
        canonical = "\n".join([
            method, target, urllib.parse.urlencode(query, quote_via=urllib.parse.quote, safe="~"),
            "".join(f"{name}:{lower[name]}\n" for name in sorted(lower)), names, digest,
        ])
        scope = f"{day}/{AWS_REGION}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{AWS_SECRET}".encode()
        for word in (*scope.split("/"), text):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={AWS_KEY}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        )
        return headers


class Gcs(Store):
    """fake-gcs-server. Its XML API reads but does not write, so objects come in through the JSON API."""

    def env(self):
        return {"GOOGLE_BASE_URL": self.url, "GOOGLE_SKIP_SIGNATURE": "true"}

    def create(self, bucket):
        body = json.dumps({"name": bucket}).encode()
        headers = {"Content-Type": "application/json"}
        self.request("POST", "/storage/v1/b", [("project", "test")], headers, body, allowed=(200, 409))

    def put(self, bucket, key, content):
        headers = {"Content-Type": "application/octet-stream"}
        query = [("uploadType", "media"), ("name", key)]
        self.request("POST", f"/upload/storage/v1/b/{bucket}/o", query, headers, content)

    list, get = S3.list, S3.get

    def signed(self, method, target, query, headers, body):
        return headers


class Azure(Store):
    """Azurite: the account is the first segment of the path."""

    def env(self):
        return {
            "AZURE_STORAGE_USE_EMULATOR": "true",
            "AZURITE_BLOB_STORAGE_URL": self.url,
            "AZURE_STORAGE_ACCOUNT_NAME": AZURE_ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": AZURE_KEY,
        }

    def create(self, bucket):
        self.request("PUT", f"/{AZURE_ACCOUNT}/{bucket}", [("restype", "container")], allowed=(201, 409))

    def put(self, bucket, key, content):
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/octet-stream"}
        self.request("PUT", f"/{AZURE_ACCOUNT}/{bucket}/{key}", headers=headers, body=content)

    def list(self, bucket, prefix="", delimiter=""):
        query = [("restype", "container"), ("comp", "list"), ("prefix", prefix)]
        query += [("delimiter", delimiter)] if delimiter else []
        return self.request("GET", f"/{AZURE_ACCOUNT}/{bucket}", query)[2].decode()

    def get(self, bucket, key, span=None):
        headers = {"Range": f"bytes={span}"} if span else None
        return self.request("GET", f"/{AZURE_ACCOUNT}/{bucket}/{key}", headers=headers)

    def signed(self, method, target, query, headers, body):
        """Shared Key: https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key"""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers |= {"x-ms-date": now, "x-ms-version": "2021-08-06"}
        if body or method == "PUT":
            headers["Content-Length"] = str(len(body))
        fixed = [
            method, "", "", str(len(body)) if body else "", "", headers.get("Content-Type", ""),
            "", "", "", "", "", headers.get("Range", ""),
        ]
        ours = [f"{name.lower()}:{headers[name]}" for name in sorted(headers, key=str.lower) if name.startswith("x-ms-")]
        resource = [f"/{AZURE_ACCOUNT}{target}"] + sorted(f"{name.lower()}:{value}" for name, value in query)
        text = "\n".join(fixed + ours + resource).encode()
        mac = hmac.new(base64.b64decode(AZURE_KEY), text, hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {AZURE_ACCOUNT}:{base64.b64encode(mac).decode()}"
        return headers


STORES = {"s3": S3, "gcs": Gcs, "azure": Azure}
