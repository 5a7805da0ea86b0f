using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace InstructTune.Inference.Engine;

/// <summary>What the keys and values of a prompt depend on, beside its tokens: contents and never names, and who may share them.</summary>
internal sealed record PrefixScope(string BaseSha256, string? AdapterSha256, string Tenant, string Salt)
{
    /// <summary>Numbers who computes, and from which weights: it changes the bits of keys and values.</summary>
    public required uint Format { get; init; }
}

/// <summary>
/// Keys of prefixes, byte for byte as documented. The secret is drawn when the process starts: nobody outside can compute a key.
/// </summary>
/// <param name="secret">Of this process.</param>
/// <param name="includesAdapter">True. A test shows what happens otherwise.</param>
internal sealed class PrefixKeys(byte[] secret, bool includesAdapter = true)
{
    private const int TokensAt = 6 + (4 * PrefixKey.SizeBytes) + (2 * sizeof(uint));

    public PrefixChain ChainOf(int[] tokenIds, PrefixScope scope, bool reads)
    {
        var salt = SaltOf(scope);
        var keys = new PrefixKey[tokenIds.Length / SlotPool.BlockTokens];
        var baseDigest = Convert.FromHexString(scope.BaseSha256);
        var adapterDigest = scope.AdapterSha256 is { } sha256 && includesAdapter ? Convert.FromHexString(sha256) : new byte[PrefixKey.SizeBytes];
        var parent = default(PrefixKey);
        for (var block = 0; block < keys.Length; block++)
        {
            parent = KeyOf(parent, scope.Format, baseDigest, adapterDigest, salt, tokenIds.AsSpan(block * SlotPool.BlockTokens, SlotPool.BlockTokens));
            keys[block] = parent;
        }
        return new PrefixChain(keys, tokenIds, reads) { Owner = scope.Tenant };
    }

    internal PrefixKey KeyOf(PrefixKey parent, uint format, byte[] baseDigest, byte[] adapterDigest, byte[] salt, ReadOnlySpan<int> tokenIds)
    {
        Span<byte> input = stackalloc byte[TokensAt + (SlotPool.BlockTokens * sizeof(uint))];
        "ITPK1\0"u8.CopyTo(input);
        var at = 6;
        parent.Write(input[at..]);
        baseDigest.CopyTo(input[(at + PrefixKey.SizeBytes)..]);
        adapterDigest.CopyTo(input[(at + (2 * PrefixKey.SizeBytes))..]);
        salt.CopyTo(input[(at + (3 * PrefixKey.SizeBytes))..]);
        at += 4 * PrefixKey.SizeBytes;
        BinaryPrimitives.WriteUInt32LittleEndian(input[at..], format);
        BinaryPrimitives.WriteUInt32LittleEndian(input[(at + sizeof(uint))..], (uint)tokenIds.Length);
        at = TokensAt;
        foreach (var id in tokenIds)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(input[at..], (uint)id);
            at += sizeof(uint);
        }
        Span<byte> digest = stackalloc byte[PrefixKey.SizeBytes];
        SHA256.HashData(input[..at], digest);
        return PrefixKey.Read(digest);
    }

    private byte[] SaltOf(PrefixScope scope) => HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{scope.Tenant}\0{scope.Salt}"));
}
