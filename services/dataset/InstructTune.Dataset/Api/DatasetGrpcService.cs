using Grpc.Core;
using InstructTune.Dataset.Derivation;
using InstructTune.Dataset.Import;
using InstructTune.Dataset.Reading;
using InstructTune.Dataset.Versions;
using InstructTune.Hosting;
using InstructTune.V1;

namespace InstructTune.Dataset.Api;

/// <summary>The eight methods: require, map, call, map.</summary>
internal sealed class DatasetGrpcService(VersionStore versions, UploadHandler uploads, SplitHandler splits, ShardReader reader)
    : DatasetService.DatasetServiceBase
{
    public override Task<V1.Dataset> CreateDataset(CreateDatasetRequest request, ServerCallContext context)
    {
        DatasetRequests.Require(request);
        if (!versions.TryCreateDataset(request.DatasetId, DatasetMapping.ToRecord(request.Dataset)))
        {
            throw DomainException.Exists($"datasets/{request.DatasetId}");
        }

        return Task.FromResult(DatasetMapping.ToProto(FindDataset(request.DatasetId)));
    }

    public override Task<V1.Dataset> GetDataset(GetDatasetRequest request, ServerCallContext context) =>
        Task.FromResult(DatasetMapping.ToProto(FindDataset(DatasetRequests.DatasetId(request.Name, "name"))));

    public override Task<ListDatasetsResponse> ListDatasets(ListDatasetsRequest request, ServerCallContext context)
    {
        var page = versions.ListDatasets(DatasetRequests.PageSize(request.PageSize), request.PageToken);
        var response = new ListDatasetsResponse { NextPageToken = page.NextPageToken };
        response.Datasets.AddRange(page.Items.Select(DatasetMapping.ToProto));
        return Task.FromResult(response);
    }

    public override async Task<DatasetVersion> UploadDataset(
        IAsyncStreamReader<UploadDatasetRequest> requestStream, ServerCallContext context)
    {
        var (header, chunks) = await UploadStream.OpenAsync(requestStream, context.CancellationToken);
        var datasetId = DatasetRequests.DatasetId(header.Parent, "header.parent");
        FindDataset(datasetId);
        var options = DatasetRequests.Options(header.Options, "header.options");
        var version = await DataFaults.TranslateAsync(() => uploads.UploadAsync(datasetId, options, chunks, context.CancellationToken));
        return DatasetMapping.ToProto(datasetId, version);
    }

    public override async Task<SplitDatasetVersionResponse> SplitDatasetVersion(
        SplitDatasetVersionRequest request, ServerCallContext context)
    {
        var (datasetId, source) = FindVersion(request.Name);
        var spec = DatasetRequests.Split(request);
        var parts = await DataFaults.TranslateAsync(() => splits.SplitAsync(datasetId, source, spec, context.CancellationToken));
        var response = new SplitDatasetVersionResponse();
        response.Parts.Add(parts.ToDictionary(p => p.Key, p => DatasetMapping.ToProto(datasetId, p.Value)));
        return response;
    }

    public override Task<DatasetVersion> GetDatasetVersion(GetDatasetVersionRequest request, ServerCallContext context)
    {
        var (datasetId, version) = FindVersion(request.Name);
        return Task.FromResult(DatasetMapping.ToProto(datasetId, version));
    }

    public override Task<ListDatasetVersionsResponse> ListDatasetVersions(ListDatasetVersionsRequest request, ServerCallContext context)
    {
        var datasetId = DatasetRequests.DatasetId(request.Parent, "parent");
        var pageSize = DatasetRequests.PageSize(request.PageSize);
        FindDataset(datasetId);
        var page = versions.ListVersions(datasetId, pageSize, request.PageToken);
        var response = new ListDatasetVersionsResponse { NextPageToken = page.NextPageToken };
        response.DatasetVersions.AddRange(page.Items.Select(v => DatasetMapping.ToProto(datasetId, v)));
        return Task.FromResult(response);
    }

    public override async Task StreamExamples(
        StreamExamplesRequest request, IServerStreamWriter<StreamExamplesResponse> responseStream, ServerCallContext context)
    {
        var (_, version) = FindVersion(request.Name);
        var (start, count) = DatasetRequests.Range(request, version.Content.ExampleCount);
        var index = start;
        foreach (var example in await reader.OpenAsync(version.Content, start, count, context.CancellationToken))
        {
            var response = new StreamExamplesResponse { Index = index++, Example = ExampleMapping.ToProto(example) };
            await responseStream.WriteAsync(response, context.CancellationToken);
        }
    }

    private Storage.Document<DatasetRecord> FindDataset(string datasetId) =>
        versions.FindDataset(datasetId) ?? throw DomainException.NotFound($"datasets/{datasetId}");

    private (string DatasetId, Storage.Document<VersionRecord> Version) FindVersion(string name)
    {
        var (datasetId, versionId) = DatasetRequests.VersionId(name);
        return (datasetId, versions.FindVersion(datasetId, versionId) ?? throw DomainException.NotFound(name));
    }
}
