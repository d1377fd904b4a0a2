"""The families of RPC: what stands around the values, and where a message ends."""
