using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace InstructTune.Gateway;

/// <summary>
/// Decides whether an <c>authorization: Bearer KEY</c> header names a known key. Keys are compared as digests of one
/// length and every key is compared, so the time taken tells nothing about them.
/// </summary>
internal sealed class ApiKeys(IOptions<GatewayOptions> options)
{
    private const string Scheme = "Bearer ";
    private const string Anonymous = "anonymous";
    private const int TenantCharacters = 16;

    private readonly bool _allowAnonymous = options.Value.AllowAnonymous;
    private readonly byte[][] _digests = [.. options.Value.ApiKeys.Select(Digest)];

    /// <summary>Whose calls come with this header: a name made from the key that does not tell it. Null for who is not let in.</summary>
    public string? TenantOf(string? authorization)
    {
        if (_allowAnonymous)
        {
            return Anonymous;
        }

        if (authorization is null || !authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var digest = Digest(authorization[Scheme.Length..].Trim());
        var isKnown = false;
        foreach (var known in _digests)
        {
            isKnown |= CryptographicOperations.FixedTimeEquals(known, digest);
        }

        return isKnown ? "key-" + Convert.ToHexStringLower(digest)[..TenantCharacters] : null;
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
