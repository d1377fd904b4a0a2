"""What Dubbo (Java and Go), Motan (Java and Go) and rpcx (Go) write."""

from __future__ import annotations

from typing import Final

from . import troubles as t
from .wordings import wordings

__all__ = ["WORDINGS"]

_FUTURE: Final = "remoting/exchange/support/DefaultFuture.java"
_PROTOCOL: Final = "protocol/motanProtocol.go"

WORDINGS: Final = (
    *wordings(
        "Java",
        "Dubbo",
        (t.CALL_TIMEOUT, "Waiting server-side response timeout", _FUTURE, "client"),
        (t.CALLER_SLOW, "Sending request timeout in client-side", _FUTURE, "client"),
        (
            t.CALL_TIMEOUT,
            "Invoke remote method timeout. method: {word} provider: {text}",
            "rpc/protocol/AbstractInvoker.java",
            "client",
        ),
        (t.LATE_ANSWER, "The timeout response finally returned at", _FUTURE, "client"),
        (
            t.OVERLOAD,
            "Thread pool is EXHAUSTED!",
            "threadpool/support/AbortPolicyWithReport.java",
            "server",
        ),
        (
            t.OVERLOAD,
            "Server side({text}) thread pool is exhausted, detail msg:",
            "remoting/transport/dispatcher/WrappedChannelHandler.java",
            "server",
        ),
        (
            t.OVERLOAD,
            "Server side({text}) threadpool is exhausted ,detail msg:",
            "dispatcher/all/AllChannelHandler.java of 2.6",
            "server",
        ),
        (
            t.OVERLOAD,
            'The service using threads greater than <dubbo:service executes="{n}" /> limited.',
            "rpc/filter/ExecuteLimitFilter.java",
            "server",
        ),
        (
            t.OVERLOAD,
            "because exceed max service tps.",
            "rpc/filter/TpsLimitFilter.java",
            "server",
        ),
        (
            t.PAYLOAD,
            "Data length too large: {n}, max payload: {n}",
            "remoting/transport/AbstractCodec.java",
        ),
        (
            t.NOT_SERVED,
            "Not found exported service: {word} in [{text}]",
            "rpc/protocol/dubbo/DubboProtocol.java",
            "server",
        ),
        (
            t.NOT_SERVED,
            'Not found method "{word}" in class {word}',
            "common/bytecode/Wrapper.java",
            "server",
        ),
        (
            t.SERIALIZATION,
            "Unexpected serialization id:{n} received from network",
            "rpc/protocol/dubbo/DecodeableRpcInvocation.java",
        ),
        (
            t.SERIALIZATION,
            "Unexpected serialization type:{word} received from network",
            "remoting/transport/CodecSupport.java",
        ),
        (
            t.HEARTBEAT,
            "because heartbeat read idle time out: {n}ms",
            "exchange/support/header/ReconnectTimerTask.java",
            "client",
        ),
        (
            t.NOT_OPEN,
            "message can not send, because channel is closed",
            "remoting/transport/AbstractClient.java",
            "client",
        ),
        (
            t.NO_SERVER,
            "No provider available for the service",
            "cluster/support/AbstractClusterInvoker.java",
            "client",
        ),
        (
            t.CONSOLE,
            "Unsupported command: {word}",
            "remoting/telnet/support/TelnetHandlerAdapter.java",
            "server",
        ),
    ),
    *wordings(
        "Go",
        "Dubbo",
        (
            t.CALL_TIMEOUT,
            "maybe the client read timeout or fail to decode tcp stream in Writer.Write",
            "remoting/getty/getty_client.go",
            "client",
        ),
        (
            t.PAYLOAD,
            "Data length {n} too large, max payload {n}",
            "remoting/getty/readwriter.go",
        ),
        (
            t.NOT_SERVED,
            "don't have this exporter, key: {word}",
            "protocol/dubbo/dubbo_protocol.go",
            "server",
        ),
        (
            t.NOT_SERVED,
            "don't have the invoker, key: {word}",
            "protocol/dubbo/dubbo_protocol.go",
            "server",
        ),
        (t.HEARTBEAT, "heartbeat read timeout", "remoting/getty/listener.go"),
        (
            t.HEARTBEAT,
            "[Remoting][Getty] session timeout, session={text}",
            "remoting/getty/listener.go",
        ),
        (t.OVERLOAD, "too many sessions", "remoting/getty/listener.go", "server"),
        (t.SERIALIZATION, "serialization ID:{n}", "protocol/dubbo/impl/codec.go"),
        (
            t.NO_SERVER,
            "No provider is available because can't connect server.",
            "cluster/cluster/failover/cluster_invoker.go",
            "client",
        ),
    ),
    *wordings(
        "Java",
        "Motan",
        (
            t.CALL_TIMEOUT,
            "request timeout: remote info ={text}",
            "rpc/DefaultResponseFuture.java",
            "client",
        ),
        (
            t.LATE_ANSWER,
            "NettyClient has response from server, but responseFuture not exist",
            "transport/netty4/NettyClient.java",
            "client",
        ),
        (
            t.OVERLOAD,
            "process thread pool is full, reject",
            "transport/netty4/NettyChannelHandler.java",
            "server",
        ),
        (
            t.OVERLOAD,
            "ThreadProtectedRequestRouter reject request:",
            "transport/DefaultProtectedStrategy.java",
            "server",
        ),
        (
            t.PAYLOAD,
            "NettyDecoder transport data content length over of limit, size: {n} > {n}",
            "transport/netty4/NettyDecoder.java",
        ),
        (
            t.NOT_SERVED,
            "provider not exist serviceKey=",
            "transport/ProviderMessageRouter.java",
            "server",
        ),
        (
            t.NOT_SERVED,
            "Service method not exist: {text}",
            "rpc/DefaultProvider.java",
            "server",
        ),
        (
            t.SERIALIZATION,
            "can not found serialization {word}",
            "protocol/v2motan/MotanV2Codec.java",
        ),
        (
            t.HANDLER,
            "provider call process error",
            "transport/ProviderMessageRouter.java",
            "server",
        ),
        (
            t.HANDLER,
            "provider has encountered a fatal error!",
            "rpc/DefaultProvider.java",
            "server",
        ),
        (
            t.HEARTBEAT,
            "NettyClient heartbeat Error:",
            "transport/netty4/NettyClient.java",
            "client",
        ),
        (
            t.NOT_OPEN,
            "NettyChannel is unavailable: url=",
            "transport/netty4/NettyClient.java",
            "client",
        ),
        (
            t.WRONG_MAGIC,
            "decode motan v2 header fail. magicnum not correct.",
            "protocol/v2motan/MotanV2Header.java",
        ),
        (
            t.WRONG_MAGIC,
            "decode error: magic error",
            "protocol/rpc/DefaultRpcCodec.java",
        ),
    ),
    *wordings(
        "Go",
        "Motan",
        (
            t.CALL_TIMEOUT,
            "timeout err: receive request timeout",
            "endpoint/motanEndpoint.go",
            "client",
        ),
        (
            t.CALLER_SLOW,
            "timeout err: send request timeout",
            "endpoint/motanEndpoint.go",
            "client",
        ),
        (
            t.NOT_SERVED,
            "method {word} is not found in provider.",
            "provider/provider.go",
            "server",
        ),
        (t.HANDLER, "provider call panic", "server/server.go", "server"),
        (t.PAYLOAD, "content length over the limit", _PROTOCOL),
        (t.WRONG_MAGIC, "message magic number not correct", _PROTOCOL),
        (t.WRONG_MAGIC, "message version not correct", _PROTOCOL),
        (t.SERIALIZATION, "message serialize number not correct", _PROTOCOL),
        (t.SERIALIZATION, "message serialize not found", _PROTOCOL),
        (t.SERIALIZATION, "not support type by SimpleSerialization", "serialize/simple.go"),
        (t.NOT_OPEN, "the channel has been shutdown", "endpoint/motanEndpoint.go", "client"),
    ),
    *wordings(
        "Go",
        "rpcx",
        (t.NOT_SERVED, "rpcx: can't find service", "server/server_dispatch.go", "server"),
        (t.NOT_SERVED, "rpcx: can't find method", "server/server_dispatch.go", "server"),
        (t.SERIALIZATION, "can not find codec for {n}", "server/server_dispatch.go", "server"),
        (t.SERIALIZATION, "unsupported codec", "client/client.go", "client"),
        (t.COMPRESSION, "unsupported compressor", "protocol/message.go"),
        (t.PAYLOAD, "rpcx: failed to read request: message is too long", "protocol/message.go"),
        (t.WRONG_MAGIC, "wrong magic number: {n}", "protocol/message.go"),
        (t.HANDLER, "[service internal error]: {text}", "server/service.go", "server"),
        (t.HANDLER, "[handler internal error]: {text}", "server/server_conn.go", "server"),
        (t.OVERLOAD, "request reached rate limit", "server/server.go", "server"),
        (t.HEARTBEAT, "failed to heartbeat to {text}", "client/client.go", "client"),
        (t.NOT_OPEN, "connection is shut down", "client/client.go", "client"),
        (t.NO_SERVER, "can not found any server", "client/xclient.go", "client"),
        (t.NO_SERVER, "selected server is unavailable", "client/xclient.go", "client"),
    ),
)
