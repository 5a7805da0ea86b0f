namespace InstructTune.Faults.Tests.Trainer;

/// <summary>One bit of one file, flipped, and flipped back when disposed.</summary>
internal sealed class FlippedBit : IDisposable
{
    private readonly string _path;
    private readonly long _bit;

    private FlippedBit(string path, long bit)
    {
        (_path, _bit) = (path, bit);
        Flip();
    }

    public string File => Path.GetFileName(_path);

    /// <summary>In a random bit of a random file of a folder.</summary>
    public static FlippedBit In(string folder, Random random)
    {
        var files = Directory.GetFiles(folder).Order(StringComparer.Ordinal).ToArray();
        var path = files[random.Next(files.Length)];
        return new FlippedBit(path, random.NextInt64(new FileInfo(path).Length * 8));
    }

    public void Dispose() => Flip();

    private void Flip()
    {
        using var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite);
        file.Seek(_bit / 8, SeekOrigin.Begin);
        var value = file.ReadByte();
        file.Seek(-1, SeekOrigin.Current);
        file.WriteByte((byte)(value ^ (1 << (int)(_bit % 8))));
    }
}
