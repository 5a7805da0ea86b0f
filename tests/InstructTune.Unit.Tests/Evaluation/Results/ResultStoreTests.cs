using InstructTune.Evaluation.Results;
using InstructTune.Storage;
using InstructTune.Testing;
using Microsoft.Extensions.Options;

namespace InstructTune.Unit.Tests.Evaluation.Results;

public sealed class ResultStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private ResultStore Store => new(Options.Create(new StorageOptions { Root = _folder.Path }));

    [Fact]
    public async Task An_answer_is_readable_once_it_was_appended()
    {
        await using var journal = Store.OpenJournal("run", 1);
        await journal.AppendAsync(Samples.Answer(3));
        var answer = Assert.Single(Store.Read("run"));
        Assert.Equal((3, "Is it?", "yes", 1.0), (answer.ExampleIndex, answer.Prompt, answer.Text, answer.Scores[Samples.ExactMatch]));
    }

    [Fact]
    public async Task A_line_that_a_crash_tore_is_no_answer()
    {
        await AppendAsync(1, Samples.Answer(0), Samples.Answer(1));
        var file = Directory.GetFiles(_folder.Path, "*.jsonl", SearchOption.AllDirectories).Single();
        using (var handle = File.OpenHandle(file, access: FileAccess.ReadWrite))
        {
            RandomAccess.SetLength(handle, RandomAccess.GetLength(handle) - 5);
        }
        Assert.Equal([0], Store.Read("run").Select(answer => answer.ExampleIndex));
    }

    [Fact]
    public async Task The_answer_of_the_earliest_attempt_stands()
    {
        await AppendAsync(10, Samples.Answer(0, text: "tenth"));
        await AppendAsync(2, Samples.Answer(0, text: "second"), Samples.Answer(1));
        Assert.Equal([(0, "second"), (1, "yes")], Store.Read("run").Select(answer => (answer.ExampleIndex, answer.Text)));
    }

    [Fact]
    public async Task Published_answers_take_the_place_of_those_of_the_attempts()
    {
        await AppendAsync(1, Samples.Answer(1), Samples.Answer(0));
        var digest = Store.Publish("run", [Samples.Answer(0), Samples.Answer(1)]);
        Assert.Equal([0, 1], Store.Read("run").Select(answer => answer.ExampleIndex));
        Assert.Equal(digest, Store.Publish("run", [Samples.Answer(0), Samples.Answer(1)]));
        Assert.Single(Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task A_choice_that_cannot_occur_is_kept()
    {
        await AppendAsync(1, Samples.Answer(0) with { ChoiceLogprobs = [double.NegativeInfinity, -1.25] });
        Assert.Equal([double.NegativeInfinity, -1.25], Store.Read("run").Single().ChoiceLogprobs);
    }

    [Fact]
    public void A_run_that_answered_nothing_has_no_answers() => Assert.Empty(Store.Read("run"));

    public void Dispose() => _folder.Dispose();

    private async Task AppendAsync(int attempt, params Answer[] answers)
    {
        await using var journal = Store.OpenJournal("run", attempt);
        await Task.WhenAll(answers.Select(journal.AppendAsync));
    }
}
