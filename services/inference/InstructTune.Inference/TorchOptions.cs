namespace InstructTune.Inference;

/// <summary>Settings under <c>Torch</c>, which all rooms of a process share.</summary>
internal sealed class TorchOptions
{
    public const string Section = "Torch";

    /// <summary>Threads of libtorch; 0 for its own choice, one per core. Results depend on the number, so it is part of the numerics fingerprint.</summary>
    public int Threads { get; set; }
}
