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
    private readonly byte[][] _adminDigests = [.. options.Value.AdminApiKeys.Select(Digest)];

    /// <summary>Whose calls come with this header; null for who is not let in.</summary>
    public Caller? Find(string? authorization)
    {
        var hasKey = authorization is not null && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);
        var digest = Digest(hasKey ? authorization![Scheme.Length..].Trim() : "");
        // Both lists to their ends, whatever the first one says.
        var isKnown = hasKey & IsAmong(_digests, digest);
        var isAdmin = hasKey & IsAmong(_adminDigests, digest);
        var mayAdminister = isAdmin || _adminDigests.Length == 0;
        return _allowAnonymous ? new Caller(Anonymous, mayAdminister)
            : isKnown || isAdmin ? new Caller("key-" + Convert.ToHexStringLower(digest)[..TenantCharacters], mayAdminister)
            : null;
    }

    private static bool IsAmong(byte[][] digests, byte[] digest)
    {
        var isKnown = false;
        foreach (var known in digests)
        {
            isKnown |= CryptographicOperations.FixedTimeEquals(known, digest);
        }

        return isKnown;
    }

    private static byte[] Digest(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
