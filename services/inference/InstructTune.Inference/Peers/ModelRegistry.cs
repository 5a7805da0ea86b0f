using System.Collections.Concurrent;
using Grpc.Core;
using InstructTune.Inference.Models;
using InstructTune.Inference.Requests;
using Microsoft.Extensions.Options;

namespace InstructTune.Inference.Peers;

/// <summary>
/// Asks the model registry at every request, so that `latest` is the newest and a name that came back with other content is never
/// answered from the old. What it said is remembered for the time when it is away.
/// </summary>
internal sealed partial class ModelRegistry(
    V1.ModelRegistryService.ModelRegistryServiceClient client,
    IOptions<InferenceOptions> options,
    TimeProvider time,
    ILogger<ModelRegistry> logger) : IModelRegistry
{
    /// <summary>An adapter on an adapter is refused by the registry; this bounds what a broken one could ask for.</summary>
    private const int MaxBases = 1;

    private readonly ConcurrentDictionary<string, VersionFacts> _remembered = new(StringComparer.Ordinal);

    public async Task<VersionFacts> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            var facts = await AskAsync(name, MaxBases, cancellationToken);
            _remembered[name] = facts;
            return facts;
        }
        catch (RpcException exception) when (exception.StatusCode is StatusCode.NotFound or StatusCode.InvalidArgument)
        {
            _remembered.TryRemove(name, out _);
            throw new InferenceFault(FaultKind.ModelNotFound, $"{name} does not exist.", ("resource", name));
        }
        catch (RpcException exception) when (!cancellationToken.IsCancellationRequested)
        {
            Log.Unreachable(logger, name, exception.StatusCode);
            return _remembered.TryGetValue(name, out var facts)
                ? facts
                : throw new InferenceFault(
                    FaultKind.PeerUnreachable, $"The model registry does not answer, and {name} was not used before.", ("peer", "Trainer"));
        }
    }

    private async Task<VersionFacts> AskAsync(string name, int basesLeft, CancellationToken cancellationToken)
    {
        var version = await client.GetModelVersionAsync(
            new V1.GetModelVersionRequest { Name = name },
            deadline: (time.GetUtcNow() + options.Value.RegistryTimeout).UtcDateTime,
            cancellationToken: cancellationToken);
        var isAdapter = version.Kind == V1.ModelVersion.Types.Kind.LoraAdapter && basesLeft > 0;
        var baseFacts = isAdapter ? await AskAsync(version.BaseModelVersion, basesLeft - 1, cancellationToken) : null;
        return new VersionFacts(version.Name, version.ManifestSha256, version.PromptFormat, baseFacts, version.PromptFormatSha256);
    }

    private static partial class Log
    {
        [LoggerMessage(6010, LogLevel.Warning, "The model registry did not answer for {Name} ({Status}); using what is remembered, if anything.")]
        public static partial void Unreachable(ILogger logger, string name, StatusCode status);
    }
}
