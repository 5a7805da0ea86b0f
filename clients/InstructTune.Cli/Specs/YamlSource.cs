using InstructTune.Cli.CommandLine;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace InstructTune.Cli.Specs;

/// <summary>A YAML file with its name, for messages that say where.</summary>
internal sealed class YamlSource(string fileName)
{
    public YamlNode Parse(TextReader text)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(text);
        }
        catch (YamlException e)
        {
            throw CliException.Usage($"{fileName}:{e.Start.Line}: {e.InnerException?.Message ?? e.Message}");
        }

        return stream.Documents.Count == 1
            ? stream.Documents[0].RootNode
            : throw CliException.Usage($"{fileName}: expected one YAML document, found {stream.Documents.Count}.");
    }

    public CliException Error(YamlNode node, string problem) => CliException.Usage(
        $"{fileName}:{node.Start.Line}: {problem}{(problem.EndsWith('?') ? "" : ".")}");
}
