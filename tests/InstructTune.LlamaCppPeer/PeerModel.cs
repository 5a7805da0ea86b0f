using System.Diagnostics;
using System.Numerics.Tensors;
using InstructTune.Benchmarks.Serving;
using LLama;
using LLama.Common;
using LLama.Native;

namespace InstructTune.LlamaCppPeer;

/// <summary>
/// A GGUF file and contexts on it, driven by batches: all streams of a context in one call of llama_decode. A context has one set of adapters,
/// so streams with different adapters have a context each, over the same weights: that is cheaper than switching the adapters of one.
/// </summary>
internal sealed class PeerModel : IDisposable
{
    private const int BatchTokens = 512;

    private LLamaWeights? _weights;
    private List<LLamaContext> _contexts = [];
    private string _path = "";
    private int _threads;

    public DecodeRun Load(PeerRequest request)
    {
        Close();
        (_path, _threads) = (request.Path, request.Threads);
        _weights = LLamaWeights.LoadFromFile(new ModelParams(_path) { GpuLayerCount = 0 });
        return new DecodeRun(0, [], []);
    }

    public DecodeRun OpenContexts(PeerRequest request)
    {
        _contexts.ForEach(context => context.Dispose());
        var count = Math.Max(1, request.Adapters.Length);
        var type = request.Settings.KvFloat16 ? GGMLType.GGML_TYPE_F16 : GGMLType.GGML_TYPE_F32;
        var parameters = new ModelParams(_path)
        {
            ContextSize = (uint)(request.TokensPerStream * ((request.Streams + count - 1) / count)),
            SeqMax = (uint)((request.Streams + count - 1) / count),
            BatchSize = BatchTokens,
            UBatchSize = BatchTokens,
            GpuLayerCount = 0,
            Threads = _threads,
            BatchThreads = _threads,
            TypeK = type,
            TypeV = type,
            FlashAttention = request.Settings.FlashAttention,
            KVUnified = false,
        };
        _contexts = [.. Enumerable.Range(0, count).Select(_ => _weights!.CreateContext(parameters))];
        for (var i = 0; i < request.Adapters.Length; i++)
        {
            _contexts[i].NativeHandle.SetLoraAdapters([(_weights!.NativeHandle.LoadLoraFromFile(request.Adapters[i]), 1f)]);
        }

        return new DecodeRun(0, [], []);
    }

    /// <summary>Stream i is in context i modulo their number.</summary>
    public DecodeRun Run(PeerRequest request)
    {
        _contexts.ForEach(context => context.NativeHandle.MemoryClear(data: true));
        var tokens = request.Prompts.Select(_ => new List<int>()).ToArray();
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < _contexts.Count; i++)
        {
            Prompt(i, request.Prompts, tokens);
        }

        var promptSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var steps = new double[request.Steps];
        for (var step = 0; step < request.Steps; step++)
        {
            started = Stopwatch.GetTimestamp();
            for (var i = 0; i < _contexts.Count; i++)
            {
                Step(i, request.Prompts, tokens);
            }

            steps[step] = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        return new DecodeRun(promptSeconds, steps, [.. tokens.Select(stream => stream.ToArray())]);
    }

    public void Dispose() => Close();

    private void Close()
    {
        _contexts.ForEach(context => context.Dispose());
        _contexts = [];
        _weights?.Dispose();
    }

    private void Prompt(int context, int[][] prompts, List<int>[] tokens)
    {
        var batch = new LLamaBatch();
        var ends = new List<(int Stream, int Row)>();
        for (var stream = context; stream < prompts.Length; stream += _contexts.Count)
        {
            for (var i = 0; i < prompts[stream].Length; i++)
            {
                var isLast = i == prompts[stream].Length - 1;
                var row = batch.Add((LLamaToken)prompts[stream][i], (LLamaPos)i, (LLamaSeqId)(stream / _contexts.Count), isLast);
                if (isLast)
                {
                    ends.Add((stream, row));
                }

                if (batch.TokenCount == BatchTokens)
                {
                    Decode(context, batch, ends, tokens);
                }
            }
        }

        Decode(context, batch, ends, tokens);
    }

    private void Step(int context, int[][] prompts, List<int>[] tokens)
    {
        var batch = new LLamaBatch();
        var ends = new List<(int Stream, int Row)>();
        for (var stream = context; stream < prompts.Length; stream += _contexts.Count)
        {
            var position = prompts[stream].Length + tokens[stream].Count - 1;
            ends.Add((stream, batch.Add((LLamaToken)tokens[stream][^1], (LLamaPos)position, (LLamaSeqId)(stream / _contexts.Count), true)));
        }

        Decode(context, batch, ends, tokens);
    }

    private void Decode(int context, LLamaBatch batch, List<(int Stream, int Row)> ends, List<int>[] tokens)
    {
        if (batch.TokenCount == 0)
        {
            return;
        }

        var handle = _contexts[context].NativeHandle;
        if (handle.Decode(batch) is not DecodeResult.Ok and var failure)
        {
            throw new InvalidOperationException($"llama_decode answers {failure}.");
        }

        foreach (var (stream, row) in ends)
        {
            tokens[stream].Add(TensorPrimitives.IndexOfMax(handle.GetLogitsIth(row)));
        }

        batch.Clear();
        ends.Clear();
    }
}
