"""What the tests by real clients share: checks, clients of the Regions, recordings of answers, clusters."""
