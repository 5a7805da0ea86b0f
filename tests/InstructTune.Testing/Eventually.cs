namespace InstructTune.Testing;

/// <summary>Waits for what has no event to wait for. The last resort, and capped.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, TimeSpan? longest = null)
    {
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        while (!await condition())
        {
            if (clock.GetElapsedTime(start) > (longest ?? Longest))
            {
                throw new TimeoutException($"Not within {longest ?? Longest}: {what}.");
            }

            await Task.Delay(Pause, clock);
        }
    }

    public static Task HoldsAsync(Func<bool> condition, string what, TimeSpan? longest = null) =>
        HoldsAsync(() => Task.FromResult(condition()), what, longest);
}
