using InstructTune.Jobs;
using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Training;
using InstructTune.Trainer.FineTuning;

namespace InstructTune.Unit.Tests.Trainer;

public sealed class MemoryEstimateTests
{
    private const long Parameters = 5_400_000;

    // 5.4 million weights in six layers.
    private static readonly LlamaConfig Small = new()
    {
        VocabularySize = 4096, ModelWidth = 256, FeedForwardWidth = 688, LayerCount = 6, QueryHeads = 8, KeyValueHeads = 4, HeadWidth = 32, ContextTokens = 1024,
    };

    [Fact]
    public void A_batch_of_short_rows_is_one_pass() => Assert.Single(Estimate().Cut(Rows(16, 256), microBatchSize: 16));

    [Fact]
    public void Long_rows_are_cut_into_passes_of_fewer_rows_than_asked_for()
    {
        var passes = Estimate().Cut(Rows(16, 1024), microBatchSize: 16);
        Assert.InRange(passes.Count, 2, 4);
        Assert.Equal(16, passes.Sum(pass => pass.Count));
    }

    [Fact]
    public void Each_time_the_device_ran_out_of_memory_passes_have_half_the_rows() =>
        Assert.Equal([16, 8, 4], Enumerable.Range(0, 3).Select(halvings => Estimate(halvings).Cut(Rows(16, 8), microBatchSize: 16)[0].Count));

    [Fact]
    public void What_does_not_fit_at_one_row_is_refused_with_both_numbers()
    {
        var fault = Assert.Throws<JobFailedException>(() => Estimate().RequireFit(longestRowTokens: 1024, availableBytes: 200L << 20)).Fault;
        Assert.Equal("MODEL_DOES_NOT_FIT", fault.Reason);
        Assert.Equal("200", fault.Metadata["limit_mebibytes"]);
        Assert.Equal((4 * 4 * Parameters >> 20).ToString(System.Globalization.CultureInfo.InvariantCulture), fault.Metadata["states_mebibytes"]);
        Estimate().RequireFit(longestRowTokens: 1024, availableBytes: 300L << 20);
    }

    private static MemoryEstimate Estimate(int halvings = 0) => new(Small, sizeof(float) * Parameters, Parameters, halvings);

    private static IEnumerable<TokenizedExample> Rows(int count, int length) =>
        Enumerable.Range(0, count).Select(_ => new TokenizedExample(new int[length], new bool[length]));
}
