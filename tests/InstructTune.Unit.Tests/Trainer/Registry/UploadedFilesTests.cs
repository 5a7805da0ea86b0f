using InstructTune.Modeling.Weights;
using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer.Registry;

namespace InstructTune.Unit.Tests.Trainer.Registry;

public sealed class UploadedFilesTests
{
    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("../config.json")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("a\0b")]
    [InlineData("manifest.json")]
    public async Task A_name_that_is_not_a_plain_one_is_a_problem(string name) => await WithFilesAsync(files =>
    {
        Assert.NotNull(files.ProblemOf(name));
        return Task.CompletedTask;
    });

    [Fact]
    public async Task A_name_has_at_most_128_characters() => await WithFilesAsync(files =>
    {
        Assert.Null(files.ProblemOf(new string('a', 128)));
        Assert.NotNull(files.ProblemOf(new string('a', 129)));
        return Task.CompletedTask;
    });

    [Fact]
    public async Task A_file_that_ended_cannot_go_on() => await WithFilesAsync(async files =>
    {
        await files.AppendAsync("a.json", new byte[] { 1 }, CancellationToken.None);
        Assert.Null(files.ProblemOf("a.json"));
        await files.AppendAsync("b.json", new byte[] { 2 }, CancellationToken.None);
        Assert.NotNull(files.ProblemOf("a.json"));
    });

    [Theory]
    [InlineData("pytorch_model.bin")]
    [InlineData("adapter_model.BIN")]
    [InlineData("weights.pt")]
    [InlineData("weights.pth")]
    [InlineData("weights.ckpt")]
    public async Task Pickled_weights_are_refused_by_name(string name) => await WithFilesAsync(async files =>
    {
        var refusal = await Assert.ThrowsAsync<ModelFormatException>(() => files.AppendAsync(name, new byte[] { 1 }, CancellationToken.None));
        Assert.Equal(name, refusal.File);
        Assert.Contains("pickle", refusal.Problem, StringComparison.Ordinal);
    });

    [Fact]
    public async Task Chunks_of_a_file_are_joined()
    {
        using var folder = new TemporaryFolder();
        var store = new DiskArtifactStore(new StorageOptions { Root = folder.Path });
        using var staging = store.CreateStaging();
        await using (var files = new UploadedFiles(staging))
        {
            await files.AppendAsync("a.json", new byte[] { 1, 2 }, CancellationToken.None);
            await files.AppendAsync("a.json", new byte[] { 3 }, CancellationToken.None);
        }

        Assert.Equal([1, 2, 3], await File.ReadAllBytesAsync(Path.Combine(staging.Path, "a.json"), TestContext.Current.CancellationToken));
    }

    private static async Task WithFilesAsync(Func<UploadedFiles, Task> test)
    {
        using var folder = new TemporaryFolder();
        using var staging = new DiskArtifactStore(new StorageOptions { Root = folder.Path }).CreateStaging();
        await using var files = new UploadedFiles(staging);
        await test(files);
    }
}
