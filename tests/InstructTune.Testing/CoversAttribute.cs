namespace InstructTune.Testing;

/// <summary>
/// Says that a test provokes an outcome of an RPC over real gRPC: <c>OK</c>, or a reason such as
/// <c>RESOURCE_NOT_FOUND</c>. One test reads the RPCs and their declared reasons from the descriptors and fails when a
/// pair has no such test.
/// </summary>
/// <param name="rpc">Service and method, such as <c>ModelRegistryService/GetModel</c>.</param>
/// <param name="outcome"><c>OK</c> or the name of an <c>ErrorReason</c> without prefix.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class CoversAttribute(string rpc, string outcome) : Attribute
{
    public string Rpc { get; } = rpc;

    public string Outcome { get; } = outcome;
}
