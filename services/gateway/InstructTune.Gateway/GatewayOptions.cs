using Microsoft.Extensions.Options;

namespace InstructTune.Gateway;

internal sealed class GatewayOptions
{
    public const string Section = "Gateway";

    /// <summary>Keys that may call, each of at least 16 characters.</summary>
    public IList<string> ApiKeys { get; init; } = [];

    /// <summary>Keys that may also load, unload and list models in memory. With none, every key may.</summary>
    public IList<string> AdminApiKeys { get; init; } = [];

    /// <summary>Let anybody call. For tests and closed networks.</summary>
    public bool AllowAnonymous { get; init; }
}

internal sealed class GatewayOptionsValidator : IValidateOptions<GatewayOptions>
{
    private const int MinKeyLength = 16;

    public ValidateOptionsResult Validate(string? name, GatewayOptions options)
    {
        string[] keys = [.. options.ApiKeys, .. options.AdminApiKeys];
        if (keys.Length == 0 && !options.AllowAnonymous)
        {
            return ValidateOptionsResult.Fail("Set Gateway:ApiKeys:0 to a key, or Gateway:AllowAnonymous to true.");
        }

        return keys.Any(key => key.Length < MinKeyLength)
            ? ValidateOptionsResult.Fail($"Every key of Gateway:ApiKeys and Gateway:AdminApiKeys must have at least {MinKeyLength} characters.")
            : ValidateOptionsResult.Success;
    }
}
