using System.Collections.Concurrent;
using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Evaluation;

/// <summary>A dataset service with examples in memory.</summary>
internal sealed class FakeDatasets : DatasetService.DatasetServiceBase
{
    private readonly ConcurrentDictionary<string, IReadOnlyList<Example>> _versions = new();

    /// <summary>Adds the only version of a dataset and returns its name.</summary>
    public string Add(string dataset, IEnumerable<Example> examples)
    {
        var name = $"datasets/{dataset}/versions/v1";
        _versions[name] = [.. examples];
        return name;
    }

    public void Remove(string version) => _versions.TryRemove(version, out _);

    public override Task<DatasetVersion> GetDatasetVersion(GetDatasetVersionRequest request, ServerCallContext context)
    {
        var name = request.Name.Replace("/versions/latest", "/versions/v1", StringComparison.Ordinal);
        return Task.FromResult(new DatasetVersion { Name = name, ExampleCount = Find(name).Count });
    }

    public override async Task StreamExamples(
        StreamExamplesRequest request, IServerStreamWriter<StreamExamplesResponse> responseStream, ServerCallContext context)
    {
        var examples = Find(request.Name);
        for (var index = request.StartIndex; index < examples.Count && index < request.StartIndex + request.ExampleCount; index++)
        {
            await responseStream.WriteAsync(new StreamExamplesResponse { Index = index, Example = examples[(int)index] });
        }
    }

    private IReadOnlyList<Example> Find(string name) =>
        _versions.TryGetValue(name, out var examples) ? examples : throw DomainException.NotFound(name);
}
