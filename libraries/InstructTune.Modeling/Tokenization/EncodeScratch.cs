namespace InstructTune.Modeling.Tokenization;

/// <summary>Buffers of one thread, kept between calls so that encoding allocates nothing but its result.</summary>
internal sealed class EncodeScratch
{
    // What a huge text leaves behind is given back.
    private const int KeptElements = 1 << 18;

    [ThreadStatic]
    private static EncodeScratch? _ofThread;

    public Buffer<int> Ids { get; } = new();

    /// <summary>Of the word that is being merged.</summary>
    public MergeWork Merging { get; } = new();

    public Buffer<char> Text { get; } = new();

    public Buffer<char> OtherText { get; } = new();

    public Buffer<byte> Bytes { get; } = new();

    public static EncodeScratch Take()
    {
        var scratch = _ofThread ?? new EncodeScratch();

        // Whoever encodes while encoding gets buffers of its own.
        _ofThread = null;
        scratch.Ids.Clear();
        return scratch;
    }

    public void Return()
    {
        Ids.Trim(KeptElements);
        Text.Trim(KeptElements);
        OtherText.Trim(KeptElements);
        Bytes.Trim(KeptElements);
        Merging.Trim(KeptElements);
        _ofThread = this;
    }
}
