using InstructTune.Hosting;

namespace InstructTune.Gateway;

/// <summary>A failed gRPC call answered without any service behind it: one header block, no body ("Trailers-Only").</summary>
internal static class GrpcAnswer
{
    public static Task WriteAsync(HttpContext context, DomainException error)
    {
        var rpc = error.ToRpcException();
        var response = context.Response;
        response.Clear();
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = ((int)rpc.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(rpc.Status.Detail);
        foreach (var entry in rpc.Trailers.Where(entry => entry.IsBinary))
        {
            response.Headers[entry.Key] = Convert.ToBase64String(entry.ValueBytes).TrimEnd('=');
        }

        return response.CompleteAsync();
    }
}
