using System.Runtime.InteropServices;

namespace InstructTune.Modeling.Driver;

/// <summary>Memory of one thread for the attention of one key head: keys and values close together, as rows and as columns, and scores of a block.</summary>
internal sealed unsafe class HeadScratch : IDisposable
{
    /// <summary>Queries of a block; a multiple of the rows of a tile.</summary>
    public const int BlockQueries = 48;

    private const int Parts = 6;
    private readonly float* _memory;
    private readonly long _headFloats;
    private readonly long _blockFloats;

    /// <param name="tokens">Of the longest piece.</param>
    /// <param name="headWidth">Width of a head.</param>
    public HeadScratch(long tokens, int headWidth)
    {
        // An odd number of cache lines: columns of a tile a power of two apart would share a few places of the cache and drive each other out.
        var tiles = (int)((tokens + TileProduct.Columns - 1) / TileProduct.Columns);
        Stride = (tiles | 1) * TileProduct.Columns;
        Width = (headWidth + TileProduct.Columns - 1) / TileProduct.Columns * TileProduct.Columns;
        _headFloats = (long)Stride * Width;
        _blockFloats = (long)BlockQueries * Stride;
        var bytes = (nuint)(sizeof(float) * ((Parts * _headFloats) + (2 * _blockFloats) + (3L * BlockQueries * Width)));
        _memory = (float*)NativeMemory.AlignedAlloc(bytes, 64);

        // Columns beyond a head's width stay zero for ever.
        NativeMemory.Clear(_memory, bytes);
    }

    /// <summary>From row to row of scores, and of keys and values by column.</summary>
    public int Stride { get; }

    /// <summary>From row to row of keys, values, queries and their gradients.</summary>
    public int Width { get; }

    public float* Keys => _memory;

    public float* Values => _memory + _headFloats;

    public float* KeyColumns => _memory + (2 * _headFloats);

    public float* ValueColumns => _memory + (3 * _headFloats);

    public float* KeyGradients => _memory + (4 * _headFloats);

    public float* ValueGradients => _memory + (5 * _headFloats);

    public float* Scores => _memory + (Parts * _headFloats);

    public float* ScoreGradients => Scores + _blockFloats;

    public float* Queries => ScoreGradients + _blockFloats;

    public float* Results => Queries + (BlockQueries * Width);

    public float* ResultGradients => Results + (BlockQueries * Width);

    public void Dispose() => NativeMemory.AlignedFree(_memory);

    /// <summary>Copies rows of one head close together.</summary>
    public void Gather(float* from, long stride, int rows, int columns, float* into)
    {
        for (var row = 0; row < rows; row++)
        {
            new Span<float>(from + (row * stride), columns).CopyTo(new Span<float>(into + ((long)row * Width), columns));
        }
    }

    /// <summary>Copies them back.</summary>
    public void Scatter(float* from, int rows, int columns, float* into, long stride)
    {
        for (var row = 0; row < rows; row++)
        {
            new Span<float>(from + ((long)row * Width), columns).CopyTo(new Span<float>(into + (row * stride), columns));
        }
    }

    /// <summary>Rows to columns; what lies beyond the rows up to a whole tile is zero.</summary>
    public void Transpose(float* rows, int count, int columns, float* into)
    {
        // As many rows at a time as fill a cache line of a column: they stay in the nearest cache while all columns take from them.
        for (var first = 0; first < Stride; first += TileProduct.Columns)
        {
            var taken = Math.Clamp(count - first, 0, TileProduct.Columns);
            for (var column = 0; column < columns; column++)
            {
                var target = into + ((long)column * Stride) + first;
                for (var row = 0; row < taken; row++)
                {
                    target[row] = rows[((long)(first + row) * Width) + column];
                }

                new Span<float>(target + taken, TileProduct.Columns - taken).Clear();
            }
        }
    }
}
