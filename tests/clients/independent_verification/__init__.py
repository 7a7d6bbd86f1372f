"""Results of the server judged by other libraries, and theirs by the server; see `harness.independent`."""
