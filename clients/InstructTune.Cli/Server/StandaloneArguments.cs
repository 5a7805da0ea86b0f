using System.Globalization;

namespace InstructTune.Cli.Server;

/// <summary>What the standalone server is started with.</summary>
/// <param name="DataFolder">Where it keeps everything.</param>
/// <param name="Port">0 for any free one.</param>
/// <param name="Redis">HOST:PORT of an existing Redis; null for its own store.</param>
internal sealed record StandaloneArguments(string DataFolder, int Port, string? Redis)
{
    public IReadOnlyList<string> ToList()
    {
        List<string> arguments =
        [
            "--data", DataFolder, "--port", Port.ToString(CultureInfo.InvariantCulture), "--exit-on-stdin-close",
        ];
        if (Redis is not null)
        {
            arguments.AddRange(["--redis", Redis]);
        }

        return arguments;
    }
}
