using InstructTune.Jobs;
using InstructTune.Standalone;
using InstructTune.Storage;
using InstructTune.Testing;

namespace InstructTune.Faults.Tests.Standalone;

/// <summary>The checkpoints of the embedded store: without them its log grows for ever, and each start reads all of it.</summary>
public sealed class StoreSaverTests : IDisposable
{
    private const int Jobs = 200;

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_checkpoint_is_written_when_something_changed_and_shortens_the_log_and_a_killed_store_comes_back_with_all_of_it()
    {
        var folder = _folder["store"];
        var copy = _folder["as a kill leaves it"];
        using (var store = EmbeddedStore.Start(folder))
        {
            await using var redis = Connect(store);
            var jobs = new JobStore(redis, "saved");
            await CreateAsync(jobs, 0, Jobs);
            await using var saver = new StoreSaver(store.Configuration, folder, TimeProvider.System);
            var before = LogBytes(folder);
            Assert.True(await saver.SaveIfDirtyAsync(Ct));
            await Eventually.HoldsAsync(() => Directory.Exists(Path.Combine(folder, "Store")) && SavedFiles(folder) > 0, "the checkpoint is there", TimeSpan.FromSeconds(30));
            // Nothing changed since.
            await Eventually.HoldsAsync(async () => !await saver.SaveIfDirtyAsync(Ct), "there is nothing to save", TimeSpan.FromSeconds(30));
            Assert.True(LogBytes(folder) <= before, $"{LogBytes(folder)} bytes of log after {before}");

            // What came after the checkpoint is in the log alone.
            await CreateAsync(jobs, Jobs, 2 * Jobs);
            Copy(folder, copy);
        }

        using var again = EmbeddedStore.Start(copy);
        await using var connection = Connect(again);
        var kept = await InvariantChecker.CheckQueueAsync(new JobStore(connection, "saved"), Ct);
        Assert.Equal(2 * Jobs, kept.Count);
    }

    private static RedisConnection Connect(EmbeddedStore store) =>
        new(new RedisOptions { Configuration = store.Configuration, Patience = TimeSpan.FromSeconds(30) }, TimeProvider.System);

    private static async Task CreateAsync(JobStore jobs, int from, int to)
    {
        for (var number = from; number < to; number++)
        {
            await jobs.CreateAsync(new NewJob { Id = $"j{number}", Spec = new string('x', 1000) }, Ct);
        }
    }

    private static int SavedFiles(string folder) => Directory.GetFiles(Path.Combine(folder, "Store"), "*", SearchOption.AllDirectories).Length;

    private static long LogBytes(string folder) => Directory.GetFiles(Path.Combine(folder, "AOF"), "aof.log.*").Sum(file => new FileInfo(file).Length);

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
