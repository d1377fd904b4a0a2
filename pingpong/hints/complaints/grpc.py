"""What gRPC writes: its core (C++, Python, Ruby, PHP), Go, Java with Netty, and Node."""

from __future__ import annotations

from typing import Final

from . import troubles as t
from .wordings import wordings

__all__ = ["WORDINGS"]

_CHTTP2: Final = "ext/transport/chttp2"

WORDINGS: Final = (
    *wordings(
        "C++",
        "gRPC core",
        (
            t.HTTP1_SERVER,
            "Trying to connect an http1.x server",
            f"{_CHTTP2}/chttp2_transport.cc",
            "client",
        ),
        (
            t.NOT_SETTINGS,
            "Expected SETTINGS frame as the first frame, got frame type {n}",
            f"{_CHTTP2}/parsing.cc",
        ),
        (t.NO_PREFACE, "Connect string mismatch: expected", f"{_CHTTP2}/parsing.cc", "server"),
        (
            t.MESSAGE_LIMIT,
            "Received message larger than max ({n} vs. {n})",
            "ext/filters/message_size",
        ),
        (t.MESSAGE_LIMIT, "Sent message larger than max ({n} vs. {n})", "ext/filters/message_size"),
        (
            t.PINGS,
            'Received a GOAWAY with error code ENHANCE_YOUR_CALM and debug data equal to "too_many_'
            'pings"',
            f"{_CHTTP2}/chttp2_transport.cc",
            "client",
        ),
        (t.PINGS, "too_many_pings", f"{_CHTTP2}/chttp2_transport.cc"),
        (t.PINGS, "Too many pings", f"{_CHTTP2}/chttp2_transport.cc"),
        (
            t.STREAM_RESET,
            "Received RST_STREAM with error code {n}",
            f"{_CHTTP2}/frame_rst_stream.cc",
        ),
        (
            t.CONTENT_TYPE,
            "Received http2 header with status: {n}",
            "ext/filters/http/client",
            "client",
        ),
        (t.GOAWAY, "GOAWAY received", f"{_CHTTP2}/chttp2_transport.cc", "client"),
        (t.DEADLINE, "Deadline Exceeded", "ext/filters/deadline", "client"),
        (
            t.NO_SERVER,
            "failed to connect to all addresses",
            "load_balancing/pick_first",
            "client",
        ),
        (t.RESOLVE, "DNS resolution failed for", "resolver/dns", "client"),
        (t.HEARTBEAT, "keepalive watchdog timeout", f"{_CHTTP2}/chttp2_transport.cc"),
    ),
    *wordings(
        "Python",
        "gRPC",
        (t.NO_SUCH_CALL, "Method not found!", "grpc/_server.py", "server"),
        (t.NO_SUCH_CALL, "Method not implemented!", "code made by protoc", "server"),
        (t.HANDLER, "Exception calling application: {text}", "grpc/_server.py", "server"),
        (t.HANDLER, "Exception iterating responses: {text}", "grpc/_server.py", "server"),
        (t.OVERLOAD, "Concurrent RPC limit exceeded!", "grpc/_server.py", "server"),
        (t.DEADLINE, "StatusCode.DEADLINE_EXCEEDED", "grpc/__init__.py", "client"),
    ),
    *wordings(
        "Go",
        "gRPC",
        (t.H2_FRAME, "http2: frame too large", "golang.org/x/net/http2"),
        (
            t.HTTP1_SERVER,
            "http2: frame too large, note that the frame header looked like an HTTP/1.1 header",
            "golang.org/x/net/http2",
            "client",
        ),
        (
            t.HTTP1_SERVER,
            "http2: failed reading the frame payload: http2: frame too large, note that the frame "
            "header looked like an HTTP/1.1 header",
            "golang.org/x/net/http2",
            "client",
        ),
        (
            t.H2_FRAME,
            "error reading server preface: http2: frame too large",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.HTTP1_SERVER,
            "error reading server preface: http2: failed reading the frame payload: http2: frame "
            "too large, note that the frame header looked like an HTTP/1.1 header",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.NO_H2_SETTINGS,
            "error reading server preface: EOF",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.NO_H2_SETTINGS,
            "error reading server preface: {word} {text} i/o timeout",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.NO_H2_SETTINGS,
            "error reading server preface: {word} {text} connection reset by peer",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.NO_PREFACE,
            "transport: http2Server.HandleStreams received bogus greeting from client",
            "internal/transport/http2_server.go",
            "server",
        ),
        (
            t.NO_H2_SETTINGS,
            "transport: http2Server.HandleStreams failed to receive the preface from client",
            "internal/transport/http2_server.go",
            "server",
        ),
        (
            t.CONTENT_TYPE,
            "transport: received unexpected content-type {text}",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.CONTENT_TYPE,
            "unexpected HTTP status code received from server: {n}",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.CONTENT_TYPE,
            "malformed header: missing HTTP content-type",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.PINGS,
            "transport: Got too many pings from the client",
            "internal/transport/http2_server.go",
            "server",
        ),
        (
            t.PINGS,
            "got too many pings from the client",
            "internal/transport/http2_server.go",
            "server",
        ),
        (t.MESSAGE_LIMIT, "grpc: received message larger than max ({n} vs. {n})", "rpc_util.go"),
        (
            t.MESSAGE_LIMIT,
            "grpc: received message after decompression larger than max ({n} vs. {n})",
            "rpc_util.go",
        ),
        (t.MESSAGE_LIMIT, "trying to send message larger than max ({n} vs. {n})", "stream.go"),
        (t.NO_SUCH_CALL, "unknown method {word} for service {word}", "server.go", "server"),
        (t.NO_SUCH_CALL, "unknown service {word}", "server.go", "server"),
        (t.NO_SUCH_CALL, 'malformed method name: "{word}"', "server.go", "server"),
        (
            t.COMPRESSION,
            'grpc: Decompressor is not installed for grpc-encoding "{word}"',
            "rpc_util.go",
        ),
        (
            t.COMPRESSION,
            "grpc: compressed flag set with identity or empty encoding",
            "rpc_util.go",
        ),
        (
            t.STREAM_RESET,
            "stream terminated by RST_STREAM with error code: {word}",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.GOAWAY,
            "received prior goaway: code: {word}",
            "internal/transport/http2_client.go",
            "client",
        ),
        (
            t.GOAWAY,
            "closing transport due to: connection error: desc = {text} received prior goaway",
            "internal/transport/http2_client.go",
            "client",
        ),
        (t.DEADLINE, "code = DeadlineExceeded", "status", "client"),
        (t.STREAM_RESET, "stream error: stream ID {n}; {word}", "golang.org/x/net/http2"),
        (
            t.HEARTBEAT,
            "keepalive ping failed to receive ACK within timeout",
            "internal/transport/http2_client.go",
            "client",
        ),
        (t.H2_ENDED, "transport is closing", "internal/transport/transport.go"),
        (
            t.H2_ENDED,
            "error reading from server: EOF",
            "internal/transport/http2_client.go",
            "client",
        ),
        (t.REFUSED, "grpc: the connection is unavailable", "clientconn.go of 1.0", "client"),
        (t.OWN_CLOSE, "grpc: the client connection is closing", "clientconn.go", "client"),
        (
            t.NO_PROVIDER,
            "name resolver error: produced zero addresses",
            "clientconn.go",
            "client",
        ),
    ),
    *wordings(
        "Java",
        "gRPC (Netty)",
        (
            t.NOT_SETTINGS,
            "First received frame was not SETTINGS. Hex dump for first 5 bytes: {dump}",
            "netty, Http2ConnectionHandler.java",
        ),
        (
            t.NOT_SETTINGS,
            "First received frame was not SETTINGS",
            "netty, Http2ConnectionHandler.java",
        ),
        (
            t.NO_PREFACE,
            "HTTP/2 client preface string missing or corrupt. Hex dump for received bytes: {dump}",
            "netty, Http2ConnectionHandler.java",
            "server",
        ),
        (
            t.NO_PREFACE,
            "HTTP/2 client preface string missing or corrupt",
            "netty, Http2ConnectionHandler.java",
            "server",
        ),
        (
            t.NO_PREFACE,
            "Unexpected HTTP/1.x request: {text}",
            "netty, Http2ConnectionHandler.java",
            "server",
        ),
        (
            t.H2_FRAME,
            "Frame length: {number} exceeds maximum: {limit}",
            "netty, DefaultHttp2FrameReader.java",
        ),
        (
            t.MESSAGE_LIMIT,
            "gRPC message exceeds maximum size {limit}: {n}",
            "internal/MessageDeframer.java",
        ),
        (t.NO_SUCH_CALL, "Method not found: {word}", "internal/ServerImpl.java", "server"),
        (t.NO_SUCH_CALL, "UNIMPLEMENTED: Method not found", "internal/ServerImpl.java", "client"),
        (
            t.CONTENT_TYPE,
            "HTTP status code {n}\ninvalid content-type: {text}",
            "internal/Http2ClientStreamTransportState.java",
            "client",
        ),
        (
            t.CONTENT_TYPE,
            "invalid content-type: {text}",
            "internal/Http2ClientStreamTransportState.java",
            "client",
        ),
        (
            t.PINGS,
            "HTTP/2 error code: ENHANCE_YOUR_CALM",
            "internal/GrpcUtil.java",
            "client",
        ),
        (t.STREAM_RESET, "HTTP/2 error code: {word}", "internal/GrpcUtil.java", "client"),
        (
            t.GOAWAY,
            "Connection closed after GOAWAY. HTTP/2 error code: {word}",
            "netty/NettyClientHandler.java",
            "client",
        ),
        (t.DEADLINE, "DEADLINE_EXCEEDED: {text}", "Status.java", "client"),
        (t.H2_FAILED, "UNAVAILABLE: io exception", "netty/Utils.java", "client"),
        (t.H2_FAILED, "UNKNOWN: channel closed", "netty/Utils.java", "client"),
        (
            t.H2_FAILED,
            "Network closed for unknown reason",
            "netty/NettyClientHandler.java",
            "client",
        ),
        (
            t.H2_ENDED,
            "End of stream or IOException",
            "okhttp/OkHttpClientTransport.java",
            "client",
        ),
        *(
            (t.OWN_CLOSE, f"Channel {words} invoked", "internal/ManagedChannelImpl.java", "client")
            for words in ("shutdown", "shutdownNow")
        ),
        (
            t.HEARTBEAT,
            "Keepalive failed. The connection is likely gone",
            "internal/KeepAliveManager.java",
        ),
        (t.RESOLVE, "Unable to resolve host {word}", "internal/DnsNameResolver.java", "client"),
        (t.H2_FRAME, "FRAME_SIZE_ERROR: {number}", "okhttp/internal/framed/Http2.java"),
    ),
    *wordings(
        "Node.js",
        "gRPC (grpc-js)",
        (
            t.STREAM_RESET,
            "Received RST_STREAM with code {n}",
            "src/subchannel-call.ts",
            "client",
        ),
        (
            t.MESSAGE_LIMIT,
            "Received message larger than max ({n} vs {n})",
            "src/stream-decoder.ts",
        ),
        (
            t.MESSAGE_LIMIT,
            "Attempted to send message with a size larger than {limit}",
            "src/max-message-size-filter.ts",
        ),
        (
            t.NO_SUCH_CALL,
            "The server does not implement the method {word}",
            "src/server.ts",
            "server",
        ),
        (
            t.PINGS,
            "Bandwidth exhausted or memory limit exceeded",
            "src/subchannel-call.ts",
            "client",
        ),
        (
            t.NO_SERVER,
            "No connection established. Last error: {text}",
            "src/load-balancer",
            "client",
        ),
        (
            t.CONTENT_TYPE,
            "Received HTTP status code {n}",
            "src/subchannel-call.ts",
            "client",
        ),
        (t.DEADLINE, "Deadline exceeded after {word}", "src/resolving-call.ts", "client"),
        (
            t.OWN_RESET,
            "Received RST_STREAM with code {n} triggered by internal client error: {word}",
            "src/subchannel-call.ts",
            "client",
        ),
        (t.NO_SERVER, "UNAVAILABLE: No connection established", "src/load-balancer", "client"),
        (t.STREAM_RESET, "Stream refused by server", "src/subchannel-call.ts", "client"),
        (t.H2_ENDED, "UNAVAILABLE: Connection dropped", "src/subchannel-call.ts", "client"),
        (
            t.RESOLVE,
            "Name resolution failed for target {word}",
            "src/resolver-dns.ts",
            "client",
        ),
    ),
)
