using System.Globalization;
using InstructTune.Hosting;
using InstructTune.Storage;

namespace InstructTune.Trainer.Registry;

/// <summary>
/// Versions as documents. A number is taken by creating a document for it, which succeeds once, and a job's number is noted before its version is made. So a
/// call that is repeated after a crash, or made by two processes, ends with one version; at worst a number stays unused.
/// </summary>
internal sealed class ModelRegistry(IDocumentStore documents) : IModelRegistry
{
    public const string Latest = "latest";

    private const string Models = "models";

    // Within one process versions appear in the order of their numbers.
    private readonly Lock _lock = new();

    public Task<ModelVersionRecord> RegisterAsync(NewModelVersion version, CancellationToken ct)
    {
        ct.ThrowIfCancellationRequested();
        lock (_lock)
        {
            var number = version.FineTuneJob.Length == 0 ? TakeNumber(version.Model) : NumberOfJob(version.Model, version.FineTuneJob);
            documents.TryCreate(Versions(version.Model), IdOf(number), version);
            documents.TryCreate(Models, version.Model, new NamedModel());
            return Task.FromResult(Find(version.Model, IdOf(number))!);
        }
    }

    public ModelVersionRecord? Find(string model, string version)
    {
        if (!ResourceId.IsValid(model))
        {
            return null;
        }

        if (version == Latest)
        {
            return documents.List<NewModelVersion>(Versions(model), 1, "").Items.Select(Record).FirstOrDefault();
        }

        // Only `7` names version 7, neither `07` nor `+7`.
        var isNumber = int.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && IdOf(number) == version;
        return isNumber && documents.Find<NewModelVersion>(Versions(model), version) is { } found ? Record(found) : null;
    }

    public ModelRecord? FindModel(string model) =>
        ResourceId.IsValid(model) && documents.Find<NamedModel>(Models, model) is { } found ? Record(found) : null;

    public (IReadOnlyList<ModelRecord> Models, string NextPageToken) ListModels(int pageSize, string pageToken)
    {
        var page = documents.List<NamedModel>(Models, pageSize, pageToken);
        return ([.. page.Items.Select(Record)], page.NextPageToken);
    }

    public (IReadOnlyList<ModelVersionRecord> Versions, string NextPageToken) ListVersions(string model, int pageSize, string pageToken)
    {
        var page = documents.List<NewModelVersion>(Versions(model), pageSize, pageToken);
        return ([.. page.Items.Select(Record)], page.NextPageToken);
    }

    private int NumberOfJob(string model, string job)
    {
        var id = job[(job.LastIndexOf('/') + 1)..];
        if (documents.Find<TakenNumber>(Jobs(model), id) is { } known)
        {
            return known.Content.Number;
        }

        var number = TakeNumber(model);
        return documents.TryCreate(Jobs(model), id, new TakenNumber(number))
            ? number
            : documents.Find<TakenNumber>(Jobs(model), id)!.Content.Number;
    }

    private int TakeNumber(string model)
    {
        var newest = documents.List<TakenNumber>(Numbers(model), 1, "").Items;
        var number = newest.Count == 0 ? 1 : newest[0].Content.Number + 1;
        while (!documents.TryCreate(Numbers(model), IdOf(number), new TakenNumber(number)))
        {
            number++;
        }

        return number;
    }

    private ModelRecord Record(Document<NamedModel> document) =>
        new(document.Id, Find(document.Id, Latest)?.Version ?? 0, document.CreateTime);

    private static ModelVersionRecord Record(Document<NewModelVersion> document) =>
        ModelVersionRecord.Of(document.Content, int.Parse(document.Id, CultureInfo.InvariantCulture), document.CreateTime);

    private static string IdOf(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Versions(string model) => $"{Models}/{model}/versions";

    private static string Numbers(string model) => $"{Models}/{model}/numbers";

    private static string Jobs(string model) => $"{Models}/{model}/jobs";

    private sealed record NamedModel;

    private sealed record TakenNumber(int Number);
}
