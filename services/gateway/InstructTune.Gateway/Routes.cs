using System.Net;
using InstructTune.Hosting;
using InstructTune.V1;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace InstructTune.Gateway;

/// <summary>Which gRPC service is answered by which process.</summary>
internal static class Routes
{
    /// <summary>The cluster's metadata key that holds the peer's address, which may be a Unix socket.</summary>
    public const string AddressKey = "address";

    /// <summary>A key of the metadata of routes that only administrators may take.</summary>
    public const string AdministratorKey = "administrator";

    // Watch streams say something every 15 s; a unary Score of 256 long items may take minutes on a CPU.
    private static readonly TimeSpan _activityTimeout = TimeSpan.FromMinutes(30);

    private static readonly Dictionary<string, Google.Protobuf.Reflection.ServiceDescriptor[]> _servicesByPeer = new(StringComparer.Ordinal)
    {
        ["Dataset"] = [DatasetService.Descriptor],
        ["Trainer"] = [FineTuneService.Descriptor, ModelRegistryService.Descriptor],
        ["Evaluation"] = [EvaluationService.Descriptor],
        ["Inference"] = [InferenceService.Descriptor],
    };

    public static IReadOnlyList<RouteConfig> All() =>
    [
        .. _servicesByPeer.SelectMany(peer => peer.Value.Select(service => new RouteConfig
        {
            RouteId = service.Name,
            ClusterId = peer.Key,
            Match = new RouteMatch { Path = $"/{service.FullName}/{{**method}}" },
        })),
        .. _servicesByPeer.SelectMany(peer => peer.Value.SelectMany(service => service.Methods).Where(IsForAdministrators).Select(method => new RouteConfig
        {
            // Routes of their own, so that a path is judged by the same rules as it is found: case and slashes at its end do not matter.
            RouteId = $"{method.Service.Name}/{method.Name}",
            ClusterId = peer.Key,
            Match = new RouteMatch { Path = $"/{method.Service.FullName}/{method.Name}" },
            Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { [AdministratorKey] = "" },
        })),
    ];

    public static IReadOnlyList<ClusterConfig> Clusters(IConfiguration configuration) =>
        [.. _servicesByPeer.Keys.Select(peer => Cluster(peer, AddressOf(configuration, peer)))];

    private static bool IsForAdministrators(Google.Protobuf.Reflection.MethodDescriptor method) =>
        method.GetOptions()?.GetExtension(ErrorsExtensions.ErrorReasons)?.Contains(ErrorReason.AdminKeyRequired) is true;

    private static ClusterConfig Cluster(string peer, string address) => new()
    {
        ClusterId = peer,
        Metadata = new Dictionary<string, string>(StringComparer.Ordinal) { [AddressKey] = address },
        Destinations = new Dictionary<string, DestinationConfig>(StringComparer.Ordinal)
        {
            ["1"] = new() { Address = PeerChannel.HttpAddress(address).ToString() },
        },
        HttpRequest = new ForwarderRequestConfig
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            ActivityTimeout = _activityTimeout,
        },
    };

    private static string AddressOf(IConfiguration configuration, string peer) =>
        configuration[$"Peers:{peer}"]
        ?? throw new InvalidOperationException($"Set Peers:{peer} to the address of the {peer} service: http://host:port or unix:/path.");
}
