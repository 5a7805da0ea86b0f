using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>
/// Reads the records of one file in order. A record that cannot be read comes as a rejection; a file that cannot be read throws
/// <see cref="SourceInvalidException"/>.
/// </summary>
internal interface ISourceReader
{
    IEnumerable<SourceRecord> Read(SourceFile file);
}

/// <summary>An example or, where there is none, why.</summary>
internal readonly record struct SourceRecord(Example? Example, Rejection? Rejection);
