using Microsoft.AspNetCore.Http;

namespace InstructTune.Integration.Tests.Inference;

/// <summary>Counts the calls a server is in: a client learns that its call was cancelled before the server does.</summary>
internal sealed class ActiveCalls
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public async Task CountAsync(HttpContext context, RequestDelegate next)
    {
        Interlocked.Increment(ref _count);
        try
        {
            await next(context);
        }
        finally
        {
            Interlocked.Decrement(ref _count);
        }
    }
}
