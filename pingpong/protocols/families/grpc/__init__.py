"""gRPC over HTTP/2, and what is like it: gRPC-Web, Connect, Dubbo's Triple."""
