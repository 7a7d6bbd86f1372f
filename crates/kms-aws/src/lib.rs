//! The AWS wire: SigV4, JSON 1.1, one table of error codes.
