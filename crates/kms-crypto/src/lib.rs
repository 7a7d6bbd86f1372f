//! Key material, blob format, wrapping and sealing; randomness is an argument; cannot log or serialise.
