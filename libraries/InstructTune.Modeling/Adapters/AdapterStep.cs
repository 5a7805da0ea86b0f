// Shape letters in this file:
//   M rows of the step   R rank places of one adapter   I inputs   O outputs

using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>
/// The adapters of one serving step, as runs of rows with one adapter each. A run reads its own slot of the bank and nothing else, so
/// what is not finite in one adapter cannot reach another's rows.
/// </summary>
internal sealed class AdapterStep
{
    private readonly AdapterBank _bank;
    private readonly List<Run> _runs = [];
    private readonly float[] _inner_MR;

    private AdapterStep(StepBatch batch, StepLayout layout, AdapterBank bank)
    {
        _bank = bank;
        foreach (var piece in layout.Pieces)
        {
            if (batch.Sequences[piece.Sequence].Adapter is not { } slot)
            {
                continue;
            }

            var isBlock = piece.Row < layout.BlockRows;
            if (_runs is [.., var last] && last.Slot == slot && last.IsBlock == isBlock && last.Row + last.Count == piece.Row)
            {
                _runs[^1] = last with { Count = last.Count + piece.Count };
            }
            else
            {
                _runs.Add(new Run(piece.Row, piece.Count, slot, isBlock));
            }
        }

        _inner_MR = GC.AllocateUninitializedArray<float>(_runs.Max(r => r.Count) * bank.RankPlaces, pinned: true);
    }

    /// <summary>The step's adapters, or null when every row is the base model's.</summary>
    public static AdapterStep? Of(StepBatch batch, StepLayout layout, AdapterBank? bank)
    {
        if (batch.Sequences.All(s => s.Adapter is null))
        {
            return null;
        }

        return bank is null || batch.Sequences.Any(s => s.Adapter >= bank.Slots || s.Adapter < 0)
            ? throw new ArgumentException("A sequence names an adapter that the bank has no slot for.", nameof(batch))
            : new AdapterStep(batch, layout, bank);
    }

    /// <summary>Adds each row's adapter to a base product, in place.</summary>
    public void AddTo(Tensor y_MO, Projection module, Tensor x_MI)
    {
        foreach (var run in _runs)
        {
            if (_bank.Find(run.Slot, module.Path) is not { } own)
            {
                continue;
            }

            Rescale(run, own, y_MO, module.Bias_O);
            if (run.IsBlock || own.RowsOfA is null)
            {
                using var scope = NewDisposeScope();
                var h_MR = nn.functional.linear(x_MI.narrow(0, run.Row, run.Count), own.A_RI);
                y_MO.narrow(0, run.Row, run.Count).addmm_(h_MR, own.B_RO, 1, 1);
            }
            else
            {
                AddRows(run, RowSpan.Of(y_MO), RowSpan.Of(x_MI), own);
            }
        }
    }

    // DoRA: the base's product, without its bias, times the factor of each output; B carries the factor already.
    private static void Rescale(Run run, BankedModule own, Tensor y_MO, Tensor? bias_O)
    {
        if (own.Ratio_O is not { } ratio_O)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var rows_MO = y_MO.narrow(0, run.Row, run.Count);
        if (bias_O is null)
        {
            rows_MO.mul_(ratio_O);
        }
        else
        {
            rows_MO.sub_(bias_O).mul_(ratio_O).add_(bias_O, LivingScalar.One);
        }
    }

    private unsafe void AddRows(Run run, RowSpan y_MO, RowSpan x_MI, BankedModule own)
    {
        fixed (float* inner = _inner_MR)
        {
            var h_MR = new RowSpan(inner, run.Count, own.Places, own.Places);
            RowKernel.Multiply(x_MI.Part(run.Row, run.Count), own.RowsOfA!.Value, null, h_MR);
            RowKernel.AddOuter(h_MR, own.RowsOfB!.Value, y_MO.Part(run.Row, run.Count));
        }
    }

    private readonly record struct Run(int Row, int Count, int Slot, bool IsBlock);
}
