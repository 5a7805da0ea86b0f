using System.Globalization;

namespace InstructTune.Storage;

/// <summary>A place in a collection ordered by create time, then id.</summary>
internal sealed record DocumentCursor(long Ticks, string Id) : IComparable<DocumentCursor>
{
    public static DocumentCursor Of<T>(Document<T> document) => new(document.CreateTime.UtcTicks, document.Id);

    public static DocumentCursor Parse(string text)
    {
        var parts = text.Split('|', 2);
        return parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            ? new DocumentCursor(ticks, parts[1])
            : throw new PageTokenMismatchException();
    }

    public int CompareTo(DocumentCursor? other)
    {
        if (other is null)
        {
            return 1;
        }

        var byTime = Ticks.CompareTo(other.Ticks);
        return byTime != 0 ? byTime : string.CompareOrdinal(Id, other.Id);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Ticks}|{Id}");
}
