using CsCheck;
using InstructTune.Jobs;
using InstructTune.Testing;

namespace InstructTune.Integration.Tests.Jobs;

/// <summary>Mistakes planted in the scripts themselves: the comparison with the specification finds each.</summary>
public sealed class PlantedDefectTests(StoreFixture stores)
{
    private const int MaxRuns = 1000;
    private const int CommandsPerRun = 40;

    public static TheoryData<string, string, string> Defects => new()
    {
        { "shared", "    and get(id, 'attempt') == attempt\n", "" },
        { "shared", "'sequence', 1)", "'sequence', 0)" },
        { "shared", "  redis.call('ZREM', leases, id)\n  redis.call('HSET', job_key(id), 'owner', '')\n  if cause", "  if cause" },
        { "renew", " or tonumber(redis.call('ZSCORE', leases, id)) <= now", "" },
        { "report", "get(id, 'checkpoint') ~= expected or ", "" },
        { "report", "'failures', '0', ", "" },
        { "complete", "if (get(id, 'state') == 'CANCELLING') ~= (outcome == 'CANCELLED') then", "if false then" },
        { "acquire", "if get(id, 'state') == 'QUEUED' then", "if true then" },
        { "acquire", "  for _, priority in ipairs(priorities) do", "  for _, priority in ipairs({'LOW', 'NORMAL', 'HIGH'}) do" },
        { "resume", "'failures', '0', ", "" },
        { "release", "redis.call('HINCRBY', job_key(id), 'oom', 1) > max_oom", "false" },
    };

    [Theory]
    [MemberData(nameof(Defects))]
    public async Task Defect_is_found(string script, string text, string defect)
    {
        var scripts = new JobScripts((name, original) => name == script ? Replaced(original, text, defect) : original);
        var gen = JobCommand.Gen.List[1, CommandsPerRun];
        // Fixed, so that a defect is found at the same place every time.
        for (var run = 0u; run < MaxRuns; run++)
        {
            var commands = gen.Generate(new PCG(run, 1), null, out _);
            var queue = await JobQueue.OpenAsync(stores, StoreKind.Redis, scripts: scripts);
            if (await Record.ExceptionAsync(() => ModelComparison.RunAsync(queue, commands)) is { } found)
            {
                TestContext.Current.TestOutputHelper?.WriteLine($"Run {run}: {found.Message}");
                return;
            }
        }

        Assert.Fail($"{MaxRuns} runs did not notice it.");
    }

    private static string Replaced(string original, string text, string defect)
    {
        Assert.Contains(text, original, StringComparison.Ordinal);
        return original.Replace(text, defect, StringComparison.Ordinal);
    }
}
