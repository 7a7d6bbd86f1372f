"""Just enough of Amazon S3 and Amazon DynamoDB, in memory, for clients that encrypt before they store.

They store what they get and give it back; they check no signature and evaluate no condition. Both serve on ports of
their own until the process ends.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


def serve(handler):
    """Serves on a free port; gives the endpoint and what is stored."""
    stored = {}
    server = _Server(("127.0.0.1", 0), type(handler.__name__, (handler,), {"stored": stored}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}", stored


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Says nothing of connections that the client has closed; a handler's own mistake ends in a wrong answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stored = None

    def log_message(self, *_):
        """Says nothing."""

    def body(self):
        """The request's body; clients of S3 may send it in chunks with a checksum behind (aws-chunked)."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return body
        plain = b""
        while body:
            size, body = body.split(b"\r\n", 1)
            length = int(size.split(b";")[0], 16)
            if length == 0:
                break
            plain, body = plain + body[:length], body[length + 2 :]
        return plain

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class S3(_Handler):
    """Objects by path (`/bucket/key`): put, get, delete, and uploads in parts."""

    def do_PUT(self):
        place, query = self._place()
        body = self.body()
        if "uploadId" in query:
            self.stored[(place, query["uploadId"][0])]["parts"][int(query["partNumber"][0])] = body
        else:
            self.stored[place] = {"body": body, "metadata": self._metadata()}
        self.answer(200, ETag='"tag"')

    def do_POST(self):
        place, query = self._place()
        self.body()
        if "uploads" in query:
            upload = f"upload-{len(self.stored)}"
            self.stored[(place, upload)] = {"parts": {}, "metadata": self._metadata()}
            return self._xml("InitiateMultipartUploadResult", f"<UploadId>{escape(upload)}</UploadId>")
        upload = self.stored.pop((place, query["uploadId"][0]))
        body = b"".join(part for _, part in sorted(upload["parts"].items()))
        self.stored[place] = {"body": body, "metadata": upload["metadata"]}
        return self._xml("CompleteMultipartUploadResult", "<ETag>&quot;tag&quot;</ETag>")

    def do_GET(self):
        place, _ = self._place()
        if place not in self.stored:
            return self._xml("Error", "<Code>NoSuchKey</Code><Message>There is none.</Message>", status=404)
        found = self.stored[place]
        metadata = {name.replace("-", "_"): value for name, value in found["metadata"].items()}
        return self.answer(200, found["body"], ETag='"tag"', **metadata)

    def do_DELETE(self):
        self.stored.pop(self._place()[0], None)
        self.answer(204)

    def _place(self):
        url = urlsplit(self.path)
        return unquote(url.path), parse_qs(url.query, keep_blank_values=True)

    def _metadata(self):
        return {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")}

    def _xml(self, root, content, status=200):
        body = f'<?xml version="1.0" encoding="UTF-8"?><{root}>{content}</{root}>'.encode()
        self.answer(status, body, Content_Type="application/xml")


class DynamoDB(_Handler):
    """Tables of items; `stored` maps a table's name to its items by primary key. A table's key members are given first:
    `stored["table"] = Table(["id"])`."""

    def do_POST(self):
        operation = self.headers["X-Amz-Target"].split(".")[1]
        answer = getattr(self, f"_{operation}")(json.loads(self.body()))
        self.answer(200, json.dumps(answer).encode(), Content_Type="application/x-amz-json-1.0")

    def _DescribeTable(self, request):
        table = self.stored[request["TableName"]]
        kinds = ("HASH", "RANGE")[: len(table.key)]
        schema = [{"AttributeName": name, "KeyType": kind} for name, kind in zip(table.key, kinds, strict=True)]
        return {"Table": {"TableName": request["TableName"], "TableStatus": "ACTIVE", "KeySchema": schema}}

    def _PutItem(self, request):
        self.stored[request["TableName"]].put(request["Item"])
        return {}

    def _GetItem(self, request):
        item = self.stored[request["TableName"]].get(request["Key"])
        return {} if item is None else {"Item": item}

    def _BatchWriteItem(self, request):
        for table, writes in request["RequestItems"].items():
            for write in writes:
                self.stored[table].put(write["PutRequest"]["Item"])
        return {"UnprocessedItems": {}}

    def _BatchGetItem(self, request):
        found = {
            table: [self.stored[table].get(key) for key in wanted["Keys"]]
            for table, wanted in request["RequestItems"].items()
        }
        return {"Responses": found, "UnprocessedKeys": {}}

    def _TransactWriteItems(self, request):
        for write in request["TransactItems"]:
            self.stored[write["Put"]["TableName"]].put(write["Put"]["Item"])
        return {}

    def _Scan(self, request):
        items = list(self.stored[request["TableName"]].items.values())
        return {"Items": items, "Count": len(items), "ScannedCount": len(items)}


class Table:
    """Items by the values of their key members."""

    def __init__(self, key):
        self.key = key
        self.items = {}

    def put(self, item):
        self.items[self._of(item)] = item

    def get(self, key):
        return self.items.get(self._of(key))

    def _of(self, item):
        return json.dumps([item[name] for name in self.key])
