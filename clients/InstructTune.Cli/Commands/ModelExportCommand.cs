using System.CommandLine;
using InstructTune.Cli.CommandLine;
using InstructTune.Cli.Output;
using InstructTune.Client;
using InstructTune.V1;

namespace InstructTune.Cli.Commands;

/// <summary><c>instructtune model export</c>.</summary>
internal static class ModelExportCommand
{
    public static Command Create(CliContext context)
    {
        var name = new Argument<string>("model") { Description = "NAME or NAME@VERSION." };
        var output = new Argument<string>("out") { Description = "For gguf: the file to write. Else: the folder to write, which is made." };
        var format = new Option<string>("--format", "-f")
        {
            Description = $"One of {ExportFormats.Names}. An adapter becomes a whole model in gguf and safetensors, and stays one in gguf-adapter and peft.",
            HelpName = "FORMAT",
            Required = true,
        };
        return new Command("export", "Writes a model version for other programs.").With(name, output, format).WithAction(context, async call =>
        {
            var export = ExportFormats.Parse(call.Value(format)!);
            using var client = call.Connect();
            var version = Names.ModelVersion(call.Value(name)!);
            await (export.Format is ModelExport.Types.Format.Gguf or ModelExport.Types.Format.GgufAdapter
                ? ToFileAsync(call, client, version, export, call.Value(output)!)
                : ToFolderAsync(call, client, version, export, call.Value(output)!));
            return ExitCode.Ok;
        });
    }

    private static async Task ToFileAsync(CommandCall call, InstructTuneClient client, string version, ModelExport export, string path)
    {
        if (File.Exists(path) || Directory.Exists(path))
        {
            throw new CliException($"{path} exists already.");
        }

        // Beside the target, so that it appears whole and under its own name or not at all.
        var scratch = Path.GetFullPath(path) + ".part";
        try
        {
            var files = await ReceiveAsync(call, client, version, export, scratch);
            File.Move(files[0].FullName, path);
        }
        finally
        {
            if (Directory.Exists(scratch))
            {
                Directory.Delete(scratch, recursive: true);
            }
        }

        call.Terminal.Out.WriteLine(path);
    }

    private static async Task ToFolderAsync(CommandCall call, InstructTuneClient client, string version, ModelExport export, string folder)
    {
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new CliException($"{folder} is not empty.");
        }

        foreach (var file in await ReceiveAsync(call, client, version, export, folder))
        {
            call.Terminal.Out.WriteLine(Path.Combine(folder, file.Name));
        }
    }

    private static async Task<IReadOnlyList<FileInfo>> ReceiveAsync(
        CommandCall call, InstructTuneClient client, string version, ModelExport export, string folder)
    {
        var (sent, files) = await client.ExportModelVersionAsync(version, export, folder, ct: call.Ct);
        call.Terminal.Note($"{Names.Short(version)}: received {Formats.Size(files.Sum(file => file.Length))}; {ExportFormats.Say(sent)}");
        return files;
    }
}
