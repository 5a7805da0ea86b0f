using InstructTune.Storage;
using InstructTune.Testing;
using InstructTune.Trainer.Checkpoints;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class CheckpointStoreTests : IDisposable
{
    private const string Spec = "spec";

    private readonly TemporaryFolder _folder = new();
    private readonly CheckpointStore _store;

    public CheckpointStoreTests()
    {
        _store = new CheckpointStore(new StorageOptions { Root = _folder.Path }, TimeProvider.System);
    }

    [Fact]
    public void A_checkpoint_opens_as_it_was_written()
    {
        var reference = Write(attempt: 1, step: 5, parent: null);
        var (folder, manifest) = _store.Open("job", reference);
        Assert.Equal("weights of 5", File.ReadAllText(Path.Combine(folder, "weights.bin")));
        Assert.Equal((5L, 1, 12L), (manifest.Step, manifest.Attempt, manifest.SizeBytes));
    }

    [Fact]
    public void Every_flipped_bit_is_caught_and_its_file_named()
    {
        var reference = Write(attempt: 1, step: 5, parent: null);
        var folder = Path.Combine(_folder.Path, "jobs", "job", reference.Path);
        foreach (var file in new[] { "weights.bin", CheckpointManifest.FileName })
        {
            var path = Path.Combine(folder, file);
            var content = File.ReadAllBytes(path);
            for (var bit = 0; bit < content.Length * 8; bit++)
            {
                content[bit / 8] ^= (byte)(1 << (bit % 8));
                Overwrite(path, content);
                Assert.Equal(file, Assert.Throws<CheckpointCorruptException>(() => _store.Open("job", reference)).File);
                content[bit / 8] ^= (byte)(1 << (bit % 8));
            }

            Overwrite(path, content);
        }

        _store.Open("job", reference);
    }

    [Fact]
    public void A_failed_write_leaves_nothing()
    {
        Assert.Throws<IOException>(() => _store.Write(Manifest(1, 5, null), _ => throw new IOException("disk")));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder.Path, "jobs", "job", "attempt-1")));
    }

    [Fact]
    public void The_chain_goes_back_across_attempts()
    {
        var first = Write(attempt: 1, step: 5, parent: null);
        var second = Write(attempt: 2, step: 10, parent: first);
        Assert.Equal([second, first], _store.Chain("job", second).Select(link => link.Reference));
    }

    [Fact]
    public void Retention_keeps_the_newest_accepted_and_what_later_attempts_wrote()
    {
        var first = Write(attempt: 1, step: 5, parent: null);
        Write(attempt: 1, step: 6, parent: first);
        var second = Write(attempt: 2, step: 10, parent: first);
        var third = Write(attempt: 2, step: 15, parent: second);
        var later = Write(attempt: 3, step: 20, parent: third);

        _store.Retain("job", third, [third, second]);

        Assert.Equal([third, second], _store.Chain("job", third).Select(link => link.Reference));
        Assert.Empty(Directory.GetDirectories(_store.AttemptFolder("job", 1), "step-*"));
        _store.Open("job", later);
    }

    [Fact]
    public void The_newest_before_a_step_is_found_by_its_folder()
    {
        var first = Write(attempt: 1, step: 5, parent: null);
        var second = Write(attempt: 2, step: 10, parent: first);
        Assert.Equal(first, _store.NewestBefore("job", Spec, second.Step));
        Assert.Null(_store.NewestBefore("job", Spec, first.Step));
    }

    [Fact]
    public void A_manifest_that_tells_of_another_place_is_passed_over()
    {
        var first = Write(attempt: 1, step: 5, parent: null);
        var second = Write(attempt: 1, step: 10, parent: first);
        var path = Path.Combine(_folder.Path, "jobs", "job", second.Path, CheckpointManifest.FileName);
        Overwrite(path, System.Text.Encoding.UTF8.GetBytes(File.ReadAllText(path).Replace("\"step\": 10", "\"step\": 11", StringComparison.Ordinal)));
        Assert.Equal(first, _store.NewestBefore("job", Spec, step: 15));
    }

    public void Dispose() => _folder.Dispose();

    private static void Overwrite(string path, byte[] content)
    {
        using var file = File.Create(path);
        file.Write(content);
    }

    private CheckpointManifest Manifest(int attempt, long step, CheckpointReference? parent) => new()
    {
        Job = "job",
        Attempt = attempt,
        Step = step,
        StageId = "stage",
        Earlier = parent is null ? [] : [new KeptCheckpoint(parent.ToString(), "stage", false, null), .. _store.Open("job", parent).Manifest.Earlier],
        SpecSha256 = Spec,
        Numerics = new Dictionary<string, string>(StringComparer.Ordinal),
        CreateTime = default,
        Files = [],
    };

    private CheckpointReference Write(int attempt, long step, CheckpointReference? parent) => _store.Write(
        Manifest(attempt, step, parent), folder => AtomicFile.Write(Path.Combine(folder, "weights.bin"), System.Text.Encoding.UTF8.GetBytes($"weights of {step}")));
}
