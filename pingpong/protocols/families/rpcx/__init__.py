"""rpcx, smallnest's RPC for Go."""
