using InstructTune.Kernels;
using InstructTune.Modeling.Numerics;

namespace InstructTune.Inference.Models;

/// <summary>Who computes with a base, and from which weights.</summary>
internal sealed record WeightForm
{
    /// <summary>float32, by libtorch.</summary>
    public static readonly WeightForm Torch = new("torch", 1);

    /// <summary>float32, by our kernels, as all that follow.</summary>
    public static readonly WeightForm Float32 = new("float32", 2) { Kernel = WeightFormat.Float32 };

    public static readonly WeightForm BFloat16 = new("bfloat16", 3) { Kernel = WeightFormat.BFloat16 };

    public static readonly WeightForm Int8 = new("int8", 4) { Kernel = WeightFormat.Int8 };

    public static readonly WeightForm Int4 = new("int4", 5) { Kernel = WeightFormat.Int4 };

    /// <summary>The blocks of the GGUF file that a model was imported from, as they are; float32 for what is stored otherwise, and for other models.</summary>
    public static readonly WeightForm Gguf = new("gguf", 6) { Kernel = WeightFormat.Float32 };

    /// <summary>bfloat16, by libtorch on a GPU.</summary>
    public static readonly WeightForm Graphics = new(ComputeDevice.Graphics, 7);

    private WeightForm(string name, uint number) => (Name, Number) = (name, number);

    public static IReadOnlyList<WeightForm> All { get; } = [Torch, Float32, BFloat16, Int8, Int4, Gguf, Graphics];

    /// <summary>In settings, documents and facts about numerics.</summary>
    public string Name { get; }

    /// <summary>The numbers alone, whoever computes with them: what callers know.</summary>
    public string Numbers => this == Torch ? Float32.Name : this == Graphics ? BFloat16.Name : Name;

    /// <summary>Part of the key of a prefix: it changes the bits of keys and values.</summary>
    public uint Number { get; }

    /// <summary>What our kernels compute with; null where libtorch computes.</summary>
    public WeightFormat? Kernel { get; private init; }

    /// <summary>Whether weights lose precision, so that the loss is measured.</summary>
    public bool IsRounded => this != Torch && this != Float32;

    /// <summary>Whether libtorch computes, on the processor or on a GPU.</summary>
    public bool UsesLibtorch => Kernel is null;

    /// <summary>Bytes of a weight in memory.</summary>
    public double BytesPerWeight => this == Graphics ? WeightFormat.BFloat16.BytesPerWeight() : (Kernel ?? WeightFormat.Float32).BytesPerWeight();

    /// <summary>Bytes of a key's or a value's element.</summary>
    public int CacheBytes => this == Graphics ? sizeof(float) / 2 : sizeof(float);

    public static WeightForm? Find(string name) => All.FirstOrDefault(form => form.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Who computes in float32 is a matter of the process; the numbers are alike, the bits are not.</summary>
    public WeightForm AsFloat32() => this == Torch ? Torch : Float32;

    /// <summary>As <see cref="AsFloat32"/>.</summary>
    public WeightForm AsBFloat16() => this == Graphics ? Graphics : BFloat16;
}
