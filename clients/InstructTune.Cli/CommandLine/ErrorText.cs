using InstructTune.Client;

namespace InstructTune.Cli.CommandLine;

/// <summary>One line per failure that says what to do.</summary>
internal static class ErrorText
{
    public static (string Message, int ExitCode) Of(Exception failure) => failure switch
    {
        CliException cli => (OneLine(cli.Message), cli.ExitCode),
        InstructTuneException remote => (OneLine(Of(remote)), ExitCode.Failed),
        IOException or UnauthorizedAccessException => (OneLine(failure.Message), ExitCode.Failed),
        _ => (OneLine($"Unexpected {failure.GetType().Name}: {failure.Message} Please report this."), ExitCode.Failed),
    };

    public static string Of(InstructTuneException failure) => failure.Reason switch
    {
        LocalReasons.ServerUnreachable => failure.Message + " Start one with 'instructtune up', or name another with --server.",
        "API_KEY_INVALID" => "The server refuses the API key: give the right one with --api-key or INSTRUCTTUNE_API_KEY"
            + " (endpoint.json in the server's data folder holds it).",
        "RESOURCE_NOT_FOUND" => Sentence(failure.Message) + Hint(failure),
        "FIELD_INVALID" when failure.FieldViolations.Count > 0 => "The server refuses the request: " + string.Join(
            "; ", failure.FieldViolations.Select(violation => $"{violation.Field}: {violation.Problem.TrimEnd('.')}")) + ".",
        "DATA_INVALID" => DataInvalid(failure),
        "JOB_NOT_RESUMABLE" => Sentence(failure.Message) + " Only jobs that failed or were cancelled can be resumed.",
        "QUEUE_FULL" when failure.RetryAfter is { } wait => Sentence(failure.Message) + $" Try again in {Math.Ceiling(wait.TotalSeconds)} s.",
        "INTERNAL" => Sentence(failure.Message) + " The log of the server says more.",
        LocalReasons.Unexplained => $"The call failed ({failure.StatusCode}): {Sentence(failure.Message)}",
        _ => Sentence(failure.Message),
    };

    private static string DataInvalid(InstructTuneException failure) =>
        failure.Metadata.TryGetValue("file", out var file)
        && failure.Metadata.TryGetValue("position", out var position)
        && failure.Metadata.TryGetValue("problem", out var problem)
            ? $"{file}, record {position}: {Sentence(problem)} Correct it, or allow some with --max-rejected."
            : Sentence(failure.Message);

    private static string Hint(InstructTuneException failure)
    {
        var text = failure.Message + ' ' + string.Join(' ', failure.Metadata.Values);
        return text switch
        {
            _ when Mentions("models/") => " See 'instructtune model list'.",
            _ when Mentions("datasets/") => " See 'instructtune dataset list'.",
            _ when Mentions("fineTuneJobs/") => " See 'instructtune finetune list'.",
            _ when Mentions("evaluationRuns/") => " See 'instructtune eval list'.",
            _ => "",
        };

        bool Mentions(string collection) => text.Contains(collection, StringComparison.Ordinal);
    }

    private static string Sentence(string message) =>
        message.Length == 0 || message[^1] is '.' or '!' or '?' ? message : message + ".";

    private static string OneLine(string message) => string.Join(' ', message.Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries));
}
