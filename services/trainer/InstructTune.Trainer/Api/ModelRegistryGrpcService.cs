using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Trainer.Publishing;
using InstructTune.Trainer.Registry;
using InstructTune.V1;

namespace InstructTune.Trainer.Api;

/// <summary>Names weights, takes uploads of them, hands them out and merges them.</summary>
internal sealed class ModelRegistryGrpcService(ModelRegistry registry, ModelUpload upload, ModelDownload download, ModelMerge merge, ModelCards cards, ExportIndex exports)
    : ModelRegistryService.ModelRegistryServiceBase
{
    private const string ModelPattern = "models/{model}";
    private const string VersionPattern = "models/{model}/versions/{version}";

    public override async Task<ModelVersion> UploadModelVersion(IAsyncStreamReader<UploadModelVersionRequest> requestStream, ServerCallContext context) =>
        ModelRegistryMapping.ToProto(await upload.ReceiveAsync(requestStream, context.CancellationToken));

    public override Task ExportModelVersion(
        ExportModelVersionRequest request, IServerStreamWriter<ExportModelVersionResponse> responseStream, ServerCallContext context) =>
        download.SendAsync(request, responseStream, context.CancellationToken);

    public override async Task<ModelVersion> MergeModelVersions(MergeModelVersionsRequest request, ServerCallContext context) =>
        ModelRegistryMapping.ToProto(await merge.MergeAsync(request, context.CancellationToken));

    public override Task<Model> GetModel(GetModelRequest request, ServerCallContext context)
    {
        var model = ResourceName.Parse(ModelPattern, request.Name, "name")[0];
        return Task.FromResult(ModelRegistryMapping.ToProto(registry.FindModel(model) ?? throw DomainException.NotFound(request.Name)));
    }

    public override Task<ListModelsResponse> ListModels(ListModelsRequest request, ServerCallContext context)
    {
        CheckPageSize(request.PageSize);
        var (models, nextPageToken) = registry.ListModels(request.PageSize, request.PageToken);
        return Task.FromResult(new ListModelsResponse { Models = { models.Select(ModelRegistryMapping.ToProto) }, NextPageToken = nextPageToken });
    }

    public override Task<ModelVersion> GetModelVersion(GetModelVersionRequest request, ServerCallContext context)
    {
        var parts = ResourceName.Parse(VersionPattern, request.Name, "name");
        return Task.FromResult(WithExports(registry.Find(parts[0], parts[1]) ?? throw DomainException.NotFound(request.Name)));
    }

    public override Task<ListModelVersionsResponse> ListModelVersions(ListModelVersionsRequest request, ServerCallContext context)
    {
        var model = ResourceName.Parse(ModelPattern, request.Parent, "parent")[0];
        CheckPageSize(request.PageSize);
        if (registry.FindModel(model) is null)
        {
            throw DomainException.NotFound(request.Parent);
        }

        var (versions, nextPageToken) = registry.ListVersions(model, request.PageSize, request.PageToken);
        return Task.FromResult(new ListModelVersionsResponse
        {
            ModelVersions = { versions.Select(WithExports) },
            NextPageToken = nextPageToken,
        });
    }

    public override Task<GetModelCardResponse> GetModelCard(GetModelCardRequest request, ServerCallContext context) =>
        cards.GetAsync(request, context.CancellationToken);

    private ModelVersion WithExports(ModelVersionRecord version)
    {
        var message = ModelRegistryMapping.ToProto(version);
        message.Exports.Add(exports.Of(version.ManifestSha256).Select(ExportMapping.ToProto));
        return message;
    }

    private static void CheckPageSize(int pageSize) =>
        new FieldViolations().Check(pageSize is >= 0 and <= 1000, "page_size", "must be from 0 to 1000").ThrowIfAny();
}
