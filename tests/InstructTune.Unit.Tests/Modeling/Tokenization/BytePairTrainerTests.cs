using InstructTune.Modeling.Tokenization;

namespace InstructTune.Unit.Tests.Modeling.Tokenization;

public sealed class BytePairTrainerTests
{
    private static readonly string[] Texts = ["low low low low low lower lower newest newest newest newest newest newest widest widest widest"];

    [Fact]
    public void The_most_frequent_pairs_become_tokens_first()
    {
        // By hand: "es" and "st" occur 9 times each, and e has the lower byte; then "est"; then "lo" and "ow" 7 times.
        using var folder = new TrainedFolder(Texts, BytePairTrainer.SmallestVocabulary + 3);
        var first = BytePairTrainer.SmallestVocabulary;
        Assert.Equal(["es", "est", "lo"], Enumerable.Range(first, 3).Select(id => folder.Tokenizer.Decode([id])));
    }

    [Fact]
    public void Equal_texts_give_equal_files()
    {
        using var first = new TrainedFolder(Texts, 300);
        using var second = new TrainedFolder(Texts, 300);
        Assert.Equal(first.Json, second.Json);
    }

    [Fact]
    public void Training_ends_where_no_pair_repeats()
    {
        var vocabulary = BytePairTrainer.Train(["abab"], 4096);
        Assert.Equal(BytePairTrainer.SmallestVocabulary + 1, vocabulary.Count);
    }

    [Fact]
    public void A_trained_vocabulary_shortens_its_texts()
    {
        using var folder = new TrainedFolder(Texts, 300);
        Assert.InRange(folder.Tokenizer.Encode(Texts[0]).Length, 1, Texts[0].Length / 3);
        Assert.Equal(Texts[0], folder.Tokenizer.Decode(folder.Tokenizer.Encode(Texts[0])));
    }

    [Fact]
    public void A_vocabulary_without_room_for_every_byte_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BytePairTrainer.Train(Texts, BytePairTrainer.SmallestVocabulary - 1));

    private sealed class TrainedFolder : IDisposable
    {
        private readonly string _path = Directory.CreateTempSubdirectory("instructtune-trained-").FullName;

        public TrainedFolder(IEnumerable<string> texts, int size) => BytePairTrainer.Train(texts, size).Write(_path, contextTokens: 64);

        public Tokenizer Tokenizer => Tokenizer.Load(_path);

        public string Json => File.ReadAllText(Path.Combine(_path, "tokenizer.json"));

        public void Dispose() => Directory.Delete(_path, recursive: true);
    }
}
