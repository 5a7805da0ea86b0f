using System.Net.Sockets;
using Grpc.Core;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace InstructTune.Hosting;

/// <summary>Connections to the other services of InstructTune, by TCP or by Unix socket.</summary>
public static class PeerChannel
{
    private const string UnixPrefix = "unix:";

    /// <summary>
    /// Registers a client of the service at the address <c>Peers:{peer}</c>: <c>http://host:port</c> or <c>unix:/path</c>.
    /// Calls that find nobody there are tried again for about a second; then they fail with UNAVAILABLE.
    /// </summary>
    public static void AddPeer<TClient>(this IServiceCollection services, string peer)
        where TClient : ClientBase
    {
        services.AddGrpcClient<TClient>((provider, options) => options.Address = HttpAddress(AddressOf(provider, peer)))
            .ConfigurePrimaryHttpMessageHandler(provider => CreateHandler(AddressOf(provider, peer)))
            .ConfigureChannel(channel =>
            {
                channel.ServiceConfig = new ServiceConfig { MethodConfigs = { Retries() } };
                channel.MaxReceiveMessageSize = ServiceDefaults.MaxMessageBytes;
            });
    }

    /// <summary>The address that HTTP sees: for a Unix socket a name that is never resolved.</summary>
    public static Uri HttpAddress(string address) =>
        address.StartsWith(UnixPrefix, StringComparison.Ordinal) ? new Uri("http://localhost") : new Uri(address);

    /// <summary>A handler that connects to <paramref name="address"/>, whatever host the request names.</summary>
    public static SocketsHttpHandler CreateHandler(string address)
    {
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            UseProxy = false,
        };
        if (address.StartsWith(UnixPrefix, StringComparison.Ordinal))
        {
            var endPoint = new UnixDomainSocketEndPoint(address[UnixPrefix.Length..]);
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await socket.ConnectAsync(endPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            };
        }

        return handler;
    }

    private static string AddressOf(IServiceProvider provider, string peer) =>
        provider.GetRequiredService<IConfiguration>()[$"Peers:{peer}"]
        ?? throw new InvalidOperationException($"Set Peers:{peer} to the address of the {peer} service: http://host:port or unix:/path.");

    // AIP-194: only UNAVAILABLE, 4 attempts, 100 ms doubling.
    private static MethodConfig Retries() => new()
    {
        Names = { MethodName.Default },
        RetryPolicy = new RetryPolicy
        {
            MaxAttempts = 4,
            InitialBackoff = TimeSpan.FromMilliseconds(100),
            MaxBackoff = TimeSpan.FromSeconds(1),
            BackoffMultiplier = 2,
            RetryableStatusCodes = { StatusCode.Unavailable },
        },
    };
}
