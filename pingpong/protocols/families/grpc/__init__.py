"""gRPC over HTTP/2, and its relatives: gRPC-Web, Connect, Dubbo's Triple."""
