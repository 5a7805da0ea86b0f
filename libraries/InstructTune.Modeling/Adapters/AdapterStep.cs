// Shape letters in this file:
//   M rows of the step   A columns of the slots in use   I inputs   O outputs

using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Adapters;

/// <summary>The adapters of one serving step: which rows use which slots of the bank.</summary>
internal sealed class AdapterStep
{
    private readonly AdapterBank _bank;
    private readonly int _firstPlace;
    private readonly int _places;
    private readonly Tensor? _foreign_MA;

    private AdapterStep(AdapterBank bank, int[] slotOfRow)
    {
        _bank = bank;
        var used = slotOfRow.Where(s => s >= 0).ToArray();
        var (first, last) = (used.Min(), used.Max());
        _firstPlace = first * bank.RankPlaces;
        _places = (last - first + 1) * bank.RankPlaces;
        if (first < last || used.Length < slotOfRow.Length)
        {
            _foreign_MA = ForeignColumns(slotOfRow, first);
        }
    }

    /// <summary>The step's adapters, or null when every row is the base model's.</summary>
    public static AdapterStep? Of(StepBatch batch, AdapterBank? bank, int paddedRows)
    {
        if (batch.Sequences.All(s => s.Adapter is null))
        {
            return null;
        }

        if (bank is null || batch.Sequences.Any(s => s.Adapter >= bank.Slots || s.Adapter < 0))
        {
            throw new ArgumentException("A sequence names an adapter that the bank has no slot for.", nameof(batch));
        }

        var slots = new int[paddedRows];
        Array.Fill(slots, batch.Sequences[0].Adapter ?? -1);
        for (var i = 0; i < batch.Sequences.Count; i++)
        {
            slots.AsSpan(batch.FirstRows[i], batch.Sequences[i].Ids.Length).Fill(batch.Sequences[i].Adapter ?? -1);
        }

        return new AdapterStep(bank, slots);
    }

    /// <summary>Adds each row's adapter to a base product, in place.</summary>
    public void AddTo(Tensor y_MO, string path, Tensor x_MI)
    {
        if (_bank.Find(path) is not var (a_AI, b_AO))
        {
            return;
        }

        var h_MA = nn.functional.linear(x_MI, a_AI.narrow(0, _firstPlace, _places));
        if (_foreign_MA is not null)
        {
            // Selecting, not multiplying by zero: what is not finite in one adapter must not reach another's rows.
            h_MA.masked_fill_(_foreign_MA, 0);
        }

        y_MO.addmm_(h_MA, b_AO.narrow(0, _firstPlace, _places), 1, 1);
    }

    private Tensor ForeignColumns(int[] slotOfRow, int firstSlot)
    {
        var foreign = new bool[slotOfRow.Length * _places];
        Array.Fill(foreign, true);
        for (var row = 0; row < slotOfRow.Length; row++)
        {
            if (slotOfRow[row] >= 0)
            {
                foreign.AsSpan((row * _places) + ((slotOfRow[row] - firstSlot) * _bank.RankPlaces), _bank.RankPlaces).Clear();
            }
        }

        return tensor(foreign, [slotOfRow.Length, _places]);
    }
}
