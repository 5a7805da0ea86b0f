using Google.Protobuf.WellKnownTypes;
using InstructTune.Dataset.Import;
using InstructTune.Dataset.Versions;
using InstructTune.Storage;
using InstructTune.V1;
using ReportProto = InstructTune.V1.DatasetVersion.Types.ImportReport;
using SourceFormat = InstructTune.Dataset.Import.SourceFormat;

namespace InstructTune.Dataset.Api;

/// <summary>Datasets and versions between their stored and their sent form.</summary>
internal static class DatasetMapping
{
    public static DatasetRecord ToRecord(V1.Dataset? dataset) =>
        new(dataset?.DisplayName ?? "", dataset?.Labels.ToDictionary() ?? []);

    public static V1.Dataset ToProto(Document<DatasetRecord> document)
    {
        var dataset = new V1.Dataset
        {
            Name = $"datasets/{document.Id}",
            DisplayName = document.Content.DisplayName,
            CreateTime = Timestamp.FromDateTimeOffset(document.CreateTime),
        };
        dataset.Labels.Add(document.Content.Labels.ToDictionary());
        return dataset;
    }

    public static DatasetVersion ToProto(string datasetId, Document<VersionRecord> document)
    {
        var record = document.Content;
        var version = new DatasetVersion
        {
            Name = $"datasets/{datasetId}/versions/{document.Id}",
            ContentSha256 = record.ContentSha256,
            ExampleCount = record.ExampleCount,
            ImportReport = record.Provenance.ImportReport is { } report ? ToProto(report) : null,
            CreateTime = Timestamp.FromDateTimeOffset(document.CreateTime),
        };
        version.Parents.AddRange(record.Provenance.Parents);
        version.Derivation.Add(record.Provenance.Derivation.ToDictionary());
        version.ExampleCountByTask.Add(record.ExampleCountByTask.ToDictionary());
        return version;
    }

    private static ReportProto ToProto(ImportReport report)
    {
        var proto = new ReportProto
        {
            AcceptedCount = report.AcceptedCount,
            RejectedCount = report.RejectedCount,
            Format = ToProto(report.DetectedFormat),
        };
        proto.Rejections.AddRange(report.Rejections.Select(r => new ReportProto.Types.Rejection
        {
            FileName = r.FileName,
            Position = r.Position,
            Reason = r.Reason,
            Description = r.Description,
        }));
        return proto;
    }

    private static V1.SourceFormat ToProto(SourceFormat format) => format switch
    {
        SourceFormat.AlpacaJson => V1.SourceFormat.AlpacaJson,
        SourceFormat.JsonLines => V1.SourceFormat.JsonLines,
        SourceFormat.ShareGpt => V1.SourceFormat.Sharegpt,
        SourceFormat.OpenAiMessages => V1.SourceFormat.OpenaiMessages,
        SourceFormat.NaturalInstructions => V1.SourceFormat.NaturalInstructions,
        SourceFormat.PlainText => V1.SourceFormat.PlainText,
        _ => V1.SourceFormat.Unspecified,
    };
}
