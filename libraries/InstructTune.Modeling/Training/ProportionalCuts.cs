namespace InstructTune.Modeling.Training;

/// <summary>
/// The rule of LLaMA-Factory for conversations that are too long: exchange after exchange, prompt and answer share the room that is left, and
/// exchanges that find none are lost.
/// </summary>
internal static class ProportionalCuts
{
    /// <param name="answer">For each token whether it is part of an answer.</param>
    /// <param name="room">How many tokens may be kept.</param>
    /// <param name="lastFirst">Whether the last exchange is served first.</param>
    /// <returns>What to leave out.</returns>
    public static (int From, int To)[] Of(bool[] answer, int room, bool lastFirst)
    {
        var cuts = new List<(int, int)>();
        var exchanges = Exchanges(answer);
        foreach (var (start, border, end) in lastFirst ? exchanges.AsEnumerable().Reverse() : exchanges)
        {
            var (source, target) = Shares(border - start, end - border, room);
            cuts.Add((start + source, border));
            cuts.Add((border + target, end));
            room -= source + target;
        }

        return [.. cuts];
    }

    // A short side keeps all it has, two long sides share; rounded as floating point rounds it there.
    private static (int Source, int Target) Shares(int source, int target, int room)
    {
        var mostTarget = 2 * target < room ? room
            : 2 * source < room ? room - source
            : (int)(room * ((double)target / (source + target)));
        var keptTarget = Math.Min(target, mostTarget);
        return (Math.Min(source, Math.Max(room - keptTarget, 0)), keptTarget);
    }

    private static List<(int Start, int Border, int End)> Exchanges(bool[] answer)
    {
        var exchanges = new List<(int, int, int)>();
        for (var start = 0; start < answer.Length;)
        {
            var border = Next(answer, start, wanted: true);
            var end = Next(answer, border, wanted: false);
            exchanges.Add((start, border, end));
            start = end;
        }

        return exchanges;
    }

    private static int Next(bool[] answer, int from, bool wanted)
    {
        var at = Array.IndexOf(answer, wanted, from);
        return at < 0 ? answer.Length : at;
    }
}
