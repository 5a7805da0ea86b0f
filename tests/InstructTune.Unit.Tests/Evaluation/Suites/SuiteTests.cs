using System.Text.Json;
using InstructTune.Evaluation.Suites;

namespace InstructTune.Unit.Tests.Evaluation.Suites;

public sealed class SuiteTests
{
    private static readonly Suite Suite = new("name", [Samples.Task()]);

    [Fact]
    public void Equal_content_has_an_equal_hash() => Assert.Equal(Suite.ContentSha256, new Suite("name", [Samples.Task()]).ContentSha256);

    [Fact]
    public void The_hash_outlives_storing_and_reading()
    {
        var stored = JsonSerializer.Serialize(Suite, JsonSerializerOptions.Web);
        Assert.Equal(Suite.ContentSha256, JsonSerializer.Deserialize<Suite>(stored, JsonSerializerOptions.Web)!.ContentSha256);
    }

    [Fact]
    public void Every_field_is_part_of_the_hash()
    {
        var task = Samples.Task();
        Suite[] others =
        [
            Suite with { DisplayName = "other" },
            Suite with { Tasks = [task, Samples.Task("more")] },
            Suite with { Tasks = [task with { TaskId = "other" }] },
            Suite with { Tasks = [task with { DatasetVersion = "datasets/d/versions/w" }] },
            Suite with { Tasks = [task with { Metrics = ["f1/squad-1.1"] }] },
            Suite with { Tasks = [task with { Sampling = new Sampling() }] },
            Suite with { Tasks = [task with { Sampling = new Sampling { Temperature = 0, TopK = 3 } }] },
            Suite with { Tasks = [task with { MaxOutputTokens = 1 }] },
            Suite with { Tasks = [task with { StopSequences = ["x"] }] },
            Suite with { Tasks = [task with { MaxExamples = 1 }] },
        ];
        Assert.Equal(others.Length + 1, others.Append(Suite).Select(suite => suite.ContentSha256).Distinct().Count());
    }
}
