using System.Globalization;
using System.Text.Json;
using InstructTune.Integration.Tests.Inference;
using InstructTune.Testing;
using InstructTune.V1;

namespace InstructTune.Integration.Tests.Evaluation.Parity;

/// <summary>
/// A real model on real rows, from the weights to the score, against transformers and rouge_score. One row of each task;
/// <c>INSTRUCTTUNE_SUPERNI_ROWS</c> takes more.
/// </summary>
public sealed class SuperNiParityTests
{
    private const string Model = "models/smol/versions/1";

    private static int RowsPerTask => int.Parse(Environment.GetEnvironmentVariable("INSTRUCTTUNE_SUPERNI_ROWS") ?? "1", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Answers_choices_and_scores_are_those_of_the_reference_programs()
    {
        var (generation, ranking) = (Rows("generation.jsonl"), Rows("ranking.jsonl"));
        await using var inference = await InferenceHost.StartAsync(("Inference:CacheBytes", "268435456"));
        await inference.PublishBaseAsync(Model, SmolModel.Write);
        await using var host = await EvaluationHost.StartAsync(("Peers:Inference", inference.Address));
        var results = await RunAsync(host, generation, ranking);

        foreach (var (row, result) in generation.Zip(results.Where(result => result.TaskId == "generation")))
        {
            Assert.Equal(row.GetProperty("text").GetString(), result.Answer);
            Assert.Equal(row.GetProperty("prediction_rougeL").GetDouble(), result.Scores["rougeL/google+nltk-porter"], 1e-12);
            Assert.Equal(row.GetProperty("prediction_em").GetDouble(), result.Scores["em/tk-instruct"]);
        }
        foreach (var (row, result) in ranking.Zip(results.Where(result => result.TaskId == "ranking")))
        {
            var expected = row.GetProperty("delimiters").GetProperty("");
            Assert.All(
                expected.GetProperty("ll").EnumerateArray().Zip(result.ChoiceLogprobs), pair => Assert.Equal(pair.First.GetDouble(), pair.Second, 1e-3));
            var gold = row.GetProperty("gold").GetInt32();
            Assert.Equal(expected.GetProperty("acc").GetInt32() == gold ? 1 : 0, result.Scores["acc/lm-eval"]);
            Assert.Equal(expected.GetProperty("acc_norm").GetInt32() == gold ? 1 : 0, result.Scores["acc_norm/lm-eval-chars"]);
        }
    }

    private static async Task<IReadOnlyList<EvaluationResult>> RunAsync(
        EvaluationHost host, IReadOnlyList<JsonElement> generation, IReadOnlyList<JsonElement> ranking)
    {
        var suite = await host.Client.CreateEvaluationSuiteAsync(
            new CreateEvaluationSuiteRequest
            {
                EvaluationSuiteId = "superni",
                EvaluationSuite = new EvaluationSuite
                {
                    Tasks =
                    {
                        new EvaluationSuite.Types.Task
                        {
                            TaskId = "generation",
                            DatasetVersion = host.Datasets.Add("generation", generation.Select(ToExample)),
                            Metrics = { "rougeL", "em" },
                            MaxOutputTokens = 32,
                        },
                        new EvaluationSuite.Types.Task
                        {
                            TaskId = "ranking",
                            DatasetVersion = host.Datasets.Add("ranking", ranking.Select(ToExample)),
                            Metrics = { "acc", "acc_norm" },
                        },
                    },
                },
            },
            EvaluationHost.Call);
        var run = await host.RunAsync(suite.Name, Model);
        Assert.True(run.Job.State == JobState.Succeeded, run.Job.Error?.Message);
        var results = (await host.ResultsAsync(run)).EvaluationResults;
        Assert.Equal(generation.Count + ranking.Count, results.Count);
        return results;
    }

    private static List<JsonElement> Rows(string file) =>
    [
        .. File.ReadLines(Path.Combine(FixtureFolder.Require("superni"), file))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(row => row.GetProperty("index").GetInt32() < RowsPerTask),
    ];

    // The instruction is read from the task's own file, so that the prompt is rendered here and not copied.
    private static Example ToExample(JsonElement row)
    {
        var file = Path.Combine(FixtureFolder.RequireBeside("data/superni/test"), row.GetProperty("task").GetString() + ".json");
        var task = JsonDocument.Parse(File.ReadAllBytes(file)).RootElement;
        var instance = task.GetProperty("Instances")[row.GetProperty("index").GetInt32()];
        var example = new Example
        {
            Instruction = new Instruction
            {
                Instruction_ = task.GetProperty("Definition")[0].GetString(), Input = instance.GetProperty("input").GetString(),
            },
        };
        if (row.TryGetProperty("options", out var options))
        {
            example.Choices.Add(options.EnumerateArray().Select(option => option.GetString()));
            example.Output = example.Choices[row.GetProperty("gold").GetInt32()];
        }
        else
        {
            example.References.Add(row.GetProperty("references").EnumerateArray().Select(reference => reference.GetString()));
        }
        return example;
    }
}
