using InstructTune.Inference.Engine;
using InstructTune.Modeling.Prompts;
using InstructTune.Modeling.Tokenization;

namespace InstructTune.Inference.Models;

/// <summary>A version that stays in memory until this is disposed.</summary>
internal sealed class ModelLease(VersionFacts version, WeightForm form, ModelKey key, ModelContent content, Action release) : IDisposable
{
    private int _released;

    /// <summary>The exact version: `latest` resolved.</summary>
    public string VersionName => version.Name;

    /// <summary>Of an adapter, its base's.</summary>
    public WeightForm Form => form;

    public ModelKey Key => key;

    public string BaseSha256 => version.BaseOrSelf.ManifestSha256;

    public string? AdapterSha256 => version.Base is null ? null : version.ManifestSha256;

    public Tokenizer Tokenizer => content.Tokenizer;

    public int VocabularySize => content.VocabularySize;

    public int ContextTokens => content.ContextTokens;

    /// <summary>With the version's own format; an adapter may have another than its base.</summary>
    public PromptEncoder Encoder => content.EncoderOf(version);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _released, 1) == 0)
        {
            release();
        }
    }
}
