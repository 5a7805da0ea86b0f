using Grpc.Net.Client;

namespace InstructTune.Client;

/// <summary>How the HTTP/2 connection behaves: notices a server that died within a minute, bears one that is slow, and repeats what is safe.</summary>
internal static class ChannelSettings
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(30);

    // Ours, because the channel disposes it: a handler shared by channels would die with the first of them.
    public static GrpcChannelOptions Create() => new()
    {
        DisposeHttpClient = true,
        ServiceConfig = RetryPolicies.Create(),
        HttpHandler = new SocketsHttpHandler
        {
            ConnectTimeout = ConnectTimeout,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTimeout,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
        },
    };
}
