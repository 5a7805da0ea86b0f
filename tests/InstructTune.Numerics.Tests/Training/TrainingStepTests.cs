using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using InstructTune.Modeling.Training;
using static TorchSharp.torch;

namespace InstructTune.Numerics.Tests.Training;

public sealed class TrainingStepTests
{
    private const int EndOfText = 1;

    private static LlamaConfig Config { get; } = new()
    {
        VocabularySize = 64, ModelWidth = 32, FeedForwardWidth = 48, LayerCount = 2, QueryHeads = 4, KeyValueHeads = 2, HeadWidth = 8,
        ContextTokens = 64, TiedEmbeddings = true,
    };

    // Ragged, with one row that starts with a trained token, which is never predicted.
    private static readonly TokenizedExample[] Rows =
    [
        Row(9, 4), Row(3, 1), Row(14, 2), Row(6, 0),
    ];

    [Fact]
    public void Micro_batches_give_the_loss_and_norm_of_one_batch()
    {
        var whole = Run([Rows]);
        var cut = Run([[Rows[0]], [Rows[1]], [Rows[2]], [Rows[3]]]);
        Assert.Equal(whole.TrainedTokenCount, cut.TrainedTokenCount);
        Assert.Equal(whole.Loss, cut.Loss, 1e-6 * whole.Loss);
        Assert.Equal(whole.GradientNorm, cut.GradientNorm, 1e-6 * whole.GradientNorm);
    }

    [Fact]
    public void Logits_in_chunks_give_the_loss_and_gradients_of_logits_at_once()
    {
        // As if the vocabulary were so large that one row of logits fills a chunk.
        var whole = Run([Rows]);
        var chunked = Run([Rows], vocabularySize: 1 << 24);
        Assert.Equal(whole.Loss, chunked.Loss, 1e-6 * whole.Loss);
        Assert.Equal(whole.GradientNorm, chunked.GradientNorm, 1e-6 * whole.GradientNorm);
    }

    [Fact]
    public void A_micro_batch_of_half_the_rows_gives_the_weights_of_the_whole_one_with_dropout()
    {
        var ordered = Rows.OrderByDescending(row => row.Ids.Length).ToArray();
        var whole = AdapterAfter(MicroBatches.Cut(ordered, 4, 1 << 20));
        var halved = AdapterAfter(MicroBatches.Cut(ordered, 2, 1 << 20));
        var start = AdapterAfter([]);
        Assert.All(whole, weight =>
        {
            var moved = weight.Value.Zip(start[weight.Key], (a, b) => Math.Abs(a - b)).Max();
            Assert.InRange(weight.Value.Zip(halved[weight.Key], (a, b) => Math.Abs(a - b)).Max(), 0, (1e-4 * moved) + 1e-7f);
        });
    }

    [Fact]
    public void Equal_steps_give_equal_bits() => Assert.Equal(Run([Rows]), Run([Rows]));

    [Fact]
    public void Weights_stay_as_they_were_when_the_loss_is_not_finite()
    {
        using var trainee = new RandomTrainee(Config);
        using var optimizer = Optimizer.Create(trainee.Weights, new AdamWSettings());
        using (no_grad())
        {
            trainee.Weights[0].Value.fill_(float.NaN);
        }

        var before = trainee.Weights[1].Value.data<float>().ToArray();
        var result = Step(trainee, optimizer, [Rows]);

        Assert.False(result.IsFinite);
        Assert.Equal(before, trainee.Weights[1].Value.data<float>().ToArray());
        Assert.Equal(0, optimizer.StepCount);
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var trainee = new RandomTrainee(Config);
        using var optimizer = Optimizer.Create(trainee.Weights, new AdamWSettings());
        Step(trainee, optimizer, [Rows]);
        var budget = TensorBudget.Start();
        for (var i = 0; i < 20; i++)
        {
            Step(trainee, optimizer, [Rows]);
        }

        budget.Require(keptCount: 0);
    }

    [Fact]
    public void Eight_examples_learnt_by_heart_are_generated_back_and_stop_at_the_end_of_text()
    {
        using var trainee = new RandomTrainee(Config);
        using var optimizer = Optimizer.Create(trainee.Weights, new AdamWSettings());
        int[][] prompts = [.. Enumerable.Range(0, 8).Select(i => new[] { 0, i + 10, i + 20 })];
        int[][] answers = [.. Enumerable.Range(0, 8).Select(i => Enumerable.Range(0, 2 + (i % 3)).Select(t => 2 + ((((7 * i) + 11) * (t + 1)) % 60)).ToArray())];
        TokenizedExample[] rows =
        [
            .. prompts.Zip(answers, (prompt, answer) => new TokenizedExample(
                [.. prompt, .. answer, EndOfText], [.. prompt.Select(_ => false), .. answer.Append(EndOfText).Select(_ => true)])),
        ];
        var loss = double.MaxValue;
        for (var i = 0; i < 150; i++)
        {
            loss = Step(trainee, optimizer, [rows], rate: 1e-2).Loss;
        }

        Assert.InRange(loss, 0, 0.01);
        Assert.Equal(answers, GreedyAnswers.Run(trainee.Model, null, prompts, [EndOfText], maxTokens: 20));
        Assert.Equal(answers.Select(answer => answer[..1]), GreedyAnswers.Run(trainee.Model, null, prompts, [EndOfText], maxTokens: 1));
    }

    private static StepResult Run(IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches, int? vocabularySize = null)
    {
        using var trainee = new RandomTrainee(Config) { VocabularySize = vocabularySize ?? Config.VocabularySize };
        using var optimizer = Optimizer.Create(trainee.Weights, new AdamWSettings());
        return Step(trainee, optimizer, microBatches);
    }

    private static StepResult Step(
        RandomTrainee trainee, Optimizer optimizer, IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches, double rate = 1e-3)
    {
        using var turns = new DeviceTurns();
        return new TrainingStep(trainee, optimizer, maxGradientNorm: 1)
            .Run(microBatches, rate, new StepSeed(0), () => turns.Enter(CancellationToken.None));
    }

    // SGD: the update is the gradient times the rate, so that the two differ by no more than sums do.
    private static Dictionary<string, float[]> AdapterAfter(IReadOnlyList<IReadOnlyList<TokenizedExample>> microBatches)
    {
        using var trainee = new RandomTrainee(Config, new LoraConfig { Rank = 4, Dropout = 0.3, TargetModules = LoraConfig.AllLinear });
        using var optimizer = Optimizer.Create(trainee.Weights, new SgdSettings());
        for (var i = 0; i < 3 && microBatches.Count > 0; i++)
        {
            using var turns = new DeviceTurns();
            new TrainingStep(trainee, optimizer, maxGradientNorm: null).Run(microBatches, 0.1, new StepSeed((ulong)i), () => turns.Enter(CancellationToken.None));
        }

        return trainee.Weights.ToDictionary(weight => weight.Name, weight => weight.Value.data<float>().ToArray(), StringComparer.Ordinal);
    }

    private static TokenizedExample Row(int length, int firstTrained) =>
        new([.. Enumerable.Range(0, length).Select(t => ((t * 13) + length) % 64)], [.. Enumerable.Range(0, length).Select(t => t >= firstTrained)]);
}
