using System.Text;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Unit.Tests.Storage;

public sealed class DiskArtifactStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly DiskArtifactStore _store;

    public DiskArtifactStoreTests() => _store = new DiskArtifactStore(new StorageOptions { Root = _folder.Path });

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Staging_folders_of_crashed_writers_are_swept_and_those_in_use_are_not()
    {
        using var folder = new TemporaryFolder();
        var store = new DiskArtifactStore(new StorageOptions { Root = folder.Path });
        var orphan = store.CreateStaging();
        using var inUse = store.CreateStaging();
        AtomicFile.Write(Path.Combine(orphan.Path, "deep", "weights"), "x"u8);
        AtomicFile.Write(Path.Combine(inUse.Path, "deep", "weights"), "x"u8);
        var now = TimeProvider.System.GetUtcNow();
        foreach (var path in new[] { orphan.Path, Path.Combine(orphan.Path, "deep"), Path.Combine(orphan.Path, "deep", "weights"), inUse.Path })
        {
            Directory.SetLastWriteTimeUtc(path, now.UtcDateTime.AddDays(-3));
        }

        Assert.Equal(1, store.SweepStaging(TimeSpan.FromDays(2), now));
        Assert.False(Directory.Exists(orphan.Path));
        Assert.True(Directory.Exists(inUse.Path));
    }

    [Fact]
    public async Task Published_folder_opens_under_the_digest_of_its_content()
    {
        var manifest = await PublishAsync(("b.bin", "two"), ("sub/a.txt", "one"));
        Assert.True(_store.Contains(manifest.Sha256));
        var folder = await _store.OpenAsync(manifest.Sha256, Ct);
        Assert.Equal(["b.bin", "sub/a.txt"], folder.Manifest.Files.Select(file => file.Path));
        Assert.Equal("one", await File.ReadAllTextAsync(Path.Combine(folder.Path, "sub/a.txt"), Ct));
        Assert.Equal(6, manifest.SizeBytes);
        Assert.Equal(Path.Combine(_folder.Path, "artifacts", manifest.Sha256), folder.Path);
    }

    [Fact]
    public async Task Equal_content_is_one_artifact_and_other_content_another()
    {
        var first = await PublishAsync(("a", "1"), ("b", "2"));
        var again = await PublishAsync(("b", "2"), ("a", "1"));
        var other = await PublishAsync(("a", "2"), ("b", "1"));
        Assert.Equal(first.Sha256, again.Sha256);
        Assert.NotEqual(first.Sha256, other.Sha256);
        Assert.Equal(2, Directory.EnumerateDirectories(_folder["artifacts"]).Count());
        Assert.Empty(Directory.EnumerateDirectories(_folder["staging"]));
    }

    [Fact]
    public async Task Publishing_equal_content_at_once_gives_one_artifact()
    {
        var manifests = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => PublishAsync(("a", "1")), Ct)));
        Assert.Single(manifests.Select(manifest => manifest.Sha256).Distinct());
        Assert.Equal("1", await File.ReadAllTextAsync(Path.Combine((await _store.OpenAsync(manifests[0].Sha256, Ct)).Path, "a"), Ct));
    }

    [Fact]
    public void Staging_that_was_not_published_goes_away()
    {
        using (var staging = _store.CreateStaging())
        {
            AtomicFile.Write(Path.Combine(staging.Path, "a"), "1"u8);
        }

        Assert.Empty(Directory.EnumerateDirectories(_folder["staging"]));
        Assert.Empty(Directory.EnumerateDirectories(_folder["artifacts"]));
    }

    [Fact]
    public async Task Every_flipped_bit_is_caught_and_the_file_named()
    {
        const int Flips = 200;
        var random = new Random(7);
        var manifest = await PublishAsync(("weights.bin", new string('w', 5000)), ("sub/config.json", "{\"a\":1}"));
        var path = Path.Combine(_folder["artifacts"], manifest.Sha256);
        string[] files = ["weights.bin", "sub/config.json", Manifest.FileName];
        for (var flip = 0; flip < Flips; flip++)
        {
            var file = files[flip % files.Length];
            var content = await File.ReadAllBytesAsync(Path.Combine(path, file), Ct);
            var position = random.Next(content.Length);
            var bit = (byte)(1 << random.Next(8));
            content[position] ^= bit;
            AtomicFile.Write(Path.Combine(path, file), content);
            var fresh = new DiskArtifactStore(new StorageOptions { Root = _folder.Path });
            var caught = await Assert.ThrowsAsync<ArtifactCorruptException>(() => fresh.OpenAsync(manifest.Sha256, Ct));
            Assert.Equal((manifest.Sha256, file), (caught.Sha256, caught.File));
            content[position] ^= bit;
            AtomicFile.Write(Path.Combine(path, file), content);
        }

        await _store.OpenAsync(manifest.Sha256, Ct);
    }

    [Fact]
    public async Task Missing_file_and_missing_artifact_are_told_apart()
    {
        var manifest = await PublishAsync(("a", "1"));
        File.Delete(Path.Combine(_folder["artifacts"], manifest.Sha256, "a"));
        Assert.Equal("a", (await Assert.ThrowsAsync<ArtifactCorruptException>(() => _store.OpenAsync(manifest.Sha256, Ct))).File);
        await Assert.ThrowsAsync<ArtifactMissingException>(() => _store.OpenAsync(new string('0', 64), Ct));
    }

    [Fact]
    public async Task Deleted_artifact_is_gone()
    {
        var manifest = await PublishAsync(("a", "1"));
        await _store.OpenAsync(manifest.Sha256, Ct);
        _store.Delete(manifest.Sha256);
        _store.Delete(manifest.Sha256);
        Assert.False(_store.Contains(manifest.Sha256));
        await Assert.ThrowsAsync<ArtifactMissingException>(() => _store.OpenAsync(manifest.Sha256, Ct));
    }

    [Theory]
    [InlineData("")]
    [InlineData("../../etc")]
    [InlineData("ABCDEF")]
    public void What_is_no_digest_is_refused(string digest) => Assert.Throws<ArgumentException>(() => _store.Contains(digest));

    [Fact]
    public async Task Symbolic_link_is_refused()
    {
        using var staging = _store.CreateStaging();
        File.CreateSymbolicLink(Path.Combine(staging.Path, "link"), "/etc/hostname");
        var refused = await Assert.ThrowsAsync<InvalidDataException>(() => _store.PublishAsync(staging, Ct));
        Assert.Contains("link", refused.Message, StringComparison.Ordinal);
    }

    private async Task<Manifest> PublishAsync(params (string Name, string Content)[] files)
    {
        using var staging = _store.CreateStaging();
        foreach (var (name, content) in files)
        {
            AtomicFile.Write(Path.Combine(staging.Path, name), Encoding.UTF8.GetBytes(content));
        }

        return await _store.PublishAsync(staging, Ct);
    }
}
