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
            t.THREAD_POOL,
            "Thread pool is EXHAUSTED!",
            "threadpool/support/AbortPolicyWithReport.java",
        ),
        (
            t.OVERLOAD,
            "Thread pool is EXHAUSTED! Thread Name: DubboServerHandler",
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
            "Data length too large: {number}, max payload: {limit}",
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
            t.NOT_OPEN,
            "message can not send, be cause channel is closed",
            "remoting/transport/AbstractClient.java of 2.7.1",
            "client",
        ),
        (
            t.NO_PROVIDER,
            "No provider available for the service",
            "cluster/support/AbstractClusterInvoker.java",
            "client",
        ),
        (
            t.NO_PROVIDER,
            "No provider available from registry {word} for service {word}",
            "registry/integration/DynamicDirectory.java",
            "client",
        ),
        (
            t.NO_PROVIDER,
            "No provider available after route for the service",
            "rpc/cluster/SingleRouterChain.java",
            "client",
        ),
        (
            t.NO_PROVIDER,
            "No provider available in",
            "cluster/support/AvailableClusterInvoker.java",
            "client",
        ),
        (
            t.NO_PROVIDER,
            "Forbid consumer {word} access service {word} from registry",
            "registry/integration/RegistryDirectory.java of 2.5",
            "client",
        ),
        (
            t.TOKEN,
            "Invalid token! Forbid invoke remote service",
            "rpc/filter/TokenFilter.java",
            "server",
        ),
        *(
            (
                t.CLASS_REFUSED,
                f"[Serialization Security] Serialized class {{word}} is {words} list",
                "common/utils/DefaultSerializeClassChecker.java",
            )
            for words in ("not in allow", "in disallow")
        ),
        (
            t.DECODE,
            "Fail to decode request due to:",
            "remoting/exchange/support/header/HeaderExchangeHandler.java",
            "server",
        ),
        (
            t.DECODE,
            "Decode rpc invocation failed:",
            "rpc/protocol/dubbo/DecodeableRpcInvocation.java",
            "server",
        ),
        (
            t.DECODE,
            "Decode argument failed:",
            "rpc/protocol/dubbo/DecodeableRpcInvocation.java of 2.7",
            "server",
        ),
        *(
            (t.STREAM_RESET, f"{words}errorCode={{n}}", f"rpc/protocol/tri/{source}", "client")
            for words, source in (
                ("Canceled by remote peer, ", "stream/AbstractTripleClientStream.java"),
                (
                    "Triple Client received remote reset ",
                    "transport/TripleHttp2ClientResponseHandler.java",
                ),
            )
        ),
        (
            t.DECODE,
            "Decode rpc result failed:",
            "rpc/protocol/dubbo/DecodeableRpcResult.java",
            "client",
        ),
        (
            t.HANDLER,
            "Got unchecked and undeclared exception which called by",
            "rpc/filter/ExceptionFilter.java",
            "server",
        ),
        (
            t.ENCODE,
            "Fail to encode response:",
            "remoting/exchange/codec/ExchangeCodec.java",
            "server",
        ),
        (
            t.NOT_DUBBO,
            "Dubbo client can not supported string message:",
            "remoting/exchange/support/header/HeaderExchangeHandler.java",
            "client",
        ),
        (
            t.REFUSED,
            "client(url: {text}) failed to connect to server {word}",
            "remoting/transport/netty4/NettyClient.java",
            "client",
        ),
        (
            t.CONNECT_TIMEOUT,
            "client(url: {text}) failed to connect to server {word} client-side timeout",
            "remoting/transport/netty4/NettyClient.java",
            "client",
        ),
        (
            t.REFUSED,
            "Failed to connect to server {word} from {word} {word} using dubbo version",
            "remoting/transport/AbstractClient.java",
            "client",
        ),
        (
            t.REFUSED,
            "Fail to create remoting client for service({text})",
            "rpc/protocol/dubbo/DubboProtocol.java",
            "client",
        ),
        *(
            (
                t.NOT_OPEN,
                f"Failed to send {what} {{text}}, cause: The channel {{text}} is closed!",
                "exchange/support/header/HeaderExchangeChannel.java",
            )
            for what in ("message", "request")
        ),
        *(
            (
                t.REGISTRY,
                f"Failed to {what} {{text}} to {kind} {{word}} cause:",
                f"registry/{kind}/{kind.capitalize()}Registry.java",
            )
            for what in ("register", "subscribe")
            for kind in ("zookeeper", "nacos")
        ),
        (
            t.REGISTRY,
            "Failed to register {text} to registry {word} cause:",
            "registry/support/FailbackRegistry.java",
        ),
        (t.REGISTRY, "zookeeper not connected", "remoting/zookeeper/CuratorZookeeperClient.java"),
        (t.REGISTRY, "KeeperErrorCode = ConnectionLoss", "ZooKeeper's KeeperException.java"),
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
            "Data length {number} too large, max payload {limit}",
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
            "NettyDecoder transport data content length over of limit, size: {number} > {limit}",
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
            "decode motan v2 header fail. magicnum not correct. magic:{short}",
            "protocol/v2motan/MotanV2Header.java",
        ),
        (
            t.WRONG_MAGIC,
            "decode error: magic error",
            "protocol/rpc/DefaultRpcCodec.java",
        ),
        (
            t.WRONG_MAGIC,
            "NettyDecoder transport header not support, type: {short}",
            "transport/netty4/NettyDecoder.java",
        ),
        *(
            (t.DECODE, f"decode error: {words}", "protocol/rpc/DefaultRpcCodec.java")
            for words in ("isResponse={word}", "format problem", "response dataType not support")
        ),
        *(
            (t.DECODE, f"decode {what} error: class not found", "protocol/rpc/DefaultRpcCodec.java")
            for what in ("request", "response")
        ),
        (t.DECODE, "deserialize return value fail!", "rpc/DefaultResponseFuture.java", "client"),
        *(
            (t.ENCODE, f"encode error: {words}", "protocol/rpc/DefaultRpcCodec.java")
            for words in ("isResponse={word}", "message type not support")
        ),
        (t.ENCODE, "motan2 encode error.", "protocol/v2motan/MotanV2Codec.java"),
        (
            t.REFUSED,
            "NettyChannel failed to connect to server, url:",
            "transport/netty4/NettyChannel.java",
            "client",
        ),
        (
            t.CONNECT_TIMEOUT,
            "NettyChannel connect to server timeout url:",
            "transport/netty4/NettyChannel.java",
            "client",
        ),
        (
            t.CALLER_SLOW,
            "NettyChannel send request to server Timeout:",
            "transport/netty4/NettyChannel.java",
            "client",
        ),
        (
            t.OWN_LIMIT,
            "NettyClient over of max concurrent request, drop request",
            "transport/netty4/NettyClient.java",
            "client",
        ),
        (
            t.OWN_LIMIT,
            "NettyClient unavailable Error:",
            "transport/netty4/NettyClient.java",
            "client",
        ),
        (
            t.CALL_TIMEOUT,
            "NettyResponseFuture request timeout:",
            "transport/netty/NettyResponseFuture.java of 0.2",
            "client",
        ),
        (
            t.REFUSED,
            "NettyClient init pool create connect Error:",
            "transport/AbstractPoolClient.java",
            "client",
        ),
        (
            t.REGISTRY,
            "Create registry false for url:",
            "registry/support/AbstractRegistryFactory.java",
        ),
        (
            t.NO_PROVIDER,
            "No service urls for the refer:",
            "cluster/support/ClusterSupport.java",
            "client",
        ),
        (
            t.NO_PROVIDER,
            "No referers for request:",
            "cluster/ha/FailoverHaStrategy.java",
            "client",
        ),
        (
            t.NO_PROVIDER,
            "No available referers for call",
            "cluster/loadbalance/AbstractLoadBalance.java",
            "client",
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
        (t.WRONG_MAGIC, "wrong magic number: {byte}", "protocol/message.go"),
        *(
            (t.WRONG_MAGIC, f"{words}wrong magic number: {{byte}}", source, side)
            for words, source, side in (
                ("rpcx: client protocol error: ", "client/client.go", "client"),
                ("rpcx: client protocol error:", "client/client.go of 1.7", "client"),
                ("rpcx: failed to read request: ", "server/server_conn.go", "server"),
            )
        ),
        (t.HANDLER, "[service internal error]: {text}", "server/service.go", "server"),
        (t.HANDLER, "[handler internal error]: {text}", "server/server_conn.go", "server"),
        (t.OVERLOAD, "request reached rate limit", "server/server.go", "server"),
        (t.HEARTBEAT, "failed to heartbeat to {text}", "client/client.go", "client"),
        (t.NOT_OPEN, "connection is shut down", "client/client.go", "client"),
        (t.NO_PROVIDER, "can not found any server", "client/xclient.go", "client"),
        (t.OWN_LIMIT, "breaker open", "client/circuit_breaker.go", "client"),
        (t.TOKEN, "auth failed for conn {word}", "server/server_conn.go", "server"),
        (
            t.CLIENT_GONE,
            "client has closed this connection: {word}",
            "server/server_conn.go",
            "server",
        ),
        (t.NO_SERVER, "selected server is unavailable", "client/xclient.go", "client"),
    ),
)
