using InstructTune.Integration.Tests.Inference;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Evaluation;

/// <summary>The evaluation service in front of the real inference service and a small model.</summary>
public sealed class RealEngineTests
{
    private const int MaxOutputTokens = 12;

    [Fact]
    public async Task Answers_and_scores_are_those_that_the_model_gives_when_it_is_asked_alone()
    {
        await using var inference = await InferenceHost.StartWithModelsAsync();
        await using var host = await EvaluationHost.StartAsync(("Peers:Inference", inference.Address));
        var suite = await host.CreateSuiteAsync("real", examples: 24, change: task =>
        {
            task.Metrics.Add(["rougeL", "acc", "acc_norm"]);
            task.MaxOutputTokens = MaxOutputTokens;
        });
        var run = await host.RunAsync(suite.Name, InferenceHost.Base);
        Assert.True(run.Job.State == JobState.Succeeded, run.Job.Error?.Message);
        Assert.Equal(5, run.Scores.Count);

        var results = (await host.ResultsAsync(run)).EvaluationResults;
        Assert.Equal(24, results.Count);
        foreach (var result in results)
        {
            var instruction = new Instruction { Instruction_ = result.Prompt };
            var alone = await inference.GenerateAsync(new GenerateRequest
            {
                Model = InferenceHost.Base,
                Instruction = instruction,
                MaxOutputTokens = MaxOutputTokens,
                Sampling = new SamplingParameters { Temperature = 0 },
            });
            Assert.Equal((alone.Text, alone.FinishReason), (result.Answer, result.FinishReason));
            var scored = await inference.ScoreAsync(new ScoreRequest
            {
                Model = InferenceHost.Base,
                Items =
                {
                    new ScoreRequest.Types.Item { Instruction = instruction, Continuation = "no" },
                    new ScoreRequest.Types.Item { Instruction = instruction, Continuation = result.References[0] },
                },
            });
            Assert.All(scored.Scores.Zip(result.ChoiceLogprobs), pair => Assert.Equal(pair.First.Logprob, pair.Second, 1e-4));
            Assert.Equal(scored.Scores[1].Logprob > scored.Scores[0].Logprob ? 1 : 0, result.Scores["acc/lm-eval"]);
        }
    }

    [Fact]
    public async Task Questions_beyond_the_context_of_the_model_count_as_empty_answers()
    {
        await using var inference = await InferenceHost.StartAsync();
        await inference.PublishBaseAsync(InferenceHost.Base, seed: 1, contextTokens: 320);
        await using var host = await EvaluationHost.StartAsync(("Peers:Inference", inference.Address));
        var suite = await host.CreateSuiteAsync("beyond", examples: 2);
        host.Datasets.Add("beyond", [Ask("short"), Ask(string.Concat(Enumerable.Repeat("long ", 400)))]);
        var (run, events) = await host.FinishAsync(await host.CreateRunAsync(suite.Name, InferenceHost.Base));
        Assert.True(run.Job.State == JobState.Succeeded, run.Job.Error?.Message);
        Assert.Equal("1", Assert.Single(events, change => change.Notice is not null).Notice.Metadata["first_example_index"]);
    }

    [Fact]
    public async Task A_model_that_inference_does_not_have_fails_the_run()
    {
        await using var inference = await InferenceHost.StartAsync();
        await using var host = await EvaluationHost.StartAsync(("Peers:Inference", inference.Address));
        var suite = await host.CreateSuiteAsync("no-model", examples: 2);
        var run = await host.RunAsync(suite.Name, "models/absent/versions/1");
        Assert.Equal((JobState.Failed, ErrorReason.ResourceNotFound), (run.Job.State, run.Job.Error.Reason));
    }

    private static Example Ask(string instruction) => new() { Instruction = new Instruction { Instruction_ = instruction }, Output = "x" };
}
