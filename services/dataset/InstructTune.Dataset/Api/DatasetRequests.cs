using InstructTune.Dataset.Derivation;
using InstructTune.Dataset.Import;
using InstructTune.Hosting;
using InstructTune.V1;
using SourceFormat = InstructTune.Dataset.Import.SourceFormat;
using SourceOptions = InstructTune.Dataset.Import.SourceOptions;

namespace InstructTune.Dataset.Api;

/// <summary>What requests must be, and their content as domain values.</summary>
internal static class DatasetRequests
{
    private const int DefaultPageSize = 50;
    private const int MaxPageSize = 1000;
    private const int MaxPartCount = 100;
    private const int MaxTaskLength = 200;

    // Fractions such as 0.1 have no exact binary form; ten of them sum to 1 within this.
    private const double FractionTolerance = 1e-9;

    public static void Require(CreateDatasetRequest request)
    {
        var labels = request.Dataset?.Labels.ToList() ?? [];
        new FieldViolations()
            .CheckId(request.DatasetId, "dataset_id")
            .Check(labels.Count <= 64, "dataset.labels", $"must have at most 64 entries; got {labels.Count}")
            .Check(labels.All(l => l.Key.Length is > 0 and <= 63), "dataset.labels", "must have keys of 1 to 63 characters")
            .Check(labels.All(l => l.Value.Length <= 256), "dataset.labels", "must have values of at most 256 characters")
            .ThrowIfAny();
    }

    public static string DatasetId(string name, string field) => ResourceName.Parse("datasets/{dataset}", name, field)[0];

    public static (string DatasetId, string VersionId) VersionId(string name)
    {
        var ids = ResourceName.Parse("datasets/{dataset}/versions/{version}", name, "name");
        return (ids[0], ids[1]);
    }

    public static int PageSize(int requested)
    {
        new FieldViolations().Check(requested >= 0, "page_size", $"must not be negative; got {requested}").ThrowIfAny();
        return requested == 0 ? DefaultPageSize : Math.Min(requested, MaxPageSize);
    }

    public static SourceOptions Options(V1.SourceOptions? options, string field)
    {
        options ??= new V1.SourceOptions();
        var format = Format(options.Format);
        var unknown = options.Columns.Keys.Where(key => !JsonLinesReader.Fields.Contains(key)).ToList();
        new FieldViolations()
            .Check(format is not null, $"{field}.format", "must be one of the formats of SourceFormat")
            .Check(unknown.Count == 0, $"{field}.columns", $"has unknown fields: {string.Join(", ", unknown)}; known: {string.Join(", ", JsonLinesReader.Fields)}")
            .Check(
                options.Columns.Count == 0 || format is SourceFormat.JsonLines or SourceFormat.Detect,
                $"{field}.columns",
                "can be given for JSON_LINES only")
            .Check(options.Task.Length <= MaxTaskLength, $"{field}.task", $"must have at most {MaxTaskLength} characters")
            .Check(options.MaxRejected >= 0, $"{field}.max_rejected", "must not be negative")
            .Check(options.MaxExamplesPerTask >= 0, $"{field}.max_examples_per_task", "must not be negative")
            .ThrowIfAny();
        return new SourceOptions
        {
            Format = format!.Value,
            Columns = options.Columns.ToDictionary(),
            Task = options.Task,
            MaxRejected = options.MaxRejected,
            MaxExamplesPerTask = options.MaxExamplesPerTask,
        };
    }

    public static SplitSpec Split(SplitDatasetVersionRequest request)
    {
        var fractions = request.Fractions.ToDictionary();
        var sum = fractions.Values.Sum();
        new FieldViolations()
            .Check(fractions.Count is >= 1 and <= MaxPartCount, "fractions", $"must have 1 to {MaxPartCount} parts; got {fractions.Count}")
            .Check(fractions.Keys.All(IsPartName), "fractions", "must have part names of 1 to 63 characters a-z, 0-9, '_' and '-'")
            .Check(fractions.Values.All(f => f is > 0 and <= 1), "fractions", "must each be over 0 and at most 1")
            .Check(Math.Abs(sum - 1) <= FractionTolerance, "fractions", $"must sum to 1; got {sum:R}")
            .ThrowIfAny();
        return new SplitSpec(fractions, request.Seed, request.StratifyByTask);
    }

    public static (long Start, long Count) Range(StreamExamplesRequest request, long exampleCount)
    {
        new FieldViolations()
            .Check(request.StartIndex >= 0, "start_index", "must not be negative")
            .Check(request.StartIndex <= exampleCount, "start_index", $"must be at most {exampleCount}, the number of examples; got {request.StartIndex}")
            .Check(request.ExampleCount >= 0, "example_count", "must not be negative")
            .ThrowIfAny();
        return (request.StartIndex, request.ExampleCount == 0 ? long.MaxValue : request.ExampleCount);
    }

    private static SourceFormat? Format(V1.SourceFormat format) => format switch
    {
        V1.SourceFormat.Unspecified => SourceFormat.Detect,
        V1.SourceFormat.AlpacaJson => SourceFormat.AlpacaJson,
        V1.SourceFormat.JsonLines => SourceFormat.JsonLines,
        V1.SourceFormat.Sharegpt => SourceFormat.ShareGpt,
        V1.SourceFormat.OpenaiMessages => SourceFormat.OpenAiMessages,
        V1.SourceFormat.NaturalInstructions => SourceFormat.NaturalInstructions,
        V1.SourceFormat.PlainText => SourceFormat.PlainText,
        _ => null,
    };

    private static bool IsPartName(string name) =>
        name.Length is > 0 and <= 63 && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_' or '-');
}
