"""The conformance board: what AWS's own API model says, compared with what the server does and did.

`probes` and `board` send requests that the model makes right or wrong; `responses` judges recorded answers; `page`
writes docs/conformance.md. Nothing here knows how the server works inside. What differs on purpose is in
exceptions.toml.
"""
