using System.Diagnostics;
using System.Numerics;
using InstructTune.Kernels;
using InstructTune.Modeling.Serving;

namespace InstructTune.Benchmarks.Serving;

/// <summary>The same GGUF file on our kernels, driven the same way: prompts, then greedy steps of all streams.</summary>
internal sealed class OurModel(string path, Team team) : IDisposable
{
    private readonly KernelLlama _model = KernelModelFolder.LoadGguf(path, WeightFormat.Float32);
    private List<KernelAdapter> _adapters = [];
    private KernelCache? _cache;
    private KernelPass? _pass;
    private int _tokensPerStream;

    public long SizeBytes => _model.SizeBytes;

    /// <summary>Weights that every token meets: all matrices but the embedding, of which it reads one row.</summary>
    public long WeightsPerToken => _model.Config.WeightsPerToken();

    public void Open(int streams, int tokensPerStream, IReadOnlyList<string> adapters)
    {
        Close();
        _tokensPerStream = tokensPerStream;
        _cache = new KernelCache(_model.Config, (long)streams * tokensPerStream);
        _pass = new KernelPass(_model, _cache, team);
        _adapters = [.. adapters.Select(folder => KernelAdapterFolder.Load(folder, _model))];
    }

    public DecodeRun Run(int[][] prompts, int steps)
    {
        var order = Enumerable.Range(0, prompts.Length).OrderBy(stream => _adapters.Count == 0 ? 0 : stream % _adapters.Count).ToArray();
        var tokens = prompts.Select(_ => new List<int>()).ToArray();
        var started = Stopwatch.GetTimestamp();
        Step(order, stream => prompts[stream], _ => 0, tokens);
        var promptSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var seconds = new double[steps];
        for (var step = 0; step < steps; step++)
        {
            started = Stopwatch.GetTimestamp();
            Step(order, stream => [tokens[stream][^1]], stream => prompts[stream].Length + tokens[stream].Count - 1, tokens);
            seconds[step] = Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        return new DecodeRun(promptSeconds, seconds, [.. tokens.Select(stream => stream.ToArray())]);
    }

    public void Dispose()
    {
        Close();
        _model.Dispose();
    }

    private void Close()
    {
        _pass?.Dispose();
        _cache?.Dispose();
        _adapters.ForEach(adapter => adapter.Dispose());
        _adapters = [];
    }

    private void Step(int[] order, Func<int, int[]> ids, Func<int, int> from, List<int>[] tokens)
    {
        var rows = new List<KernelRow>();
        var runs = new List<AdapterRun>();
        foreach (var stream in order)
        {
            var (first, text) = (rows.Count, ids(stream));
            rows.AddRange(text.Select((id, i) => new KernelRow(id, from(stream) + i, (long)stream * _tokensPerStream, i == text.Length - 1)));
            if (_adapters.Count > 0)
            {
                runs.Add(new AdapterRun(_adapters[stream % _adapters.Count], first, rows.Count));
            }
        }

        _pass!.Run(rows, runs);
        for (var i = 0; i < order.Length; i++)
        {
            tokens[order[i]].Add(IndexOfMax(_pass.Logits(i)));
        }
    }

    private static int IndexOfMax(ReadOnlySpan<float> logits)
    {
        var greatest = new Vector<float>(float.NegativeInfinity);
        var i = 0;
        for (; i + Vector<float>.Count <= logits.Length; i += Vector<float>.Count)
        {
            greatest = Vector.Max(greatest, new Vector<float>(logits[i..]));
        }

        var best = float.NegativeInfinity;
        for (var lane = 0; lane < Vector<float>.Count; lane++)
        {
            best = Math.Max(best, greatest[lane]);
        }

        foreach (var rest in logits[i..])
        {
            best = Math.Max(best, rest);
        }

        return logits.IndexOf(best);
    }
}
