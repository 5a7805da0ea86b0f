// Shape letters in this file:
//   R rank   I inputs   O outputs

using InstructTune.Kernels;
using InstructTune.Modeling.Adapters;
using InstructTune.Modeling.Weights;

namespace InstructTune.Modeling.Serving;

/// <summary>Reads PEFT's folders into packed adapters, without libtorch: LoRA and DoRA on the linear layers of blocks.</summary>
public static class KernelAdapterFolder
{
    /// <summary>Checks an adapter against its base, reads it and packs it. For DoRA the weights of the base are read too, as they are computed with.</summary>
    /// <param name="folder">Of PEFT.</param>
    /// <param name="model">The base.</param>
    /// <param name="warn">Told about oddities that do not stop the load; silent when null.</param>
    /// <exception cref="ModelFormatException">A key is missing, unexpected or mis-shaped, a value is not finite, or the adapter cannot share a base.</exception>
    public static KernelAdapter Load(string folder, KernelLlama model, Action<string>? warn = null)
    {
        warn ??= static _ => { };
        var config = PeftAdapter.ReadConfig(folder, warn);
        if (config.SharingObstacle is { } obstacle)
        {
            throw new ModelFormatException("adapter_config.json", obstacle, "cannot share a base with other adapters; merge the adapter into a full model and serve that");
        }

        var plan = AdapterPlan.Of(model.Config, config);
        PeftAdapter.WarnOfUnmatched(model.Config, config, warn);
        using var file = PeftAdapter.OpenWeights(folder);
        AdapterFileCheck.RefuseMismatch(file, plan, config, model.Config);
        var linears = model.Layers.SelectMany(layer => layer.Linears).ToDictionary(linear => linear.Path, StringComparer.Ordinal);
        var modules = new Dictionary<KernelLinear, KernelAdapterModule>();
        var hasEffect = false;
        try
        {
            foreach (var module in plan.GroupBy(tensor => tensor.Module, StringComparer.Ordinal))
            {
                var parts = module.ToDictionary(tensor => tensor.Part, tensor => Read(file, tensor));
                hasEffect |= parts.ContainsKey(AdapterPart.Magnitude) || parts[AdapterPart.B].AsSpan().ContainsAnyExcept(0f);
                var linear = linears[module.Key];
                modules.Add(linear, Pack(parts, (float)config.ScaleOf(module.Key), linear.Weight));
            }

            if (!hasEffect)
            {
                PeftAdapter.WarnOfNoEffect(warn);
            }

            return new KernelAdapter(modules);
        }
        catch
        {
            new KernelAdapter(modules).Dispose();
            throw;
        }
    }

    private static float[] Read(SafetensorsReader file, PlannedTensor planned)
    {
        var entry = file.Find(planned.Key)!;
        var values = new float[entry.Shape.Aggregate(1L, static (product, size) => product * size)];
        file.ReadElements(entry, 0, values);
        return values;
    }

    private static KernelAdapterModule Pack(Dictionary<AdapterPart, float[]> parts, float scale, KernelMatrix weight)
    {
        float[] a_RI = parts[AdapterPart.A], b_OR = parts[AdapterPart.B];
        foreach (ref var value in b_OR.AsSpan())
        {
            value *= scale;
        }

        var (inputs, rank) = (weight.Inputs, a_RI.Length / weight.Inputs);
        return new KernelAdapterModule(
            KernelMatrix.Create(WeightFormat.Float32, rank, inputs, (row, target) => a_RI.AsSpan(row * inputs, inputs).CopyTo(target)),
            KernelMatrix.Create(WeightFormat.Float32, weight.Outputs, rank, (row, target) => b_OR.AsSpan(row * rank, rank).CopyTo(target)),
            parts.TryGetValue(AdapterPart.Magnitude, out var magnitude_O) ? Ratio(magnitude_O, a_RI, b_OR, weight) : null);
    }

    /// <summary>Magnitude over the length of each row of the weight that base and adapter make together.</summary>
    private static unsafe AlignedBuffer<float> Ratio(float[] magnitude_O, float[] a_RI, float[] b_OR, KernelMatrix weight)
    {
        var (inputs, rank) = (weight.Inputs, a_RI.Length / weight.Inputs);
        var ratio = new AlignedBuffer<float>((weight.Outputs + KernelMatrix.GroupOutputs - 1) / KernelMatrix.GroupOutputs * KernelMatrix.GroupOutputs);
        Parallel.For(0, weight.Outputs, () => new float[inputs], (output, _, row) =>
        {
            weight.ReadRow(output, row);
            fixed (float* sum = row, a = a_RI)
            {
                for (var r = 0; r < rank; r++)
                {
                    RowMath.AddScaled(a + ((long)r * inputs), b_OR[(output * rank) + r], sum, inputs);
                }

                ratio.Span(output, 1)[0] = magnitude_O[output] / MathF.Sqrt(RowMath.Dot(sum, sum, inputs));
            }

            return row;
        }, static _ => { });
        return ratio;
    }
}
