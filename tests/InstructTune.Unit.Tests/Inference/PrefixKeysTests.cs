using System.Security.Cryptography;
using System.Text;
using InstructTune.Inference.Engine;

namespace InstructTune.Unit.Tests.Inference;

public sealed class PrefixKeysTests
{
    private static readonly byte[] _base = SHA256.HashData("base"u8);
    private static readonly byte[] _adapter = SHA256.HashData("adapter"u8);
    private static readonly byte[] _salt = SHA256.HashData("tenant-a"u8);
    private static readonly int[] _ids = [.. Enumerable.Range(0, 128)];

    private readonly PrefixKeys _keys = new([1]);

    [Fact]
    public void Keys_are_those_of_the_documented_layout()
    {
        var first = _keys.KeyOf(default, 1, _base, new byte[32], _salt, _ids.AsSpan(0, 64));
        var second = _keys.KeyOf(first, 1, _base, new byte[32], _salt, _ids.AsSpan(64, 64));
        var adapted = _keys.KeyOf(default, 1, _base, _adapter, _salt, _ids.AsSpan(0, 64));

        Assert.Equal("d18e5ffa8bd228613f22e786e28b05f2970b53a23074e55f5904895b49c7926d", Hex(first));
        Assert.Equal("1481bd9507ad8bf84715cf2dbd73390c6e31a961ceb7e5fca1486a27e60547d7", Hex(second));
        Assert.Equal("c9c7145fae3fd2fe27b342adfd174cf4d4494b9444a38a152c8e91c2fdfe759c", Hex(adapted));
    }

    [Fact]
    public void Everything_that_changes_keys_and_values_or_who_may_see_them_changes_the_key()
    {
        var scope = new PrefixScope(Digest("base"), Digest("red"), "ann", "") { Format = 1 };
        PrefixChain[] chains =
        [
            _keys.ChainOf(_ids, scope, reads: true),
            _keys.ChainOf(_ids, scope with { BaseSha256 = Digest("other base") }, reads: true),
            _keys.ChainOf(_ids, scope with { AdapterSha256 = Digest("red again") }, reads: true),
            _keys.ChainOf(_ids, scope with { AdapterSha256 = null }, reads: true),
            _keys.ChainOf(_ids, scope with { Tenant = "bob" }, reads: true),
            _keys.ChainOf(_ids, scope with { Salt = "s" }, reads: true),
            _keys.ChainOf([5, .. _ids[1..]], scope, reads: true),
            _keys.ChainOf(_ids, scope with { Format = 2 }, reads: true),
            new PrefixKeys([2]).ChainOf(_ids, scope, reads: true),
        ];

        Assert.Equal(chains.Length, chains.Select(chain => chain[0]).Distinct().Count());
        Assert.Equal(chains.Length, chains.Select(chain => chain[1]).Distinct().Count());
    }

    [Theory]
    [InlineData(63, 0, 0)]
    [InlineData(64, 1, 0)]
    [InlineData(65, 1, 1)]
    [InlineData(128, 2, 1)]
    public void The_last_token_of_a_prompt_never_comes_from_the_cache(int tokens, int blocks, int readable)
    {
        var chain = _keys.ChainOf(_ids[..tokens], new PrefixScope(Digest("base"), null, "ann", "") { Format = 1 }, reads: true);

        Assert.Equal((blocks, readable), (chain.Count, chain.Readable));
    }

    private static string Hex(PrefixKey key)
    {
        var bytes = new byte[PrefixKey.SizeBytes];
        key.Write(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
