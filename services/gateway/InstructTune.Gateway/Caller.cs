namespace InstructTune.Gateway;

/// <summary>Who is let in: a name made from the key that does not tell it, and whether what administrators do is allowed.</summary>
internal sealed record Caller(string Tenant, bool MayAdminister);
