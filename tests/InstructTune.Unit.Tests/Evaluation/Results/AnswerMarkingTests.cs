using InstructTune.Evaluation.Results;
using InstructTune.Evaluation.Runs;

namespace InstructTune.Unit.Tests.Evaluation.Results;

public sealed class AnswerMarkingTests
{
    private static readonly Question Question = new(7, new InstructionPrompt("Is it?", "Look."), ["yes", "sure"], ["no", "yes"]);

    [Fact]
    public void The_best_reference_counts()
    {
        var answer = Answer.Mark(Samples.Task(), Question, new GeneratedText("Sure!", Ending.StopSequence), null, "");
        Assert.Equal((1.0, "Sure!", "Is it?\n\nLook.", Ending.StopSequence), (answer.Scores[Samples.ExactMatch], answer.Text, answer.Prompt, answer.Ending));
    }

    [Fact]
    public void A_task_with_metrics_of_both_kinds_is_marked_both_ways()
    {
        var task = Samples.Task(metrics: [Samples.ExactMatch, "acc/lm-eval"]);
        var answer = Answer.Mark(task, Question, new GeneratedText("no", Ending.EndOfText), [-3, -2], "");
        Assert.Equal((0.0, 1.0, "no"), (answer.Scores[Samples.ExactMatch], answer.Scores["acc/lm-eval"], answer.Text));
    }

    [Fact]
    public void The_answer_to_a_ranked_question_is_the_option_of_the_leading_metric()
    {
        var answer = Answer.Mark(Samples.Task(metrics: ["acc_norm/lm-eval-chars", "acc/lm-eval"]), Question, null, [-2, -2.5], "");
        Assert.Equal(("yes", 1.0, 0.0), (answer.Text, answer.Scores["acc_norm/lm-eval-chars"], answer.Scores["acc/lm-eval"]));
    }

    [Fact]
    public void A_question_that_was_refused_counts_as_wrong_and_says_why()
    {
        var answer = Answer.Mark(Samples.Task(metrics: [Samples.ExactMatch, "acc/lm-eval"]), Question, null, null, "PROMPT_TOO_LONG: 9 of 8.");
        Assert.Equal(("", "PROMPT_TOO_LONG: 9 of 8.", Ending.None), (answer.Text, answer.Note, answer.Ending));
        Assert.All(answer.Scores.Values, score => Assert.Equal(0, score));
    }
}
