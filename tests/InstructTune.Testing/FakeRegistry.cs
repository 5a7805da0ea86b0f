using System.Collections.Concurrent;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Testing;

/// <summary>The trainer's registry, as far as inference asks it.</summary>
public sealed class FakeRegistry : ModelRegistryService.ModelRegistryServiceBase
{
    private readonly ConcurrentDictionary<string, ModelVersion> _versions = new(StringComparer.Ordinal);

    private int _questions;

    public bool IsAway { get; set; }

    public int Questions => _questions;

    /// <summary>Makes a name mean this content from now on, and `latest` of its model this version.</summary>
    public void Put(string name, string manifestSha256, string? baseModelVersion = null, string promptFormat = "alpaca", string promptFormatSha256 = "")
    {
        var version = new ModelVersion
        {
            Name = name,
            Kind = baseModelVersion is null ? ModelVersion.Types.Kind.FullWeights : ModelVersion.Types.Kind.LoraAdapter,
            BaseModelVersion = baseModelVersion ?? "",
            ManifestSha256 = manifestSha256,
            PromptFormat = promptFormat,
            PromptFormatSha256 = promptFormatSha256,
        };
        _versions[name] = version;
        _versions[name[..name.LastIndexOf('/')] + "/latest"] = version;
    }

    /// <summary>The version is deleted.</summary>
    public void Remove(string name) => _versions.TryRemove(name, out _);

    public string ContentOf(string name) => _versions[name].ManifestSha256;

    public override Task<ModelVersion> GetModelVersion(GetModelVersionRequest request, ServerCallContext context)
    {
        Interlocked.Increment(ref _questions);
        if (IsAway)
        {
            throw new DomainException(ErrorReason.PeerUnreachable, "The registry is away.");
        }
        return _versions.TryGetValue(request.Name, out var version)
            ? Task.FromResult(version)
            : throw DomainException.NotFound(request.Name);
    }
}
