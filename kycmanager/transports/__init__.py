"""The ways in and out over the network: framing, codecs and servers that only translate."""
