using System.Text;
using InstructTune.Storage;

namespace InstructTune.Unit.Tests.Storage;

public sealed class ManifestTests
{
    private static readonly string Digest = new('a', 64);

    [Fact]
    public void Order_of_the_files_does_not_matter()
    {
        StoredFile[] files = [new("b", 1, Digest), new("a/z", 2, Digest), new("A", 3, Digest)];
        var manifest = Manifest.Of(files);
        Assert.Equal(["A", "a/z", "b"], manifest.Files.Select(file => file.Path));
        Assert.Equal(manifest.Sha256, Manifest.Of(files.AsEnumerable().Reverse()).Sha256);
        Assert.Equal(6, manifest.SizeBytes);
    }

    [Fact]
    public void Parsing_what_was_written_gives_the_same_digest()
    {
        var manifest = Manifest.Of([new StoredFile("model \u00fc.bin", 10, Digest)]);
        Assert.Equal(manifest.Sha256, Manifest.Parse(manifest.ToJson()).Sha256);
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("/etc/passwd")]
    [InlineData("a//b")]
    [InlineData("a/./b")]
    [InlineData("a\\\\b")]
    [InlineData("")]
    [InlineData("manifest.json")]
    public void Path_out_of_the_folder_is_refused(string path)
    {
        var json = $$"""{"files":[{"path":"{{path}}","sizeBytes":1,"sha256":"{{Digest}}"}]}""";
        Assert.Throws<InvalidDataException>(() => Manifest.Parse(Encoding.UTF8.GetBytes(json)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"files":[{"path":"a","sizeBytes":-1,"sha256":"x"}]}""")]
    [InlineData("""{"files":[null]}""")]
    public void What_is_no_manifest_is_refused(string json) =>
        Assert.Throws<InvalidDataException>(() => Manifest.Parse(Encoding.UTF8.GetBytes(json)));
}
