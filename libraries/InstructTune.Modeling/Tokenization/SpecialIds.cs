using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Tokenization;

/// <summary>The control tokens of a model, decided from all files of its folder.</summary>
internal sealed record SpecialIds(
    int? BeginOfText, IReadOnlyList<int> EndOfText, int? Padding, IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static SpecialIds Resolve(TokenizerParts file, TokenizerSettings settings, TokenTable table)
    {
        var bos = Named(file, settings.BeginOfText, "bos_token");
        var eos = Named(file, settings.EndOfText, "eos_token");
        List<int> before = [.. file.PostProcessor.Before], after = [.. file.PostProcessor.After];

        if (settings.AddsBeginOfText is { } addsBegin && bos is { } begin)
        {
            before.RemoveAll(id => id == begin);
            before.InsertRange(0, addsBegin ? [begin] : []);
        }

        if (settings.AddsEndOfText is { } addsEnd && eos is { } end)
        {
            after.RemoveAll(id => id == end);
            after.InsertRange(0, addsEnd ? [end] : []);
        }

        foreach (var outside in before.Concat(after).Where(id => id < 0 || id >= table.Count))
        {
            throw new ModelFormatException(file.File, "post_processor", $"the id {outside} is not in the vocabulary");
        }

        int[] named = eos is { } id ? [id] : [];
        return new(
            before.Count > 0 ? before[0] : null,
            [.. named.Concat(settings.EndOfTextIds.Where(i => i >= 0 && i < table.Count)).Distinct()],
            Named(file, settings.Padding, "pad_token"),
            before,
            after);
    }

    public static int? Find(TokenizerParts file, string token)
    {
        var added = file.AddedTokens.FirstOrDefault(t => t.Content == token);
        var id = added?.Id ?? file.Model.Vocabulary.Find(token);
        return id >= 0 ? id : null;
    }

    private static int? Named(TokenizerParts file, string? token, string key)
    {
        if (token is null)
        {
            return null;
        }

        return Find(file, token)
            ?? throw new ModelFormatException("tokenizer_config.json", key, $"`{token}` is not a token of {file.File}");
    }
}
