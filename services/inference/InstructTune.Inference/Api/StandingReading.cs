using Grpc.Core;
using InstructTune.Hosting;
using InstructTune.Inference.Engine;

namespace InstructTune.Inference.Api;

/// <summary>Whose request it is. What the gateway says, from the API key, counts more than what the request says.</summary>
internal static class StandingReading
{
    /// <summary>Set by the gateway, which removes it from what comes to it.</summary>
    public const string TenantHeader = "instructtune-tenant";

    private const int MaxTenantCharacters = 63;

    public static Standing Read(V1.Priority priority, string tenant, Metadata headers, FieldViolations violations)
    {
        violations.Check(IsTenant(tenant), "tenant", $"must have at most {MaxTenantCharacters} of the characters a-z, 0-9, '.', '_' and '-'");
        violations.Check(Enum.IsDefined(priority), "priority", "must be one of INTERACTIVE, STANDARD, BATCH");
        var known = headers.GetValue(TenantHeader) ?? tenant;
        return new Standing(known.Length > 0 ? known : Standing.Default.Tenant, UrgencyOf(priority));
    }

    public static string TenantOf(Metadata headers) => TenantOf(headers, "");

    /// <summary>Before the request is checked: what is no name of a tenant stands for none.</summary>
    public static string TenantOf(Metadata headers, string tenant) =>
        headers.GetValue(TenantHeader) ?? (tenant.Length > 0 && IsTenant(tenant) ? tenant : Standing.Default.Tenant);

    private static bool IsTenant(string tenant) =>
        tenant.Length <= MaxTenantCharacters && tenant.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-');

    public static Urgency UrgencyOf(V1.Priority priority) => priority switch
    {
        V1.Priority.Interactive => Urgency.Interactive,
        V1.Priority.Batch => Urgency.Batch,
        _ => Urgency.Standard,
    };
}
