using InstructTune.Modeling.Llama;

namespace InstructTune.Modeling.Driver;

/// <summary>
/// Causal attention of one sequence's tokens for one key head and the query heads that share it. A block of queries at a time against the keys it may
/// see, so that scores stay in the cache and half of them are never computed; on the way back weights are made again from the logarithms of their sums.
/// </summary>
internal sealed unsafe class HeadAttention(LlamaConfig config, HeadScratch scratch)
{
    private readonly int _width = config.HeadWidth;
    private readonly float _scale = 1 / MathF.Sqrt(config.HeadWidth);
    private readonly int _keyColumn = config.QueryHeads * config.HeadWidth;
    private readonly int _valueColumn = (config.QueryHeads + config.KeyValueHeads) * config.HeadWidth;

    /// <param name="qkv">The tokens' queries, keys and values.</param>
    /// <param name="y">Their results.</param>
    /// <param name="logSums">By token and query head.</param>
    /// <param name="keyHead">The head.</param>
    /// <param name="window">How many tokens one sees back, or null.</param>
    public void Forward(RowSpan qkv, RowSpan y, RowSpan logSums, int keyHead, int? window)
    {
        Load(qkv, keyHead);
        scratch.Transpose(scratch.Keys, qkv.Rows, _width, scratch.KeyColumns);
        for (var head = keyHead * config.GroupSize; head < (keyHead + 1) * config.GroupSize; head++)
        {
            for (var first = 0; first < qkv.Rows; first += HeadScratch.BlockQueries)
            {
                var block = new Block(first, Math.Min(HeadScratch.BlockQueries, qkv.Rows - first), window);
                Score(qkv, head, block);
                for (var row = 0; row < block.Count; row++)
                {
                    logSums.Row(first + row)[head] = AttentionRows.Softmax(
                        scratch.Scores + ((long)row * scratch.Stride), block.FromOf(row), block.EndOf(row), block.Length, _scale);
                }

                TileProduct.Multiply(
                    scratch.Scores, scratch.Stride, 1, scratch.Values + ((long)block.Start * scratch.Width), scratch.Width, scratch.Results, scratch.Width,
                    (block.Count, scratch.Width, block.Keys), adds: false);
                scratch.Scatter(scratch.Results, block.Count, _width, y.Row(first) + (head * _width), y.Stride);
            }
        }
    }

    /// <summary>Puts the gradients of queries, keys and values in their places.</summary>
    public void Backward(RowSpan dy, RowSpan y, RowSpan qkv, RowSpan logSums, int keyHead, int? window)
    {
        Load(qkv, keyHead);
        scratch.Transpose(scratch.Keys, qkv.Rows, _width, scratch.KeyColumns);
        scratch.Transpose(scratch.Values, qkv.Rows, _width, scratch.ValueColumns);
        new Span<float>(scratch.KeyGradients, qkv.Rows * scratch.Width).Clear();
        new Span<float>(scratch.ValueGradients, qkv.Rows * scratch.Width).Clear();
        for (var head = keyHead * config.GroupSize; head < (keyHead + 1) * config.GroupSize; head++)
        {
            for (var first = 0; first < qkv.Rows; first += HeadScratch.BlockQueries)
            {
                var block = new Block(first, Math.Min(HeadScratch.BlockQueries, qkv.Rows - first), window);
                Score(qkv, head, block);
                BackScores(dy, y, logSums, head, block);
                BackBlock(qkv, head, block);
            }
        }

        scratch.Scatter(scratch.KeyGradients, qkv.Rows, _width, qkv.Row(0) + _keyColumn + (keyHead * _width), qkv.Stride);
        scratch.Scatter(scratch.ValueGradients, qkv.Rows, _width, qkv.Row(0) + _valueColumn + (keyHead * _width), qkv.Stride);
    }

