using System.Numerics.Tensors;
using LLama;
using LLama.Common;
using LLama.Native;

namespace InstructTune.LlamaCpp.Tests;

/// <summary>A GGUF file in llama.cpp: one sequence at a time, its cache in float32, one thread.</summary>
internal sealed class LlamaCppModel : IDisposable
{
    private readonly LLamaWeights _weights;
    private readonly LLamaContext _context;

    static LlamaCppModel() => NativeLibraryConfig.LLama.WithLogCallback((_, _) => { });

    public LlamaCppModel(string path)
    {
        var parameters = new ModelParams(path)
        {
            ContextSize = 256,
            BatchSize = 256,
            UBatchSize = 256,
            GpuLayerCount = 0,
            Threads = 1,
            BatchThreads = 1,
            TypeK = GGMLType.GGML_TYPE_F32,
            TypeV = GGMLType.GGML_TYPE_F32,
            FlashAttention = false,
        };
        _weights = LLamaWeights.LoadFromFile(parameters);
        _context = _weights.CreateContext(parameters);
    }

    public int[] Tokenize(string text, bool addSpecial) =>
        [.. _weights.Tokenize(text, addSpecial, special: true, System.Text.Encoding.UTF8).Select(t => (int)t)];

    /// <summary>Adds an adapter to whatever runs from now on.</summary>
    public void Apply(string adapterPath) =>
        _context.NativeHandle.SetLoraAdapters([(_weights.NativeHandle.LoadLoraFromFile(adapterPath), 1f)]);

    /// <summary>Scores of the token after a prompt.</summary>
    public float[] Logits(int[] prompt)
    {
        _context.NativeHandle.MemoryClear(data: true);
        return Step(prompt, 0).ToArray();
    }

    /// <summary>The most likely tokens after a prompt, with the margin of each over the next best.</summary>
    public (int[] Ids, float[] Margins) Greedy(int[] prompt, int count)
    {
        _context.NativeHandle.MemoryClear(data: true);
        var (ids, margins) = (new int[count], new float[count]);
        var next = prompt;
        var position = 0;
        for (var i = 0; i < count; i++)
        {
            var logits = Step(next, position);
            position += next.Length;
            ids[i] = TensorPrimitives.IndexOfMax(logits);
            var best = logits[ids[i]];
            logits[ids[i]] = float.NegativeInfinity;
            margins[i] = best - TensorPrimitives.Max<float>(logits);
            next = [ids[i]];
        }

        return (ids, margins);
    }

    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }

    private Span<float> Step(int[] ids, int position)
    {
        var batch = new LLamaBatch();
        for (var i = 0; i < ids.Length; i++)
        {
            batch.Add((LLamaToken)ids[i], (LLamaPos)(position + i), (LLamaSeqId)0, i == ids.Length - 1);
        }

        Assert.Equal(DecodeResult.Ok, _context.NativeHandle.Decode(batch));
        return _context.NativeHandle.GetLogitsIth(ids.Length - 1);
    }
}
