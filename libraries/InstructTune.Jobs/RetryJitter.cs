using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace InstructTune.Jobs;

/// <summary>Spreads retries by 20%, the same way for the same attempt, so that jobs that fell together rise apart.</summary>
internal static class RetryJitter
{
    private const double Spread = 0.2;

    public static double Of(string id, int attempt)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}|{attempt}|retry")));
        var unit = BinaryPrimitives.ReadUInt32LittleEndian(digest) / (double)uint.MaxValue;
        return 1 - Spread + (2 * Spread * unit);
    }
}
