using Google.Rpc;
using Grpc.Core;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>What a failed call says.</summary>
internal static class Failures
{
    /// <summary>The call must fail with this reason.</summary>
    public static async Task<RpcException> FailsAsync(this Task call, string reason)
    {
        var exception = await Assert.ThrowsAsync<RpcException>(() => call);
        Assert.Equal(reason, exception.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason);
        return exception;
    }

    public static IEnumerable<string> Fields(this RpcException exception) =>
        exception.GetRpcStatus()!.GetDetail<BadRequest>().FieldViolations.Select(violation => violation.Field);
}
