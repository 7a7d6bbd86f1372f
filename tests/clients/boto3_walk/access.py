"""Who is let in."""

from harness.checks import claim, refused
from harness.regions import US, client

from .world import ENDPOINT


@claim
def wrong_credentials_are_refused():
    wrong = client(ENDPOINT, US, secret_key="wrong-secret")
    refused(
        "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details.",
        wrong.list_keys,
    )
    unknown = client(ENDPOINT, US, access_key="nobody")
    refused("UnrecognizedClientException", "The security token included in the request is invalid.", unknown.list_keys)
