namespace InstructTune.Modeling.Gguf;

/// <summary>The tokens that the metadata names.</summary>
internal static class GgufTokenIds
{
    private const string Prefix = "tokenizer.ggml.";

    // Ends of a turn end a text as well: servers stop at each of them.
    private static readonly string[] s_ends = ["eos_token_id", "eot_token_id", "eom_token_id"];

    public static IReadOnlyList<int> EndOfText(GgufMetadata metadata) =>
        [.. s_ends.Select(key => metadata.Integer(Prefix + key, 0, int.MaxValue)).OfType<int>().Distinct()];

    /// <summary>A token by its key, such as bos_token_id; null where the file names none.</summary>
    public static int? Find(GgufMetadata metadata, string key, int vocabularySize) => metadata.Integer(Prefix + key, 0, vocabularySize - 1);
}
