// Shape letters in this file:
//   R rows of the step   r rank

using InstructTune.Kernels;

namespace InstructTune.Modeling.Serving;

/// <summary>The adapters of a step: which rows have which, and what they add to a linear layer.</summary>
internal sealed unsafe class KernelAdapterStep(IReadOnlyList<AdapterRun> runs)
{
    private readonly IReadOnlyList<AdapterRun> _runs = Joined(runs);

    public bool IsEmpty => _runs.Count == 0;

    /// <summary>The highest.</summary>
    public int Rank => _runs.Select(run => run.Adapter.Rank).DefaultIfEmpty().Max();

    /// <summary>Runs of one adapter that follow each other as one: its weights are read once for all of their rows.</summary>
    public static IReadOnlyList<AdapterRun> Joined(IReadOnlyList<AdapterRun> runs)
    {
        List<AdapterRun> joined = [];
        foreach (var run in runs)
        {
            if (joined is [.., var last] && last.Adapter == run.Adapter && last.To == run.From)
            {
                joined[^1] = last with { To = run.To };
            }
            else
            {
                joined.Add(run);
            }
        }

        return joined;
    }

    /// <summary>The inner halves, a share of the rank for each member.</summary>
    public void ShareInner(KernelLinear linear, ActivationRows x, ActivationRows inner_Rr, int member, int members)
    {
        foreach (var run in _runs)
        {
            if (run.Adapter.Find(linear) is { } module)
            {
                var ranks = Share.Of(module.A.Outputs, member, members, KernelMatrix.GroupOutputs);
                module.A.Multiply(x, new Share(run.From, run.To), inner_Rr.Row(0), inner_Rr.Stride, ranks);
            }
        }
    }

    /// <summary>The outer halves, added to some of the outputs.</summary>
    public void AddTo(KernelLinear linear, RowBuffer y, ActivationRows inner_Rr, RowBuffer delta_R, Share outputs)
    {
        foreach (var run in _runs)
        {
            if (run.Adapter.Find(linear) is { } module)
            {
                module.B.Multiply(inner_Rr, new Share(run.From, run.To), delta_R.Row(0), delta_R.Stride, outputs);
                Add(run, module, y, delta_R, outputs);
            }
        }
    }

    private static void Add(AdapterRun run, KernelAdapterModule module, RowBuffer y, RowBuffer delta_R, Share outputs)
    {
        for (var row = run.From; row < run.To; row++)
        {
            RowMath.Add(delta_R.Row(row) + outputs.From, y.Row(row) + outputs.From, outputs.To - outputs.From);
            if (module.Ratio is { } ratio)
            {
                RowMath.MultiplyBy(ratio.Pointer + outputs.From, y.Row(row) + outputs.From, outputs.To - outputs.From);
            }
        }
    }
}
