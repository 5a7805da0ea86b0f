using System.Runtime.Intrinsics;

namespace InstructTune.Kernels;

/// <summary>
/// Attention of one row: the query heads that share a key head, over exactly the keys of their sequence. Memory of a key head holds one vector
/// per token, token after token.
/// </summary>
public static unsafe class Attention
{
    private const int Lanes = 8;
    private const int FourTokens = 4;

    /// <summary>
    /// For each of <paramref name="heads"/> queries: y = sum over tokens of softmax(q k * scale) v.
    /// </summary>
    /// <param name="q">Queries, head after head.</param>
    /// <param name="keys">Key of the first token seen.</param>
    /// <param name="values">Its value.</param>
    /// <param name="tokens">Tokens seen; at least one.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="width">Of a head.</param>
    /// <param name="scale">Of the products, 1 / sqrt(width).</param>
    /// <param name="scores">Room for one score per token, and three more.</param>
    /// <param name="y">Results, head after head.</param>
    public static void Attend(float* q, float* keys, float* values, int tokens, int heads, int width, float scale, float* scores, float* y)
    {
        for (var head = 0; head < heads; head++)
        {
            var most = width % Lanes == 0
                ? Scores(q + (head * width), keys, tokens, width, scale, scores)
                : OddScores(q + (head * width), keys, tokens, width, scale, scores);
            var sum = Exponentials(scores, tokens, most);
            Mix(scores, values, tokens, width, 1 / sum, y + (head * width));
        }
    }

    /// <summary>Four tokens at a time. Behind the last one it is computed again, so that every score is the same sum wherever the sequence ends.</summary>
    private static float Scores(float* q, float* keys, int tokens, int width, float scale, float* scores)
    {
        var most = Vector128.Create(float.NegativeInfinity);
        var factor = Vector128.Create(scale);
        for (var token = 0; token < tokens; token += FourTokens)
        {
            var last = tokens - 1 - token;
            var k = keys + ((long)token * width);
            var four = RowMath.DotFour(q, k, k + (Math.Min(1, last) * width), k + (Math.Min(2, last) * width), k + (Math.Min(3, last) * width), width) * factor;
            four.Store(scores + token);
            most = Vector128.Max(most, four);
        }

        return MathF.Max(MathF.Max(most[0], most[1]), MathF.Max(most[2], most[3]));
    }

    private static float OddScores(float* q, float* keys, int tokens, int width, float scale, float* scores)
    {
        var most = float.NegativeInfinity;
        for (var token = 0; token < tokens; token++)
        {
            scores[token] = RowMath.Dot(q, keys + ((long)token * width), width) * scale;
            most = MathF.Max(most, scores[token]);
        }

        return most;
    }

    private static float Exponentials(float* scores, int tokens, float most)
    {
        var greatest = Vector256.Create(most);
        var sums = Vector256<float>.Zero;
        var token = 0;
        for (; token + Lanes <= tokens; token += Lanes)
        {
            var value = Vector256.Exp(Vector256.Load(scores + token) - greatest);
            value.Store(scores + token);
            sums += value;
        }

        var sum = Vector256.Sum(sums);
        for (; token < tokens; token++)
        {
            scores[token] = Vector256.Exp(Vector256.Create(scores[token] - most))[0];
            sum += scores[token];
        }

        return sum;
    }

    private static void Mix(float* weights, float* values, int tokens, int width, float factor, float* y)
    {
        var scale = Vector256.Create(factor);
        var i = 0;
        for (; i + (4 * Lanes) <= width; i += 4 * Lanes)
        {
            Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
            for (var token = 0; token < tokens; token++)
            {
                var weight = Vector256.Create(weights[token]);
                var value = values + ((long)token * width) + i;
                s0 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value), s0);
                s1 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + Lanes), s1);
                s2 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + (2 * Lanes)), s2);
                s3 = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + (3 * Lanes)), s3);
            }

            (s0 * scale).Store(y + i);
            (s1 * scale).Store(y + i + Lanes);
            (s2 * scale).Store(y + i + (2 * Lanes));
            (s3 * scale).Store(y + i + (3 * Lanes));
        }

        for (; i < width; i++)
        {
            var sum = 0f;
            for (var token = 0; token < tokens; token++)
            {
                sum = MathF.FusedMultiplyAdd(weights[token], values[((long)token * width) + i], sum);
            }

            y[i] = sum * factor;
        }
    }
}
