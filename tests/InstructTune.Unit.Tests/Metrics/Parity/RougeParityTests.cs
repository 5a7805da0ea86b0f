using InstructTune.Metrics.Rouge;

namespace InstructTune.Unit.Tests.Metrics.Parity;

/// <summary>ROUGE and stemmer against google's rouge_score and NLTK.</summary>
public sealed class RougeParityTests
{
    [Fact]
    public void Every_word_of_the_vocabulary_has_the_stem_of_nltk()
    {
        var words = File.ReadAllLines(ReferenceFolder.Require("rouge/porter/porter_vocabulary.txt"));
        var stems = File.ReadAllLines(ReferenceFolder.Require("rouge/porter/porter_nltk_output.txt"));
        Assert.Equal(words.Length, stems.Length);
        Assert.NotEmpty(words);
        Assert.Equal(stems, words.Select(PorterStemmer.Stem));
    }

    [Theory]
    [InlineData("plain", false)]
    [InlineData("stem", true)]
    public void Every_pair_has_the_scores_of_rouge_score(string mode, bool stem)
    {
        foreach (var row in ReferenceFolder.Rows("metrics/rouge.jsonl"))
        {
            var (reference, prediction, expected) = (row.Text("reference"), row.Text("prediction"), row.GetProperty(mode));
            AssertScore(expected.GetProperty("rouge1").Numbers(), RougeMetric.RougeN(reference, prediction, 1, stem), reference);
            AssertScore(expected.GetProperty("rouge2").Numbers(), RougeMetric.RougeN(reference, prediction, 2, stem), reference);
            AssertScore(expected.GetProperty("rougeL").Numbers(), RougeMetric.RougeL(reference, prediction, stem), reference);
            AssertScore(expected.GetProperty("rougeLsum").Numbers(), RougeMetric.RougeLsum(reference, prediction, stem), reference);
        }
    }

    // Plain means over the pairs, to ten places as published with the files.
    [Theory]
    [InlineData("rouge1", false, .4987468489, .3194851494, .3855254913)]
    [InlineData("rouge2", false, .2913983187, .1818011360, .2214490812)]
    [InlineData("rougeL", false, .4957153340, .3176035371, .3832311791)]
    [InlineData("rougeLsum", false, .4957153340, .3176035371, .3832311791)]
    [InlineData("rouge1", true, .5242798949, .3356708053, .4051156131)]
    [InlineData("rouge2", true, .3214134526, .2002144400, .2440210896)]
    [InlineData("rougeL", true, .5210116861, .3336543997, .4026514436)]
    [InlineData("rougeLsum", true, .5210116861, .3336543997, .4026514436)]
    public void The_means_over_the_large_files_are_the_published_ones(string metric, bool stem, double precision, double recall, double f)
    {
        var targets = File.ReadAllLines(ReferenceFolder.Require("rouge/target_large.txt"));
        var predictions = File.ReadAllLines(ReferenceFolder.Require("rouge/prediction_large.txt"));
        AssertMeans(targets.Zip(predictions), metric, stem, precision, recall, f);
    }

    [Theory]
    [InlineData("rouge1", .5987979899, .3808627211, .4640925513)]
    [InlineData("rouge2", .3649994401, .2309598101, .2819508406)]
    [InlineData("rougeL", .5859687382, .3728284500, .4542357185)]
    [InlineData("rougeLsum", .5949356897, .3784187320, .4611070569)]
    public void The_means_over_texts_of_several_lines_are_the_published_ones(string metric, double precision, double recall, double f)
    {
        var rows = ReferenceFolder.Rows("rouge/multi_250.jsonl").Select(row => (row.Text("target"), row.Text("prediction")));
        AssertMeans(rows, metric, stem: true, precision, recall, f);
    }

    [Fact]
    public void A_whole_file_as_one_text_has_the_published_summary_score()
    {
        var score = RougeMetric.RougeLsum(
            File.ReadAllText(ReferenceFolder.Require("rouge/target_large.txt")),
            File.ReadAllText(ReferenceFolder.Require("rouge/prediction_large.txt")),
            stem: false);
        Assert.Equal(.6878976234, score.Precision, 1e-9);
        Assert.Equal(.4355092593, score.Recall, 1e-9);
        Assert.Equal(.5333522325, score.FMeasure, 1e-9);
    }

    internal static RougeScore Score(string metric, string reference, string prediction, bool stem) => metric switch
    {
        "rougeL" => RougeMetric.RougeL(reference, prediction, stem),
        "rougeLsum" => RougeMetric.RougeLsum(reference, prediction, stem),
        _ => RougeMetric.RougeN(reference, prediction, metric[^1] - '0', stem),
    };

    private static void AssertMeans(
        IEnumerable<(string Reference, string Prediction)> pairs, string metric, bool stem, double precision, double recall, double f)
    {
        var scores = pairs.Select(pair => Score(metric, pair.Reference, pair.Prediction, stem)).ToList();
        Assert.Equal(precision, scores.Average(score => score.Precision), 1e-9);
        Assert.Equal(recall, scores.Average(score => score.Recall), 1e-9);
        Assert.Equal(f, scores.Average(score => score.FMeasure), 1e-9);
    }

    private static void AssertScore(double[] expected, RougeScore actual, string reference)
    {
        ReferenceFolder.AssertClose(expected[0], actual.Precision, 0, 1e-12, "precision of " + reference);
        ReferenceFolder.AssertClose(expected[1], actual.Recall, 0, 1e-12, "recall of " + reference);
        ReferenceFolder.AssertClose(expected[2], actual.FMeasure, 0, 1e-12, "F of " + reference);
    }
}
