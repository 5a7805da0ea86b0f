using CsCheck;
using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Suites;

namespace InstructTune.Unit.Tests.Evaluation.Results;

public sealed class ResultPageTests
{
    private static readonly Suite Suite = new("", [Samples.Task("second-name"), Samples.Task("a-name")]);

    [Fact]
    public void Pages_hold_every_answer_once_in_the_order_of_the_suite()
    {
        Gen.Select(Gen.Int[0, 12], Gen.Int[0, 12], Gen.Int[1, 7]).Sample((first, second, size) =>
        {
            var answers = Enumerable.Range(0, second).Select(index => Samples.Answer(index, taskId: "a-name"))
                .Concat(Enumerable.Range(0, first).Select(index => Samples.Answer(index, taskId: "second-name"))).Reverse().ToList();
            var seen = new List<(string, long)>();
            var token = "";
            do
            {
                var page = ResultPage.Of("run", Suite, answers, size, token);
                seen.AddRange(page.Answers.Select(answer => (answer.TaskId, answer.ExampleIndex)));
                token = page.NextPageToken;
            }
            while (token.Length > 0);
            var expected = Enumerable.Range(0, first).Select(index => ("second-name", (long)index))
                .Concat(Enumerable.Range(0, second).Select(index => ("a-name", (long)index)));
            return expected.SequenceEqual(seen);
        });
    }

    [Fact]
    public void Answers_that_come_between_two_pages_repeat_nothing()
    {
        var first = ResultPage.Of("run", Suite, [Samples.Answer(4, taskId: "a-name"), Samples.Answer(7, taskId: "a-name")], 1, "");
        var second = ResultPage.Of(
            "run", Suite, [.. new long[] { 2, 4, 5, 7 }.Select(index => Samples.Answer(index, taskId: "a-name"))], 9, first.NextPageToken);
        Assert.Equal([5, 7], second.Answers.Select(answer => answer.ExampleIndex));
    }
}
