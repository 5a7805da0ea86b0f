namespace InstructTune.Dataset.Import;

/// <summary>What an import did with the records of its source.</summary>
internal sealed record ImportReport(
    long AcceptedCount, long RejectedCount, IReadOnlyList<Rejection> Rejections, SourceFormat DetectedFormat);

/// <summary>One record that was not read; the position counts lines, or array elements, from 1.</summary>
internal sealed record Rejection(string FileName, long Position, string Reason, string Description);

/// <summary>The source cannot be read as asked: names the file, the place in it and the problem.</summary>
internal sealed class SourceInvalidException : Exception
{
    public SourceInvalidException(string fileName, long position, string problem)
        : base($"{fileName}, record {position}: {problem}")
    {
        FileName = fileName;
        Position = position;
        Problem = problem;
    }

    public string FileName { get; }

    public long Position { get; }

    public string Problem { get; }
}

/// <summary>One record cannot become an example; the reader turns this into a <see cref="Rejection"/>.</summary>
internal sealed class RecordInvalidException : Exception
{
    public RecordInvalidException(string reason, string description)
        : base(description) => Reason = reason;

    public string Reason { get; }

    public static RecordInvalidException Invalid(string description) => new("INVALID_RECORD", description);

    public static RecordInvalidException EmptyOutput(string key) => new("EMPTY_OUTPUT", $"{key} is empty");
}
