using System.Text;

namespace InstructTune.Modeling.Tokenization;

/// <summary>One rewriting of a text.</summary>
internal abstract class NormalizerStep
{
    /// <summary>Writes the new text, or returns false where the text stays as it is.</summary>
    public abstract bool TryRewrite(ReadOnlySpan<char> text, bool continues, Buffer<char> output);
}

/// <summary>NFC and its like.</summary>
internal sealed class UnicodeFormStep(NormalizationForm form) : NormalizerStep
{
    public override bool TryRewrite(ReadOnlySpan<char> text, bool continues, Buffer<char> output)
    {
        if (UnicodeNormalization.IsSurelyNormal(text, form))
        {
            return false;
        }

        output.Add(UnicodeNormalization.Apply(text.ToString(), form));
        return true;
    }
}

/// <summary>Puts something in front of every text that is not empty.</summary>
internal sealed class PrefixStep(string prefix) : NormalizerStep
{
    public override bool TryRewrite(ReadOnlySpan<char> text, bool continues, Buffer<char> output)
    {
        if (continues || text.IsEmpty)
        {
            return false;
        }

        output.Add(prefix);
        output.Add(text);
        return true;
    }
}

/// <summary>Replaces one text by another wherever it stands.</summary>
internal sealed class ReplacementStep(string old, string replacement) : NormalizerStep
{
    public override bool TryRewrite(ReadOnlySpan<char> text, bool continues, Buffer<char> output)
    {
        if (old.Length == 1 && replacement.Length == 1)
        {
            text.Replace(output.Extend(text.Length), old[0], replacement[0]);
            return true;
        }

        for (var at = text.IndexOf(old); at >= 0; at = text.IndexOf(old))
        {
            output.Add(text[..at]);
            output.Add(replacement);
            text = text[(at + old.Length)..];
        }

        output.Add(text);
        return true;
    }
}

/// <summary>Drops spaces at both ends and all but one of a run, as SentencePiece does.</summary>
internal sealed class CollapseSpacesStep : NormalizerStep
{
    public override bool TryRewrite(ReadOnlySpan<char> text, bool continues, Buffer<char> output)
    {
        // Text that goes on keeps the space between it and what came before.
        var wasSpace = !continues;
        foreach (var character in text)
        {
            if (character != ' ' || !wasSpace)
            {
                output.Add(character);
            }

            wasSpace = character == ' ';
        }

        if (output.Count > 0 && output.Span[^1] == ' ')
        {
            output.Shorten(output.Count - 1);
        }

        return true;
    }
}
