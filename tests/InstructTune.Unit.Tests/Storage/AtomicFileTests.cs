using System.Text;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Storage;

public sealed class AtomicFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_makes_the_folder_and_replaces_what_was_there()
    {
        var path = _folder["a/b/c.json"];
        AtomicFile.Write(path, "first, and longer"u8);
        AtomicFile.Write(path, "second"u8);
        Assert.Equal("second", File.ReadAllText(path));
        Assert.Equal(["c.json"], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!).Select(Path.GetFileName));
    }

    [Fact]
    public void Reader_beside_a_writer_never_sees_half_a_file()
    {
        var path = _folder["file"];
        byte[][] contents = [.. Enumerable.Range(1, 4).Select(number => Encoding.ASCII.GetBytes(new string((char)('a' + number), number * 20_000)))];
        AtomicFile.Write(path, contents[0]);
        var writing = Task.Run(() =>
        {
            for (var round = 0; round < 100; round++)
            {
                AtomicFile.Write(path, contents[round % contents.Length]);
            }
        }, TestContext.Current.CancellationToken);
        while (!writing.IsCompleted)
        {
            var seen = File.ReadAllBytes(path);
            Assert.Contains(contents, content => content.AsSpan().SequenceEqual(seen));
        }
    }

    [Fact]
    public async Task Of_many_creators_at_once_exactly_one_succeeds()
    {
        var path = _folder["claim.json"];
        var created = await Task.WhenAll(Enumerable.Range(0, 16).Select(
            number => Task.Run(() => AtomicFile.TryCreate(path, Encoding.ASCII.GetBytes($"{number}")))));
        Assert.Equal(1, created.Count(isOurs => isOurs));
        Assert.Equal($"{Array.IndexOf(created, true)}", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        Assert.Single(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Full_disk_is_named_as_such()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no /dev/full.");
        var full = Assert.ThrowsAny<IOException>(() =>
        {
            using var stream = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            stream.Write("x"u8);
        });
        Assert.True(StorageFullException.Is(full));
        Assert.False(StorageFullException.Is(new FileNotFoundException()));
        Assert.Contains("Free some space", StorageFullException.Of("a/b", full).Message, StringComparison.Ordinal);
    }
}
