using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Requests;

/// <summary>Stop sequences that spell a control token of the model. Such a token adds no text, so that only its id shows that it came.</summary>
internal static class ControlStops
{
    public static IEnumerable<int> Of(IReadOnlyList<string> stops, Tokenizer tokenizer) =>
        stops.Select(tokenizer.FindToken).OfType<int>().Where(tokenizer.IsSpecial);
}
