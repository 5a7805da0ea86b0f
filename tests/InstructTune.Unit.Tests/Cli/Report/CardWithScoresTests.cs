using InstructTune.Cli.Report;
using InstructTune.V1;

namespace InstructTune.Unit.Tests.Cli.Report;

public sealed class CardWithScoresTests
{
    private const string Card = "---\nbase_model: base@1\n---\n\n# Title\n\n## Evaluation\n\nNo held-out data was measured during training.\n\n## Lineage\n";

    [Fact]
    public void Without_runs_the_card_stays_as_it_is() => Assert.Equal(Card, CardWithScores.Render(Card, "models/m/versions/2", []));

    [Fact]
    public void Scores_go_into_the_front_matter_and_into_a_table()
    {
        var card = CardWithScores.Render(Card, "models/m/versions/2", [Run()]);

        Assert.StartsWith(
            "---\nbase_model: base@1\nmetrics:\n- rougel\nmodel-index:\n- name: m@2\n  results:\n  - task:\n      type: text-generation\n      name: heldout\n    dataset:\n      type: suite\n      name: suite\n"
                + "    metrics:\n    - type: rougel\n      value: 0.5\n      name: rougeL/google+nltk-porter\n---\n\n# Title",
            card, StringComparison.Ordinal);
        Assert.Contains("## Evaluation\n\n| suite | task | metric | score | 95% interval | examples |", card, StringComparison.Ordinal);
        Assert.EndsWith("\n\n## Lineage\n", card, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_without_front_matter_is_left_alone() => Assert.Equal("# Mine\n", CardWithScores.Render("# Mine\n", "models/m/versions/2", [Run()]));

    private static EvaluationRun Run() => new()
    {
        Suite = "evaluationSuites/suite", ModelVersion = "models/m/versions/2",
        Scores = { new EvaluationRun.Types.TaskScore { TaskId = "heldout", Metric = "rougeL/google+nltk-porter", Value = 0.5, Lower = 0.4, Upper = 0.6, ExampleCount = 10 } },
    };
}
