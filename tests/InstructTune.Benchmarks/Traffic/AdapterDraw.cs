namespace InstructTune.Benchmarks.Traffic;

/// <summary>Who asks for which of so many adapters.</summary>
internal enum Popularity
{
    /// <summary>Everybody for the first.</summary>
    Identical,

    /// <summary>Each request for any, all alike.</summary>
    Uniform,

    /// <summary>Each request for any, the k-th with a weight of k to the power of -1.5.</summary>
    Zipf,

    /// <summary>No two streams for the same at once, where there are as many as streams.</summary>
    Distinct,
}

/// <summary>The adapter of each request.</summary>
internal sealed class AdapterDraw
{
    private const double ZipfExponent = 1.5;

    private readonly Popularity _popularity;
    private readonly int _streams;
    private readonly double[] _cumulative;

    public AdapterDraw(Popularity popularity, int adapters, int streams)
    {
        (_popularity, _streams) = (popularity, streams);
        _cumulative = new double[adapters];
        var sum = 0.0;
        for (var k = 0; k < adapters; k++)
        {
            _cumulative[k] = sum += popularity == Popularity.Zipf ? Math.Pow(k + 1, -ZipfExponent) : 1;
        }
    }

    /// <summary>Probability of each adapter where it is drawn.</summary>
    public IEnumerable<double> Shares => _cumulative.Select((upTo, k) => (upTo - (k == 0 ? 0 : _cumulative[k - 1])) / _cumulative[^1]);

    /// <param name="stream">Who asks.</param>
    /// <param name="request">Its how-manieth request.</param>
    /// <param name="uniform">Uniform in [0, 1).</param>
    public int Next(int stream, int request, double uniform) => _popularity switch
    {
        Popularity.Identical => 0,
        Popularity.Distinct => (stream + (request * _streams)) % _cumulative.Length,
        _ => Draw(uniform * _cumulative[^1]),
    };

    private int Draw(double place)
    {
        var found = Array.FindIndex(_cumulative, upTo => place < upTo);
        return found < 0 ? _cumulative.Length - 1 : found;
    }
}
