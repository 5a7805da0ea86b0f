using InstructTune.Modeling.Llama;
using InstructTune.Modeling.Numerics;
using static TorchSharp.torch;

namespace InstructTune.Modeling.Training;

/// <summary>
/// Rows of one forward pass, padded on the right, with the labels already shifted: row r of the flattened hidden states predicts token r + 1.
/// Padding is known by length, never by id, so a padding id that equals the end token is harmless.
/// </summary>
public sealed class PaddedBatch : IDisposable
{
    private PaddedBatch(Tensor ids_BT, Tensor trainedRows_R, Tensor labels_R, int trainedTokenCount, IReadOnlyList<TokenizedExample> rows, StepPlace place)
    {
        Place = place;
        Ids_BT = ids_BT;
        TrainedRows_R = trainedRows_R;
        Labels_R = labels_R;
        TrainedTokenCount = trainedTokenCount;
        TokenCount = rows.Sum(row => (long)row.Ids.Length);
        Placement = rows.All(row => row.SegmentTokens is null)
            ? null
            : new TokenPlacement { Segments = [.. rows.Select(row => row.SegmentTokens ?? [row.Ids.Length])] };
    }

    /// <summary>Token ids, int64; padding is id 0.</summary>
    public Tensor Ids_BT { get; }

    /// <summary>Indices into the flattened rows whose prediction carries loss.</summary>
    public Tensor TrainedRows_R { get; }

    /// <summary>What those rows must predict.</summary>
    public Tensor Labels_R { get; }

    /// <summary>Number of trained tokens.</summary>
    public int TrainedTokenCount { get; }

    /// <summary>Tokens that are not padding.</summary>
    public long TokenCount { get; }

    /// <summary>Which examples share a row; null where every row is one example.</summary>
    public TokenPlacement? Placement { get; }

    /// <summary>Where the pass stands in its step.</summary>
    public StepPlace Place { get; }

    /// <summary>Pads the rows to the longest of them.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="place">Where they stand in their step; null where they are all of it.</param>
    public static PaddedBatch Of(IReadOnlyList<TokenizedExample> rows, StepPlace? place = null)
    {
        var width = rows.Max(row => row.Ids.Length);
        var ids = new long[rows.Count * width];
        var trainedRows = new List<long>();
        var labels = new List<long>();
        for (var b = 0; b < rows.Count; b++)
        {
            var row = rows[b];
            for (var t = 0; t < row.Ids.Length; t++)
            {
                ids[(b * width) + t] = row.Ids[t];
                if (t > 0 && row.Trained[t])
                {
                    trainedRows.Add((b * (long)width) + t - 1);
                    labels.Add(row.Ids[t]);
                }
            }
        }

        return new PaddedBatch(
            tensor(ids, [rows.Count, width]), tensor(trainedRows.ToArray()), tensor(labels.ToArray()), labels.Count, rows, place ?? new StepPlace(0, width));
    }

    /// <summary>The seeds of trained rows <paramref name="first"/> and following.</summary>
    internal RowSeeds? SeedsOf(RowSeeds? seeds, long first, long count) =>
        seeds is null ? null : seeds with { Chosen = TrainedRows_R.data<long>().ToArray().AsSpan((int)first, (int)count).ToArray() };

    /// <inheritdoc/>
    public void Dispose()
    {
        Ids_BT.Dispose();
        TrainedRows_R.Dispose();
        Labels_R.Dispose();
    }
}
