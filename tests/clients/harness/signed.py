"""Raw requests, signed by botocore's signer: what boto3 itself would refuse to send can be sent."""

import http.client
import json
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from . import recording
from .regions import ACCESS_KEY, SECRET_KEY

TIMEOUT_SECONDS = 30


class Answer:
    """What came back."""

    def __init__(self, status, body):
        self.status = status
        self.body = body
        self.json = json.loads(body) if body else {}
        # `__type` may carry a prefix up to `#`, as clients know.
        self.code = str(self.json.get("__type", "")).rsplit("#", 1)[-1] if status != 200 else ""
        self.message = self.json.get("message", self.json.get("Message")) if status != 200 else None

    def __repr__(self):
        return f"{self.status} {self.code} {self.message!r}" if self.status != 200 else f"200 {self.body[:200]!r}"


class Connection:
    """One connection to one Region, kept open."""

    def __init__(self, endpoint, region):
        self.endpoint = endpoint
        self.signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "kms", region)
        self.http = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=TIMEOUT_SECONDS)

    def send(self, operation, body):
        """The answer to `body`, bytes or what is to be JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{operation}"}
        request = AWSRequest("POST", f"{self.endpoint}/", data=data, headers=headers)
        self.signer.add_auth(request)
        try:
            self.http.request("POST", "/", body=data, headers=dict(request.headers))
            answer = self.http.getresponse()
            answer = Answer(answer.status, answer.read())
        except (http.client.HTTPException, OSError):
            # A server may close a connection that it has refused a request on; the next one is a new one.
            self.http.close()
            raise
        recording.record(operation, answer.status, answer.body)
        return answer
