using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Numerics;

/// <summary>
/// Randomness without state: the same place in the same job gives the same stream, whatever ran before. Scheme StepSeed/1: the first
/// eight bytes of a SHA-256 over the parts, little-endian.
/// </summary>
/// <param name="Value">The seed.</param>
public readonly record struct StepSeed(ulong Value)
{
    /// <summary>Name of the scheme, for checkpoints.</summary>
    public const string Scheme = "StepSeed/1";

    /// <summary>The seed of one purpose in one step of a stage.</summary>
    /// <param name="jobSeed">Seed of the whole job.</param>
    /// <param name="stage">Stage id.</param>
    /// <param name="step">Step within the stage.</param>
    /// <param name="purpose">What it is for, such as "order" or "dropout".</param>
    public static StepSeed Of(ulong jobSeed, string stage, long step, string purpose) => Hash(jobSeed, step, stage, purpose);

    /// <summary>An independent stream below this one.</summary>
    public StepSeed Derive(string purpose, long index = 0) => Hash(Value, index, "", purpose);

    /// <summary>A generator of libtorch that starts at this seed. The caller disposes it.</summary>
    public Generator NewGenerator() => new(Value);

    private static StepSeed Hash(ulong seed, long number, string scope, string purpose)
    {
        var text = Encoding.UTF8.GetBytes($"{Scheme}\0{scope}\0{purpose}");
        var bytes = new byte[16 + text.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, seed);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8), number);
        text.CopyTo(bytes, 16);
        return new StepSeed(BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(bytes)));
    }
}
