using System.Text.Json;
using InstructTune.Dataset.Examples;

namespace InstructTune.Dataset.Import;

/// <summary>What all formats of one JSON object per example share: broken rows become rejections at their place.</summary>
internal abstract class JsonRowReader : ISourceReader
{
    public IEnumerable<SourceRecord> Read(SourceFile file)
    {
        foreach (var record in JsonRecordSource.Read(file))
        {
            yield return Convert(file.Name, record);
        }
    }

    protected abstract Example ToExample(JsonElement row);

    private SourceRecord Convert(string fileName, JsonRecordSource.Record record)
    {
        try
        {
            return new SourceRecord(ToExample(record.Object ?? throw record.Problem!), null);
        }
        catch (RecordInvalidException e)
        {
            return new SourceRecord(null, new Rejection(fileName, record.Position, e.Reason, e.Message));
        }
    }
}
