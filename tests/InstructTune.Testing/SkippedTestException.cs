using Xunit.v3;

namespace InstructTune.Testing;

/// <summary>Ends a test as skipped, visibly: what <c>Assert.Skip</c> throws, for this room, which has no assertions.</summary>
public sealed class SkippedTestException(string reason) : Exception(DynamicSkipToken.Value + reason);