    private void Load(RowSpan qkv, int keyHead)
    {
        scratch.Gather(qkv.Row(0) + _keyColumn + (keyHead * _width), qkv.Stride, qkv.Rows, _width, scratch.Keys);
        scratch.Gather(qkv.Row(0) + _valueColumn + (keyHead * _width), qkv.Stride, qkv.Rows, _width, scratch.Values);
    }

    private void Score(RowSpan qkv, int head, Block block)
    {
        scratch.Gather(qkv.Row(block.First) + (head * _width), qkv.Stride, block.Count, _width, scratch.Queries);
        TileProduct.Multiply(
            scratch.Queries, scratch.Width, 1, scratch.KeyColumns + block.Start, scratch.Stride, scratch.Scores, scratch.Stride,
            (block.Count, block.Length, _width), adds: false);
    }

    // Weights again, and the gradients of scores.
    private void BackScores(RowSpan dy, RowSpan y, RowSpan logSums, int head, Block block)
    {
        scratch.Gather(dy.Row(block.First) + (head * _width), dy.Stride, block.Count, _width, scratch.ResultGradients);
        scratch.Gather(y.Row(block.First) + (head * _width), y.Stride, block.Count, _width, scratch.Results);
        TileProduct.Multiply(
            scratch.ResultGradients, scratch.Width, 1, scratch.ValueColumns + block.Start, scratch.Stride, scratch.ScoreGradients, scratch.Stride,
            (block.Count, block.Length, _width), adds: false);
        for (var row = 0; row < block.Count; row++)
        {
            var weights = scratch.Scores + ((long)row * scratch.Stride);
            AttentionRows.Again(weights, block.FromOf(row), block.EndOf(row), block.Length, _scale, logSums.Row(block.First + row)[head]);
            var mean = AttentionRows.Dot(scratch.ResultGradients + (row * scratch.Width), scratch.Results + (row * scratch.Width), scratch.Width);
            AttentionRows.Back(weights, scratch.ScoreGradients + ((long)row * scratch.Stride), block.Length, mean, _scale);
        }
    }

    private void BackBlock(RowSpan qkv, int head, Block block)
    {
        var offset = (long)block.Start * scratch.Width;
        TileProduct.Multiply(
            scratch.Scores, 1, scratch.Stride, scratch.ResultGradients, scratch.Width, scratch.ValueGradients + offset, scratch.Width,
            (block.Keys, scratch.Width, block.Count), adds: true);
        TileProduct.Multiply(
            scratch.ScoreGradients, 1, scratch.Stride, scratch.Queries, scratch.Width, scratch.KeyGradients + offset, scratch.Width,
            (block.Keys, scratch.Width, block.Count), adds: true);
        TileProduct.Multiply(
            scratch.ScoreGradients, scratch.Stride, 1, scratch.Keys + offset, scratch.Width, scratch.Results, scratch.Width,
            (block.Count, scratch.Width, block.Keys), adds: false);
        scratch.Scatter(scratch.Results, block.Count, _width, qkv.Row(block.First) + (head * _width), qkv.Stride);
    }

    // Queries First to First + Count, and the keys from Start on that any of them sees.
    private readonly struct Block
    {
        private readonly int _window;

        public Block(int first, int count, int? window)
        {
            (First, Count, _window) = (first, count, window ?? int.MaxValue);

            // Columns of keys begin at whole tiles.
            Start = first < _window ? 0 : (first + 1 - _window) / TileProduct.Columns * TileProduct.Columns;
            Keys = first + count - Start;
            Length = (Keys + TileProduct.Columns - 1) / TileProduct.Columns * TileProduct.Columns;
        }

        public int First { get; }

        public int Count { get; }

        public int Start { get; }

        public int Keys { get; }

        /// <summary>Keys in whole tiles.</summary>
        public int Length { get; }

        public int FromOf(int row) => Math.Max(0, First + row + 1 - _window - Start);

        public int EndOf(int row) => First + row + 1 - Start;
    }
}
