using InstructTune.Testing;

namespace InstructTune.EndToEnd.Tests;

/// <summary>What a collector gets of a command, of the servers that it calls and of the job that it creates.</summary>
public sealed class TraceTests(RunningServer server)
{
    private const int Steps = 3;

    [Fact]
    public async Task One_trace_runs_from_the_command_line_to_every_step_of_the_training()
    {
        await using var creating = CommandLineProgram.Start(
            CommandLineProgram.InstructTune,
            [
                "finetune", "create", "--base", RunningServer.Base, "--specialist", RunningServer.Specialist,
                "--max-steps", $"{Steps}", "--batch-size", "8", "--name", "traced", "--watch",
            ],
            [.. server.Environment, .. server.Traces.Environment]);
        var created = await creating.EndAsync();
        Assert.True(created.ExitCode == 0, created.All);

        // The command is the only one that creates a job and has a collector.
        await Eventually.HoldsAsync(() => Named("instructtune create").Any(), "the command's own span arrives");
        var root = Assert.Single(Named("instructtune create"));
        Assert.Equal("", root.ParentSpanId);
        await Eventually.HoldsAsync(
            () => Of("train.step").Count() == Steps && Of("train.stage").Any() && Of("job.attempt").Any(), "the spans of the training arrive");

        var attempt = Assert.Single(Of("job.attempt"));
        var stage = Assert.Single(Of("train.stage"));
        Assert.Equal(attempt.SpanId, stage.ParentSpanId);
        Assert.All(Of("train.step"), step => Assert.Equal(stage.SpanId, step.ParentSpanId));
        // Upwards from the attempt: the call in the trainer, the request and the call in the command, the command.
        Assert.Equal(root.SpanId, Ancestors(attempt).Last().SpanId);

        IEnumerable<CollectedSpan> Of(string name) => Named(name).Where(span => span.TraceId == root.TraceId);
    }

    private IEnumerable<CollectedSpan> Named(string name) => server.Traces.Spans.Where(span => span.Name == name);

    private IEnumerable<CollectedSpan> Ancestors(CollectedSpan span)
    {
        for (var parent = span; parent is not null; parent = server.Traces.Spans.FirstOrDefault(other => other.SpanId == parent.ParentSpanId))
        {
            yield return parent;
        }
    }
}
