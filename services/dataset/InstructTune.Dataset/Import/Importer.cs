using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>Reads the files of one upload in order and hands every accepted example on; counts and limits what is rejected.</summary>
internal sealed class Importer(SourceOptions options)
{
    private const int MaxReportedRejections = 100;

    private readonly Dictionary<string, long> _countByTask = [];
    private readonly List<Rejection> _rejections = [];
    private long _acceptedCount;
    private long _rejectedCount;

    public ImportReport Import(IReadOnlyList<SourceFile> files, Action<Example> accept, CancellationToken ct)
    {
        var isDetected = options.Format == SourceFormat.Detect;
        var format = isDetected ? DetectFormat(files) : options.Format;
        var reader = CreateReader(format);
        foreach (var file in files)
        {
            foreach (var record in reader.Read(file))
            {
                ct.ThrowIfCancellationRequested();
                Take(record, accept);
            }
        }

        if (_acceptedCount == 0)
        {
            throw new SourceInvalidException(files.Count > 0 ? files[0].Name : "", 1, "there is no record to read");
        }

        return new ImportReport(_acceptedCount, _rejectedCount, _rejections, isDetected ? format : SourceFormat.Detect);
    }

    private SourceFormat DetectFormat(IReadOnlyList<SourceFile> files) =>
        options.Columns.Count > 0 ? SourceFormat.JsonLines : FormatDetector.Detect(files);

    private ISourceReader CreateReader(SourceFormat format) => format switch
    {
        SourceFormat.AlpacaJson => new AlpacaReader(),
        SourceFormat.JsonLines => new JsonLinesReader(options.Columns),
        SourceFormat.ShareGpt => new ShareGptReader(),
        SourceFormat.OpenAiMessages => new MessagesReader(),
        SourceFormat.NaturalInstructions => new NaturalInstructionsReader(),
        SourceFormat.PlainText => new PlainTextReader(),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "no reader"),
    };

    private void Take(SourceRecord record, Action<Example> accept)
    {
        if (record.Rejection is { } rejection)
        {
            Reject(rejection);
            return;
        }

        var example = record.Example!;
        example = example.Task.Length == 0 ? example with { Task = options.Task } : example;
        var count = _countByTask.GetValueOrDefault(example.Task);
        if (options.MaxExamplesPerTask > 0 && count >= options.MaxExamplesPerTask)
        {
            return;
        }

        _countByTask[example.Task] = count + 1;
        _acceptedCount++;
        accept(example);
    }

    private void Reject(Rejection rejection)
    {
        _rejectedCount++;
        if (_rejectedCount > options.MaxRejected)
        {
            var first = _rejections.Count > 0 ? _rejections[0] : rejection;
            var more = options.MaxRejected == 0 ? "" : $" (more than {options.MaxRejected} records were rejected; this is the first)";
            throw new SourceInvalidException(first.FileName, first.Position, $"{first.Reason}: {first.Description}{more}");
        }

        if (_rejections.Count < MaxReportedRejections)
        {
            _rejections.Add(rejection);
        }
    }
}
