using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Client;

internal sealed class FakeDatasets : DatasetService.DatasetServiceBase
{
    public Failures Failures { get; } = new();

    public List<Metadata> Headers { get; } = [];

    public List<DateTime> Deadlines { get; } = [];

    public List<string> Created { get; } = [];

    public SourceOptions? Options { get; private set; }

    /// <summary>Bytes by file name, in the order sent.</summary>
    public List<(string Name, byte[] Content)> Files { get; } = [];

    public override Task<InstructTune.V1.Dataset> GetDataset(GetDatasetRequest request, ServerCallContext context)
    {
        Headers.Add(context.RequestHeaders);
        Deadlines.Add(context.Deadline);
        Failures.ThrowNext();
        return Task.FromResult(new InstructTune.V1.Dataset { Name = request.Name });
    }

    public override Task<InstructTune.V1.Dataset> CreateDataset(CreateDatasetRequest request, ServerCallContext context)
    {
        if (Created.Contains(request.DatasetId))
        {
            throw new DomainException(ErrorReason.ResourceExists, $"datasets/{request.DatasetId} exists.", ("resource", request.DatasetId));
        }

        Created.Add(request.DatasetId);
        return Task.FromResult(new InstructTune.V1.Dataset { Name = "datasets/" + request.DatasetId });
    }

    public override async Task<DatasetVersion> UploadDataset(IAsyncStreamReader<UploadDatasetRequest> requestStream, ServerCallContext context)
    {
        await requestStream.MoveNext(context.CancellationToken);
        var header = requestStream.Current.Header;
        Options = header.Options;
        Failures.ThrowNext();
        while (await requestStream.MoveNext(context.CancellationToken))
        {
            var chunk = requestStream.Current.Chunk;
            if (Files.Count > 0 && Files[^1].Name == chunk.FileName)
            {
                Files[^1] = (chunk.FileName, [.. Files[^1].Content, .. chunk.Data]);
            }
            else
            {
                Files.Add((chunk.FileName, chunk.Data.ToByteArray()));
            }
        }

        return Version(header.Parent);
    }

    public override Task<DatasetVersion> GetDatasetVersion(GetDatasetVersionRequest request, ServerCallContext context)
    {
        Failures.ThrowNext();
        return Task.FromResult(Version(request.Name[..request.Name.IndexOf("/versions", StringComparison.Ordinal)]));
    }

    public override Task<ListDatasetsResponse> ListDatasets(ListDatasetsRequest request, ServerCallContext context) =>
        Task.FromResult(request.PageToken.Length == 0
            ? new ListDatasetsResponse { Datasets = { new InstructTune.V1.Dataset { Name = "datasets/lima" } }, NextPageToken = "2" }
            : new ListDatasetsResponse { Datasets = { new InstructTune.V1.Dataset { Name = "datasets/dolly" } } });

    private static DatasetVersion Version(string dataset) => new() { Name = dataset + "/versions/0123456789abcdef", ExampleCount = 3 };
}
