// Shape letters in this file:
//   R rows   W wanted rows   D model width   V vocabulary

using System.Runtime.InteropServices;
using InstructTune.Inference.Models;
using InstructTune.Modeling.Generation;
using InstructTune.Modeling.Llama;
using static TorchSharp.torch;

namespace InstructTune.Inference.Engine;

/// <summary>
/// The output head over the rows that somebody wants, and no others, brought into managed memory. What it returns is valid until the
/// next call.
/// </summary>
internal sealed class LogitReader
{
    /// <summary>Rows through the head at once when scoring: bounds the memory that a large vocabulary takes.</summary>
    public const int ScoreRows = 64;

    private float[] _logits_WV = [];

    public IReadOnlyList<ChunkOutput> Read(TorchBase loaded, Tensor hidden_RD, StepBatch batch, IReadOnlyList<Chunk> chunks)
    {
        ChunkWants[] wants = [.. chunks.Select(chunk => chunk.Sequence.WantsOf(chunk.From, chunk.To))];
        var logits = ReadLogits(loaded, hidden_RD, [.. RowsToSample(wants, batch)]);
        var scores = ReadScores(loaded, hidden_RD, [.. RowsToScore(wants, batch, chunks)]);
        var reports = ReadReports(loaded, hidden_RD, [.. RowsToReport(wants, batch, chunks)]);
        var (nextLogits, nextScore, nextReport) = (0, 0, 0);
        var outputs = new ChunkOutput[chunks.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            var count = wants[i].Targets.Count;
            var row = wants[i].LastLogits ? logits[nextLogits++] : default;
            outputs[i] = new ChunkOutput(row.Length == 0 ? row : row[..loaded.VocabularySize], scores[nextScore..(nextScore + count)])
            {
                WholeRow = row,
                Reports = reports[nextReport..(nextReport + wants[i].Reports.Count)],
            };
            nextScore += count;
            nextReport += wants[i].Reports.Count;
        }
        return outputs;
    }

    private static IEnumerable<long> RowsToSample(ChunkWants[] wants, StepBatch batch) =>
        Enumerable.Range(0, wants.Length).Where(i => wants[i].LastLogits).Select(i => (long)batch.LastRowOf(i));

    private static IEnumerable<(long Row, long TokenId)> RowsToScore(ChunkWants[] wants, StepBatch batch, IReadOnlyList<Chunk> chunks) =>
        from i in Enumerable.Range(0, wants.Length)
        from target in wants[i].Targets
        select ((long)(batch.FirstRows[i] + target.Position - chunks[i].From), (long)target.TokenId);

    private static IEnumerable<(long Row, int TokenId, ReportWish Wish)> RowsToReport(ChunkWants[] wants, StepBatch batch, IReadOnlyList<Chunk> chunks) =>
        from i in Enumerable.Range(0, wants.Length)
        from target in wants[i].Reports
        select ((long)(batch.FirstRows[i] + target.Position - chunks[i].From), target.TokenId, wants[i].Wish);

    private static TokenReport[] ReadReports(TorchBase loaded, Tensor hidden_RD, (long Row, int TokenId, ReportWish Wish)[] targets)
    {
        List<TokenReport> reports = new(targets.Length);
        foreach (var block in targets.Chunk(ScoreRows))
        {
            using var scope = NewDisposeScope();
            var logits_WV = loaded.Model.Logits(hidden_RD.index_select(0, tensor([.. block.Select(target => target.Row)], int64, hidden_RD.device))).cpu().contiguous();
            var rows = MemoryMarshal.Cast<byte, float>(logits_WV.bytes);
            var width = (int)logits_WV.size(1);
            for (var i = 0; i < block.Length; i++)
            {
                var (_, token, wish) = block[i];
                reports.Add(TokenReport.Of(rows.Slice(i * width, width), token, wish.Alternatives, wish.TokenIds, loaded.VocabularySize));
            }
        }
        return [.. reports];
    }

    private ReadOnlyMemory<float>[] ReadLogits(TorchBase loaded, Tensor hidden_RD, long[] rows)
    {
        if (rows.Length == 0)
        {
            return [];
        }
        using var scope = NewDisposeScope();
        var logits_WV = loaded.Model.NextLogits(hidden_RD.index_select(0, tensor(rows, device: hidden_RD.device))).cpu().contiguous();
        var width = (int)logits_WV.size(1);
        if (_logits_WV.Length < rows.Length * width)
        {
            _logits_WV = new float[rows.Length * width];
        }
        MemoryMarshal.Cast<byte, float>(logits_WV.bytes).CopyTo(_logits_WV);
        return [.. Enumerable.Range(0, rows.Length).Select(row => new ReadOnlyMemory<float>(_logits_WV, row * width, width))];
    }

    private static TokenScore[] ReadScores(TorchBase loaded, Tensor hidden_RD, (long Row, long TokenId)[] targets)
    {
        List<TokenScore> scores = new(targets.Length);
        foreach (var block in targets.Chunk(ScoreRows))
        {
            using var scope = NewDisposeScope();
            var ids_W = tensor([.. block.Select(target => target.TokenId)], int64, hidden_RD.device);
            var logits_WV = loaded.Model.Logits(hidden_RD.index_select(0, tensor([.. block.Select(target => target.Row)], int64, hidden_RD.device)));
            var logprobs_W = logits_WV.log_softmax(1).gather(1, ids_W.unsqueeze(1)).squeeze(1).cpu();
            var best_W = logits_WV.narrow(1, 0, loaded.VocabularySize).argmax(1).eq(ids_W).cpu();
            var (logprobs, best) = (logprobs_W.data<float>(), best_W.data<bool>());
            for (var i = 0; i < block.Length; i++)
            {
                scores.Add(new TokenScore(logprobs[i], best[i]));
            }
        }
        return [.. scores];
    }
}
