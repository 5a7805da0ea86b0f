namespace InstructTune.Modeling.Tokenization;

/// <summary>A part of a text on its way to the model.</summary>
internal readonly record struct TextPiece(string Text, int Start, int Length)
{
    public TextPiece(string text)
        : this(text, 0, text.Length)
    {
    }

    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);
}
