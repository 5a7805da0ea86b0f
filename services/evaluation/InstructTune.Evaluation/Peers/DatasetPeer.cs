using System.Runtime.CompilerServices;
using Grpc.Core;
using InstructTune.Evaluation.Runs;
using InstructTune.Hosting;
using InstructTune.V1;
using Microsoft.Extensions.Options;

namespace InstructTune.Evaluation.Peers;

/// <summary>Datasets as the dataset service has them. Examples are read in short calls, not in one stream as long as the run.</summary>
internal sealed class DatasetPeer(
    DatasetService.DatasetServiceClient client, PatientCalls calls, IOptions<EvaluationOptions> options, TimeProvider clock) : IDatasets
{
    private const int ExamplesPerCall = 256;

    private TimeSpan Timeout => options.Value.ReadTimeout;

    public async Task<string> PinAsync(string datasetOrVersion, CancellationToken ct)
    {
        var isDataset = ResourceName.TryParse("datasets/{dataset}", datasetOrVersion, out _);
        var request = new GetDatasetVersionRequest { Name = isDataset ? datasetOrVersion + "/versions/latest" : datasetOrVersion };
        return (await client.GetDatasetVersionAsync(request, PeerCall.Within(Timeout, clock, ct))).Name;
    }

    public Task<long> CountExamplesAsync(string version, CancellationToken ct) => calls.RunAsync(
        async call => (await client.GetDatasetVersionAsync(new GetDatasetVersionRequest { Name = version }, call)).ExampleCount, Timeout, ct);

    public async IAsyncEnumerable<Question> ReadQuestionsAsync(
        string version, IReadOnlyList<long> indices, [EnumeratorCancellation] CancellationToken ct)
    {
        for (var next = 0; next < indices.Count;)
        {
            var start = indices[next];
            var wanted = indices.Skip(next).TakeWhile(index => index < start + ExamplesPerCall).ToList();
            var request = new StreamExamplesRequest { Name = version, StartIndex = start, ExampleCount = wanted[^1] - start + 1 };
            var examples = await calls.RunAsync(call => ReadAsync(request, call), Timeout, ct);
            foreach (var index in wanted)
            {
                yield return QuestionMapping.ToQuestion(version, index, examples[index]);
            }
            next += wanted.Count;
        }
    }

    private async Task<Dictionary<long, Example>> ReadAsync(StreamExamplesRequest request, CallOptions call)
    {
        using var stream = client.StreamExamples(request, call);
        var examples = new Dictionary<long, Example>();
        await foreach (var response in stream.ResponseStream.ReadAllAsync(CancellationToken.None))
        {
            examples[response.Index] = response.Example;
        }
        return examples;
    }
}
